//! What is selected, in both formats of the configuration: T2 to T8, W1, W4, W5, W17.

use crate::stage::{Collection, end, tales, tales_by_name, text, watch, watch_with};
use faro_tests::control_plane::{ControlPlane, eventually};
use serde_json::{Value, json};

#[test]
fn t2_resource_format_selects_one_config_map_by_name() {
    check_one("t2", |namespace| format!("resources: [{{gvr: v1/configmaps, namespace_names: [{namespace}], name_selector: cm-1}}]"));
}

#[test]
fn t3_namespace_format_selects_by_label() {
    check_one("t3", |namespace| {
        format!("namespaces: [{{name_selector: {namespace}, resources: {{v1/configmaps: {{label_selector: \"app=x\"}}}}}}]")
    });
}

#[test]
fn t4_resource_format_selects_by_label() {
    check_one("t4", |namespace| format!("resources: [{{gvr: v1/configmaps, namespace_names: [{namespace}], label_selector: \"app=x\"}}]"));
}

#[test]
fn t5_one_namespace_by_name() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let name = format!("{}-itself", cluster.namespace("t5"));
    let mut program = watch(&cluster, &format!("resources: [{{gvr: v1/namespaces, name_selector: {name}}}]"), 1);
    let namespaces = Collection::at(&cluster, "/api/v1/namespaces".to_owned());
    namespaces.put(&name, &json!({}));
    cluster.namespace("t5-other");
    namespaces.label(&name, &json!({"tier": "gold"}));
    program.wait_for("the label", |record| record["labels"]["tier"] == "gold");
    namespaces.delete(&name);
    program.wait_for("the deletion", |record| record["eventType"] == "DELETED");

    let records = end(&mut program, "");
    assert!(records.iter().all(|record| record["gvr"] == "v1/namespaces" && record["name"] == *name && record["namespace"].is_null()));
    let types: Vec<&str> = records.iter().map(|record| text(&record["eventType"])).collect();
    let ([first, second, between @ ..], Some(last)) = (&types[..types.len() - 1], types.last()) else { panic!("{types:?}") };
    assert_eq!((*first, *second, *last), ("ADDED", "UPDATED", "DELETED"));
    assert_eq!((&records[0]["labels"]["tier"], &records[1]["labels"]["tier"]), (&Value::Null, &json!("gold")));
    // What the namespace controller does between the wish to delete and the end is its own.
    assert!(between.iter().all(|one| *one == "UPDATED"), "{types:?}");
}

#[test]
fn t6_a_namespace_and_a_config_map_in_it() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = format!("{}-made-later", cluster.namespace("t6"));
    let config = format!(
        "resources: [{{gvr: v1/namespaces, name_selector: {namespace}}}]\n\
         namespaces: [{{name_selector: {namespace}, resources: {{v1/configmaps: {{name_selector: cm-1}}}}}}]\n"
    );
    let mut program = watch(&cluster, &config, 2);
    let (namespaces, maps) = (Collection::at(&cluster, "/api/v1/namespaces".to_owned()), Collection::config_maps(&cluster, &namespace));
    namespaces.put(&namespace, &json!({}));
    maps.put("cm-1", &json!({"app": "x"}));
    maps.set("cm-1", "b");
    maps.delete("cm-1");
    program.wait_for("the deletion", |record| record["eventType"] == "DELETED" && record["gvr"] == "v1/configmaps");
    namespaces.delete(&namespace);
    program.wait_for("the other deletion", |record| record["eventType"] == "DELETED" && record["gvr"] == "v1/namespaces");

    let (of_maps, of_namespaces): (Vec<Value>, Vec<Value>) =
        end(&mut program, "").into_iter().partition(|record| record["gvr"] == "v1/configmaps");
    assert_eq!(tales(&of_maps), ["ADDED cm-1", "UPDATED cm-1", "DELETED cm-1"]);
    assert!(of_maps.iter().all(|record| record["namespace"] == *namespace));
    let told = tales(&of_namespaces);
    assert_eq!((told.first(), told.last()), (Some(&format!("ADDED {namespace}")), Some(&format!("DELETED {namespace}"))));
    assert!(of_namespaces.iter().all(|record| record["gvr"] == "v1/namespaces" && record["name"] == *namespace));
}

#[test]
fn t7_what_both_formats_select_comes_once() {
    check_one("t7", |namespace| {
        format!(
            "namespaces: [{{name_selector: {namespace}, resources: {{v1/configmaps: {{name_selector: cm-1}}}}}}]\n\
             resources: [{{gvr: v1/configmaps, namespace_names: [{namespace}], name_selector: cm-1}}]\n"
        )
    });
}

#[test]
fn t8_three_namespaces_by_label() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let family = cluster.namespace("t8");
    let names: Vec<String> = ["a", "b", "c"].map(|one| format!("{family}-{one}")).into();
    let entry = |name: &String| format!("  - {{name_selector: {name}, resources: {{v1/configmaps: {{label_selector: \"app=x\"}}}}}}\n");
    let config = format!(
        "resources: [{{gvr: v1/namespaces, label_selector: \"family={family}\"}}]\nnamespaces:\n{}",
        names.iter().map(entry).collect::<String>()
    );
    let mut program = watch(&cluster, &config, 4);
    let namespaces = Collection::at(&cluster, "/api/v1/namespaces".to_owned());
    namespaces.put(&format!("{family}-d"), &json!({"family": "another"}));
    for name in &names {
        namespaces.put(name, &json!({"family": family}));
        let maps = Collection::config_maps(&cluster, name);
        maps.put("cm-1", &json!({"app": "x"}));
        maps.put("cm-2", &json!({"app": "y"}));
        maps.set("cm-1", "b");
        maps.delete("cm-1");
        program.wait_for("the deletion", |record| record["eventType"] == "DELETED" && record["namespace"] == **name);
    }
    let records = end(&mut program, "");
    let of = |gvr: &str, namespace: &Value| -> Vec<Value> {
        records.iter().filter(|record| record["gvr"] == gvr && record["namespace"] == *namespace).cloned().collect()
    };
    for name in &names {
        assert_eq!(tales(&of("v1/configmaps", &json!(name))), ["ADDED cm-1", "UPDATED cm-1", "DELETED cm-1"]);
    }
    assert_eq!(tales(&of("v1/namespaces", &Value::Null)), names.iter().map(|name| format!("ADDED {name}")).collect::<Vec<_>>());
    assert_eq!(records.len(), 12);
}

#[test]
fn w1_no_namespace_means_every_namespace() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let places = [cluster.namespace("w1"), cluster.namespace("w1")];
    let configs =
        [", namespace_names: []", ", namespace_names: [\"\"]", ""].map(|names| format!("resources: [{{gvr: v1/configmaps{names}}}]"));
    let mut programs = configs.map(|config| watch(&cluster, &config, 1));
    for place in &places {
        let maps = Collection::config_maps(&cluster, place);
        maps.put("cm-1", &json!({}));
        maps.set("cm-1", "b");
        maps.delete("cm-1");
    }
    for program in &mut programs {
        program.wait_for("the last deletion", |record| record["eventType"] == "DELETED" && record["namespace"] == *places[1]);
        end(program, "");
        for place in &places {
            let here = |record: &&Value| record["namespace"] == **place && record["initial"].is_null();
            let records: Vec<Value> = program.records.iter().filter(here).cloned().collect();
            assert_eq!(tales(&records), ["ADDED cm-1", "UPDATED cm-1", "DELETED cm-1"]);
        }
        // Every namespace has this one.
        let everywhere = program.records.iter().filter(|record| record["name"] == "kube-root-ca.crt" && record["initial"] == true);
        let system = everywhere.filter(|record| ["default", "kube-system"].contains(&text(&record["namespace"])));
        assert_eq!(system.count(), 2);
    }
}

#[test]
fn w4_different_selectors_of_one_collection_select_the_union_once() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w4");
    let mut program = watch(&cluster, &two_selectors(&namespace), 1);
    let maps = Collection::config_maps(&cluster, &namespace);
    for (name, labels) in [
        ("cm-app", json!({"app": "x"})),
        ("cm-both", json!({"app": "x", "tier": "db"})),
        ("cm-none", json!({"app": "y"})),
        ("cm-tier", json!({"tier": "db"})),
    ] {
        maps.put(name, &labels);
        maps.set(name, "b");
        maps.delete(name);
    }
    program.wait_for("the last deletion", |record| record["eventType"] == "DELETED" && record["name"] == "cm-tier");
    let want = ["cm-app", "cm-both", "cm-tier"].map(|name| ["ADDED", "UPDATED", "DELETED"].map(|one| format!("{one} {name}")));
    assert_eq!(tales(&end(&mut program, "")), want.concat());
}

#[test]
fn w5_object_that_leaves_its_selector_is_deleted_and_added_when_it_comes_back() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w5");
    // The server selects, or, where two selections share a watch, the client.
    let server = format!("resources: [{{gvr: v1/configmaps, namespace_names: [{namespace}], label_selector: \"app=x\"}}]");
    let mut programs = [watch(&cluster, &server, 1), watch(&cluster, &two_selectors(&namespace), 1)];
    let maps = Collection::config_maps(&cluster, &namespace);
    maps.put("cm-1", &json!({"app": "x", "more": "1"}));
    maps.label("cm-1", &json!({"app": "y"}));
    // What happens to it meanwhile is not selected.
    maps.set("cm-1", "b");
    let still = maps.read("cm-1");
    maps.label("cm-1", &json!({"app": "x"}));
    maps.put("cm-2", &json!({"app": "x"}));
    // Its last label goes, and it is deleted where nobody looks.
    maps.label("cm-2", &json!({"app": null}));
    maps.delete("cm-2");
    maps.put("cm-3", &json!({"app": "x"}));
    for (program, marked) in programs.iter_mut().zip([Value::Null, json!(true)]) {
        program.wait_for("the last object", |record| record["name"] == "cm-3");
        let records = end(program, "");
        assert_eq!(tales(&records), ["ADDED cm-1", "DELETED cm-1", "ADDED cm-1", "ADDED cm-2", "DELETED cm-2", "ADDED cm-3"]);
        assert_eq!((&records[1]["leftSelector"], &records[4]["leftSelector"]), (&marked, &marked));
        assert_eq!(records[1]["labels"], json!({"app": "x", "more": "1"}));
        for record in &records[..3] {
            assert_eq!(record["uid"], still["metadata"]["uid"]);
        }
        assert!(records.iter().all(|record| record["initial"].is_null() && record["synthesized"].is_null()));
    }
}

#[test]
fn w17_adding_a_watched_collection_again_changes_nothing() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w17");
    let entry = format!("{{gvr: v1/configmaps, namespace_names: [{namespace}]}}");
    let run = |config: String, options: &[&str]| {
        let options: Vec<&str> = ["--emit", "object,event,sync,gap"].iter().chain(options).copied().collect();
        watch_with(&cluster, &config, 1, &options)
    };
    let mut programs = [
        run(format!("resources: [{entry}]"), &[]),
        run(format!("resources: [{entry}, {entry}]\nnamespaces: [{{name_selector: {namespace}, resources: {{v1/configmaps: }}}}]"), &[]),
        run(format!("resources: [{entry}]"), &["--gvr", "v1/configmaps,v1/configmaps", "-n", &namespace]),
    ];
    let maps = Collection::config_maps(&cluster, &namespace);
    maps.put("cm-1", &json!({}));
    maps.set("cm-1", "b");
    maps.delete("cm-1");
    for program in &mut programs {
        program.wait_for("the deletion", |record| record["eventType"] == "DELETED");
        let records = end(program, &namespace);
        assert_eq!(program.records.iter().filter(|record| record["record"] == "sync").count(), 1);
        let news: Vec<Value> = records.into_iter().filter(|record| record["initial"].is_null()).collect();
        assert_eq!(tales(&news), ["ADDED cm-1", "UPDATED cm-1", "DELETED cm-1"]);
    }
}

/// Two entries for one collection in one namespace.
fn two_selectors(namespace: &str) -> String {
    let entry = |selector: &str| format!("{{gvr: v1/configmaps, namespace_names: [{namespace}], label_selector: \"{selector}\"}}");
    format!("resources: [{}, {}]", entry("app=x"), entry("tier in (db)"))
}

/// Of all that happens to objects of several kinds and in two namespaces, exactly one ConfigMap's life is told.
#[track_caller]
fn check_one(id: &str, config: impl Fn(&str) -> String) {
    let Some(cluster) = ControlPlane::shared() else { return };
    let (namespace, other) = (cluster.namespace(id), cluster.namespace(id));
    eventually("the namespace has the ConfigMap of every namespace", || {
        cluster.api().read(&format!("/api/v1/namespaces/{namespace}/configmaps/kube-root-ca.crt")).ok()
    });
    let mut program = watch(&cluster, &config(&namespace), 1);
    let (maps, elsewhere) = (Collection::config_maps(&cluster, &namespace), Collection::config_maps(&cluster, &other));
    let at = |plural: &str| Collection::at(&cluster, format!("/api/v1/namespaces/{namespace}/{plural}"));
    let labels = json!({"app": "x"});
    elsewhere.put("cm-1", &labels);
    at("secrets").put("cm-1", &labels);
    at("services").create(&json!({"metadata": {"name": "cm-1", "labels": labels}, "spec": {"ports": [{"port": 80}]}}));
    maps.put("cm-1", &labels);
    for name in ["cm-2", "cm-10"] {
        maps.put(name, &json!({"app": "y"}));
        maps.set(name, "b");
        maps.delete(name);
    }
    maps.set("cm-1", "b");
    maps.delete("cm-1");
    program.wait_for("the deletion", |record| record["eventType"] == "DELETED");
    let records = end(&mut program, "");
    assert_eq!(tales_by_name(&records), ["ADDED cm-1", "UPDATED cm-1", "DELETED cm-1"]);
    for record in &records {
        assert_eq!((&record["namespace"], &record["gvr"], &record["labels"]), (&json!(namespace), &json!("v1/configmaps"), &labels));
    }
    assert_eq!(program.records.iter().filter(|record| record["record"] == "sync").count(), 1);
}

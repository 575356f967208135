//! Restarts, broken connections and lost history: what is printed is what happened, once.

use crate::program::Program;
use crate::truth::{Difference, Truth, compare, scaled};
use faro_tests::control_plane::{Component, ControlPlane, Patch, Setup};
use faro_tests::proxy::Proxy;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

const EMIT: &str = "object,event,sync,gap";

fn watch(kubeconfig: &Path, namespace: &str, more: &[&str]) -> Program {
    let arguments = ["watch", "--gvr", "v1/configmaps", "-n", namespace, "--emit", EMIT];
    Program::start(kubeconfig, &[&arguments, more].concat())
}

fn gaps(program: &Program) -> Vec<&Value> {
    program.records.iter().filter(|record| record["record"] == "gap").collect()
}

/// The changes of ours, in any order.
fn changes(program: &Program) -> Vec<(String, String)> {
    let mut changes = program.changes("v1/configmaps");
    changes.retain(|(_, name)| name.starts_with("cm-"));
    changes.sort();
    changes
}

fn named(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    changes.iter().map(|(kind, name)| ((*kind).to_owned(), (*name).to_owned())).collect()
}

#[test]
fn w11_restart_with_a_checkpoint_prints_the_differences_only() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w11");
    let directory = tempfile::tempdir().unwrap();
    let checkpoint = directory.path().join("checkpoint");
    let mut truth = Truth::new(&cluster, &namespace, 11);
    (0..10).for_each(|_| truth.create());

    let more = ["--checkpoint", checkpoint.to_str().unwrap()];
    let mut program = watch(cluster.kubeconfig(), &namespace, &more);
    program.wait_for_sync(&["v1/configmaps"]);
    let is_ours = |record: &&Value| record["record"] == "object" && record["name"].as_str().unwrap().starts_with("cm-");
    let initial = program.records.iter().filter(is_ours).filter(|record| record["eventType"] == "ADDED" && record["initial"] == true);
    assert_eq!(initial.count(), 10);
    truth.create();
    let created = program.wait_for("the new object", |record| record["name"] == "cm-11-11");
    assert_eq!((&created["eventType"], &created["initial"]), (&json!("ADDED"), &Value::Null));
    assert!(program.stop().success());
    assert_eq!(changes(&program).len(), 11);
    let before = std::mem::take(&mut program.records);

    truth.delete(0);
    truth.delete(0);
    truth.update(0);
    truth.create();
    let mut program = watch(cluster.kubeconfig(), &namespace, &more);
    program.wait_for("the last object", |record| record["name"] == "cm-11-12");
    program.read_for(Duration::from_millis(200));
    assert!(program.stop().success());
    let want = [("ADDED", "cm-11-12"), ("DELETED", "cm-11-1"), ("DELETED", "cm-11-2"), ("UPDATED", "cm-11-3")];
    assert_eq!(changes(&program), named(&want));
    assert_eq!(gaps(&program), [&Value::Null; 0]);
    let all = [before, std::mem::take(&mut program.records)].concat();
    assert_eq!(compare(&truth.happened, &all), Difference::default());
}

#[test]
fn w12_connection_cut_every_second_loses_and_repeats_nothing() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w12");
    let mut truth = Truth::new(&cluster, &namespace, 12);
    let (cut, torn) = (Proxy::passing(&cluster), Proxy::reading(&cluster));
    torn.delay(Duration::from_millis(3));
    let mut programs = [&cut, &torn].map(|proxy| watch(proxy.kubeconfig(), &namespace, &[]));
    programs.iter_mut().for_each(|program| program.wait_for_sync(&["v1/configmaps"]));

    let (begun, mut cuts) = (Instant::now(), 0);
    let count = scaled(500, 5_000);
    for number in 1..=count {
        truth.change();
        if begun.elapsed() >= Duration::from_secs(cuts + 1) {
            cuts += 1;
            cut.cut();
            torn.tear();
        }
        // Never faster than a hundred a second, so that the cuts fall among the changes.
        let pace = Duration::from_millis(10) * u32::try_from(number).unwrap();
        std::thread::sleep(pace.saturating_sub(begun.elapsed()));
    }
    assert!(cuts >= 4, "{cuts} cuts");
    assert!(torn.count("watch=1") as u64 > cuts.min(4), "the proxy tore no watch");
    for mut program in programs {
        while !truth.is_in(&program.records) {
            program.wait_for("another change", |record| record["record"] == "object");
        }
        program.read_for(Duration::from_millis(300));
        assert!(program.stop().success());
        assert_eq!(compare(&truth.happened, &program.records), Difference::default());
        assert_eq!(gaps(&program), [&Value::Null; 0]);
    }
}

/// Five objects are known; while nothing gets through one is deleted, one changed, and history is lost.
fn forget(cluster: &ControlPlane, proxy: &Proxy, restart: bool) -> Program {
    for name in 1..=5 {
        create(cluster, &format!("cm-{name}"));
    }
    let mut program = watch(proxy.kubeconfig(), "default", &[]);
    program.wait_for_sync(&["v1/configmaps"]);
    program.forget_records();
    proxy.refuse(true);
    change_two(cluster, ["cm-1", "cm-2"]);
    cluster.compact().unwrap();
    if restart {
        // The API server's cache knows what etcd has forgotten, until it starts anew.
        cluster.stop(Component::ApiServer);
        cluster.start(Component::ApiServer).unwrap();
    }
    proxy.refuse(false);
    program.wait_for("a gap", |record| record["record"] == "gap");
    // The watch goes on where the list ended.
    create(cluster, "cm-6");
    program.wait_for("a new object", |record| record["name"] == "cm-6");
    program.read_for(Duration::from_millis(200));
    program
}

fn create(cluster: &ControlPlane, name: &str) {
    let object = json!({"metadata": {"name": name, "labels": {"app": "x"}}, "data": {"key": "a"}});
    cluster.api().create("/api/v1/namespaces/default/configmaps", &object).unwrap();
}

/// Changes the first and deletes the second one, and makes it etcd's history of another moment than any list's.
fn change_two(cluster: &ControlPlane, [changed, deleted]: [&str; 2]) {
    let path = "/api/v1/namespaces/default/configmaps";
    for value in ["b", "c"] {
        cluster.api().patch(&format!("{path}/{changed}"), Patch::Merge, &json!({"data": {"key": value}})).unwrap();
    }
    cluster.api().delete(&format!("{path}/{deleted}")).unwrap();
}

/// Exactly one D, one U, one gap, and the A that followed.
#[track_caller]
fn check_forgotten(program: &Program, cause: &str, [changed, deleted, added]: [&str; 3]) {
    let want = [("ADDED", added), ("DELETED", deleted), ("UPDATED", changed)];
    assert_eq!(changes(program), named(&want));
    let find = |name: &str| program.records.iter().find(|record| record["record"] == "object" && record["name"] == name).unwrap();
    for name in [changed, deleted] {
        assert_eq!(find(name)["synthesized"], true, "{name}");
        assert_eq!(find(name)["labels"], json!({"app": "x"}), "{name}");
    }
    assert_eq!(find(added)["synthesized"], Value::Null);
    let [gap] = gaps(program)[..] else { panic!("{} gaps", gaps(program).len()) };
    assert_eq!((&gap["cause"], &gap["recovered"], &gap["lost"]), (&json!(cause), &json!(2), &json!("short-lived-objects")), "{gap}");
    assert!(gap["from"]["timestamp"].as_str() < gap["to"]["timestamp"].as_str(), "{gap}");
}

#[test]
fn w13_relist_after_410_reports_exactly_what_changed() {
    let Some(cluster) = Setup::new().api_server_flag("--watch-cache=false").start_or_skip() else { return };
    let proxy = Proxy::passing(&cluster);
    let mut program = forget(&cluster, &proxy, false);
    assert!(program.stop().success());
    check_forgotten(&program, "expired", ["cm-1", "cm-2", "cm-6"]);
}

#[test]
fn w13_checkpoint_that_is_too_old_and_a_cached_collection_whose_history_is_lost() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    let proxy = Proxy::passing(&cluster);
    let mut program = forget(&cluster, &proxy, true);
    assert!(program.stop().success());
    check_forgotten(&program, "expired", ["cm-1", "cm-2", "cm-6"]);

    // A restart with a checkpoint from before a compaction.
    let directory = tempfile::tempdir().unwrap();
    let checkpoint = directory.path().join("checkpoint");
    let more = ["--checkpoint", checkpoint.to_str().unwrap()];
    let mut program = watch(cluster.kubeconfig(), "default", &more);
    program.wait_for_sync(&["v1/configmaps"]);
    assert!(program.stop().success());
    change_two(&cluster, ["cm-3", "cm-4"]);
    create(&cluster, "cm-7");
    cluster.compact().unwrap();
    cluster.stop(Component::ApiServer);
    cluster.start(Component::ApiServer).unwrap();
    let mut program = watch(cluster.kubeconfig(), "default", &more);
    program.wait_for("a gap", |record| record["record"] == "gap");
    program.read_for(Duration::from_millis(200));
    assert!(program.stop().success());
    assert_eq!(changes(&program), named(&[("ADDED", "cm-7"), ("DELETED", "cm-4"), ("UPDATED", "cm-3")]));
    let [gap] = gaps(&program)[..] else { panic!("{} gaps", gaps(&program).len()) };
    assert_eq!((&gap["cause"], &gap["recovered"]), (&json!("checkpoint-too-old"), &json!(3)), "{gap}");
}

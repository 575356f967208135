//! Collections that come, go, come again and change their version.

use crate::program::Program;
use faro_tests::control_plane::{Api, ControlPlane, Patch, eventually};
use serde_json::{Value, json};
use std::time::Duration;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const DEFINITION: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/lamps.w16.faro.dev";

/// The definition of Lamps, of which only these versions are served.
fn define(api: &Api, served: &[&str]) {
    let version = |name: &str| {
        let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
        json!({"name": name, "served": served.contains(&name), "storage": name == "v1", "schema": schema})
    };
    let definition = json!({
        "metadata": {"name": "lamps.w16.faro.dev"},
        "spec": {
            "group": "w16.faro.dev", "scope": "Namespaced", "versions": [version("v1"), version("v2")],
            "names": {"plural": "lamps", "singular": "lamp", "kind": "Lamp", "listKind": "LampList"},
        },
    });
    match api.create(DEFINITIONS, &definition) {
        Err(error) if error.status() == Some(409) => {
            api.patch(DEFINITION, Patch::Merge, &json!({"spec": definition["spec"]})).unwrap();
        }
        created => drop(created.unwrap()),
    }
}

/// Creates a Lamp as soon as the server takes it; returns its uid.
fn create(api: &Api, path: &str, name: &str) -> Value {
    let lamp = json!({"apiVersion": "w16.faro.dev/v1", "kind": "Lamp", "metadata": {"name": name, "labels": {"app": "x"}}});
    let created = eventually("the server serves Lamps", || api.create(path, &lamp).ok());
    created["metadata"]["uid"].clone()
}

#[test]
fn w16_definition_that_comes_goes_comes_again_and_changes_its_version() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let (api, namespace) = (cluster.api(), cluster.namespace("w16"));
    let path = |version: &str| format!("/apis/w16.faro.dev/{version}/namespaces/{namespace}/lamps");
    let arguments = ["watch", "--gvr", "v1/configmaps,w16.faro.dev/v1/lamps,w16.faro.dev/v2/lamps", "-n", &namespace];
    let mut program = Program::start(cluster.kubeconfig(), &[&arguments[..], &["--emit", "object,sync,gap"]].concat());
    // What is not there stops nothing, and is told.
    program.wait_for_sync(&["v1/configmaps"]);
    let absent = "w16.faro.dev/v1/lamps: the server does not serve this collection";
    program.wait_for_stderr(absent);

    // Created after the start.
    define(api, &["v1"]);
    let first = create(api, &path("v1"), "lamp-1");
    let added = program.wait_for("the first Lamp", |record| record["name"] == "lamp-1");
    assert_eq!((&added["eventType"], &added["gvr"], &added["uid"]), (&json!("ADDED"), &json!("w16.faro.dev/v1/lamps"), &first));
    // Its watch runs now, it is not listed again and again.
    api.patch(&format!("{}/lamp-1", path("v1")), Patch::Merge, &json!({"spec": {"lit": true}})).unwrap();
    let updated = program.wait_for("a change", |record| record["eventType"] == "UPDATED" && record["name"] == "lamp-1");
    assert_eq!(updated["synthesized"], Value::Null);

    // Deleted, with what there was of it; created again under its name.
    api.delete(DEFINITION).unwrap();
    let deleted = program.wait_for("its deletion", |record| record["eventType"] == "DELETED" && record["name"] == "lamp-1");
    assert_eq!((&deleted["uid"], &deleted["labels"]), (&first, &json!({"app": "x"})));
    eventually("the definition is gone", || api.read(DEFINITION).err().filter(|error| error.status() == Some(404)));
    eventually("that is told", || (program.stderr().matches(absent).count() >= 2).then_some(()));
    define(api, &["v1"]);
    let second = create(api, &path("v1"), "lamp-1");
    let added = program.wait_for("the Lamp of the new definition", |record| record["name"] == "lamp-1");
    assert_eq!((&added["eventType"], &added["uid"]), (&json!("ADDED"), &second));

    // The version is switched: the object ends in the one and is in the other.
    define(api, &["v2"]);
    program.wait_for("its end in v1", |record| record["eventType"] == "DELETED" && record["gvr"] == "w16.faro.dev/v1/lamps");
    let is_v2 = |record: &Value| record["eventType"] == "ADDED" && record["gvr"] == "w16.faro.dev/v2/lamps";
    if !program.records.iter().any(is_v2) {
        program.wait_for("its beginning in v2", is_v2);
    }
    let moved = program.records.iter().find(|record| is_v2(record)).unwrap().clone();
    assert_eq!((&moved["uid"], &moved["name"]), (&second, &json!("lamp-1")));
    api.delete(&format!("{}/lamp-1", path("v2"))).unwrap();
    program.wait_for("its deletion in v2", |record| record["eventType"] == "DELETED" && record["gvr"] == "w16.faro.dev/v2/lamps");
    program.read_for(Duration::from_millis(200));
    assert!(program.stop().success());
    api.delete(DEFINITION).unwrap();

    // Exactly that, without a gap.
    let of = |kind: &str| (kind.to_owned(), "lamp-1".to_owned());
    assert_eq!(program.changes("w16.faro.dev/v1/lamps"), ["ADDED", "UPDATED", "DELETED", "ADDED", "DELETED"].map(of));
    assert_eq!(program.changes("w16.faro.dev/v2/lamps"), ["ADDED", "DELETED"].map(of));
    assert!(program.records.iter().all(|record| record["record"] != "gap"));
}

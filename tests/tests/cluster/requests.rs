//! The client that tests speak to the API server with.

use faro_tests::control_plane::{Api, ApiError, ControlPlane, Patch};
use serde_json::json;

#[test]
fn objects_are_created_patched_replaced_listed_and_deleted() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let (api, namespace) = (cluster.api(), cluster.namespace("requests"));
    let configmaps = format!("/api/v1/namespaces/{namespace}/configmaps");
    let one = format!("{configmaps}/one");
    let mut created = api.create(&configmaps, &json!({"metadata": {"name": "one"}, "data": {"a": "1"}})).expect("created");
    created["data"]["b"] = json!("2");
    let replaced = api.replace(&one, &created).expect("replaced");
    assert_eq!(replaced["data"], json!({"a": "1", "b": "2"}));
    let patched = api.patch(&one, Patch::Merge, &json!({"data": {"a": null}})).expect("patched");
    assert_eq!(patched["data"], json!({"b": "2"}));
    let applied = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"c": "3"}});
    let applied = api.patch(&one, Patch::Apply, &applied).expect("applied");
    assert_eq!(applied["data"], json!({"b": "2", "c": "3"}));

    let names = || {
        let list = api.list(&format!("{configmaps}?fieldSelector=metadata.name%3Done")).expect("list");
        list.iter().map(|it| it["metadata"]["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(), ["one"]);
    api.delete(&one).expect("deleted");
    assert!(names().is_empty());
}

#[test]
fn a_refusal_says_what_was_asked_and_why_it_was_refused() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let (api, namespace) = (cluster.api(), cluster.namespace("requests"));
    let configmaps = format!("/api/v1/namespaces/{namespace}/configmaps");
    api.create(&configmaps, &json!({"metadata": {"name": "one"}})).expect("created");
    let ApiError::Refused { request, status, reason, .. } =
        api.create(&configmaps, &json!({"metadata": {"name": "one"}})).expect_err("it exists")
    else {
        panic!("the server was asked")
    };
    assert_eq!((request, status, reason), (format!("POST {configmaps}"), 409, "AlreadyExists".to_owned()));
}

#[test]
fn requests_can_be_made_within_an_async_runtime() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let api = Api::from_kubeconfig(cluster.kubeconfig()).expect("a client");
        assert_eq!(api.text("/readyz").expect("ready"), "ok");
        // Also through the client below, though this runtime drives no I/O.
        let version = api.client().apiserver_version().await.expect("version");
        assert_eq!(version.git_version, faro_tests::control_plane::kubernetes_version());
    });
}

//! Service accounts can do what they were given, and nothing else.

use faro_tests::control_plane::{ControlPlane, eventually};
use serde_json::json;

#[test]
fn a_service_account_has_exactly_the_rights_it_was_given() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let (namespace, other) = (cluster.namespace("rights"), cluster.namespace("rights"));
    let account = cluster.account(&namespace, "reader").expect("account");
    let configmaps = |namespace: &str| account.api().list(&format!("/api/v1/namespaces/{namespace}/configmaps"));
    let refused = |namespace: &str| configmaps(namespace).err().and_then(|err| err.status());
    assert_eq!(refused(&namespace), Some(403));

    account.grant_in(&namespace, &json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}])).expect("granted");
    eventually("the right in one namespace is known", || configmaps(&namespace).ok());
    assert_eq!(refused(&other), Some(403));
    let secrets = account.api().list(&format!("/api/v1/namespaces/{namespace}/secrets"));
    assert_eq!(secrets.err().and_then(|err| err.status()), Some(403));

    account.grant(&json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}])).expect("granted");
    eventually("the right in the whole cluster is known", || configmaps(&other).ok());
    account.revoke().expect("revoked");
    eventually("the right is gone", || refused(&other).filter(|status| *status == 403));
}

#[test]
fn kubectl_knows_the_account_by_its_kubeconfig() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("rights");
    let account = cluster.account(&namespace, "somebody").expect("account");
    let output = cluster.kubectl().env("KUBECONFIG", account.kubeconfig()).args(["auth", "whoami", "-o", "json"]).output().expect("runs");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["status"]["userInfo"]["username"], format!("system:serviceaccount:{namespace}:somebody"));
}

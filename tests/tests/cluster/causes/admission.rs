//! Pods that the API server does not let in.

use super::case::{Case, Label};
use super::place::{Place, deployment};
use super::scheduling::nothing;
use faro_tests::control_plane::Patch;
use serde_json::json;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "service account missing",
        namespace: "ci",
        label: Label::new("admission", &["service-account-missing"], "Deployment", "runner"),
        late: None,
        before: nothing,
        happens: acts_as_nobody,
    },
    Case {
        name: "limits of the namespace",
        namespace: "research",
        label: Label::new("quota", &["limit-range"], "Deployment", "notebook"),
        late: None,
        before: containers_are_limited,
        happens: asks_for_more_than_the_limit,
    },
    Case {
        name: "pod security",
        namespace: "partners",
        label: Label::new("admission", &["pod-security-violation"], "Deployment", "sftp"),
        late: None,
        before: security_is_enforced,
        happens: asks_for_privileges,
    },
];

fn acts_as_nobody(place: &Place<'_>) {
    place.deploy("runner", 2, &json!({"serviceAccountName": "runner-sa"}));
}

fn containers_are_limited(place: &Place<'_>) {
    let limits = json!({"limits": [{"type": "Container", "max": {"memory": "2Gi"}, "default": {"memory": "512Mi"}}]});
    place.collection("limitranges").create(&json!({"metadata": {"name": "per-container"}, "spec": limits}));
    place.run("notebook", 1, &json!({}));
}

fn asks_for_more_than_the_limit(place: &Place<'_>) {
    let resources = json!({"limits": {"memory": "8Gi"}});
    place.change("notebook", &json!({"template": {"spec": {"containers": [{"name": "notebook", "resources": resources}]}}}));
}

fn security_is_enforced(place: &Place<'_>) {
    let labels = json!({"pod-security.kubernetes.io/enforce": "baseline"});
    let path = format!("/api/v1/namespaces/{}", place.namespace);
    place.api().patch(&path, Patch::Merge, &json!({"metadata": {"labels": labels}})).unwrap();
}

fn asks_for_privileges(place: &Place<'_>) {
    let pod = json!({"container": {"securityContext": {"privileged": true}}});
    place.deployments().create(&deployment("sftp", 1, &pod));
}

//! The nodes, and what kwok makes of them and of the pods on them, in place of kubelets.
//!
//! `stages.yaml` says what happens; these annotations of a pod change it:
//!
//! | annotation | what it does |
//! |---|---|
//! | `simulated.faro.dev/start: never` | the pod stays Pending |
//! | `simulated.faro.dev/exit-code: "1"` | the containers end with this code; 0 for pods of Jobs that say nothing |
//! | `simulated.faro.dev/runs-for: 2s` | how long they run before; 200 ms when not said |
//!
//! A node without the label `simulated.faro.dev/kubelet: kwok` is nobody's: its lease is not renewed, and the controllers
//! take it for lost ([`super::ControlPlane::abandon_node`]).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Api, ApiError, Patch, StartError, certificates};

const STAGES: &str = include_str!("stages.yaml");
/// Selects the nodes that kwok runs.
pub(super) const MANAGED: &str = "simulated.faro.dev/kubelet=kwok";

/// Writes the stages where kwok reads them.
pub(super) fn write(directory: &Path) -> Result<PathBuf, StartError> {
    let path = directory.join("stages.yaml");
    certificates::write(&path, STAGES)?;
    Ok(path)
}

/// Creates a node for kwok to run, with further labels.
pub(super) fn create_node(api: &Api, name: &str, labels: &Value) -> Result<(), ApiError> {
    let mut node = json!({
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "simulated.faro.dev/kubelet": "kwok",
            },
        },
    });
    for (label, value) in labels.as_object().into_iter().flatten() {
        node["metadata"]["labels"][label] = value.clone();
    }
    api.create("/api/v1/nodes", &node).map(drop)
}

/// Takes a node away from kwok.
pub(super) fn abandon_node(api: &Api, name: &str) -> Result<(), ApiError> {
    let change = json!({"metadata": {"labels": {"simulated.faro.dev/kubelet": null}}});
    api.patch(&format!("/api/v1/nodes/{name}"), Patch::Merge, &change).map(drop)
}

/// Tells whether pods can be scheduled on a node: the kubelet says Ready and the controllers have believed it.
pub(super) fn is_schedulable(node: &Value) -> bool {
    let conditions = node["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ready = conditions.iter().any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
    ready && node["spec"]["taints"].is_null()
}

//! Nodes and their conditions.

use super::{Condition, labels, part};
use crate::input::{RawObject, Text};
use crate::topology::{Detail, Fact, Reading};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec<'a> {
    #[serde(borrow)]
    taints: Option<Vec<Taint<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Taint<'a> {
    #[serde(borrow)]
    key: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status<'a> {
    #[serde(borrow)]
    conditions: Option<Vec<Condition<'a>>>,
}

/// How installers mark the nodes of the control plane, newest first.
const CONTROL_PLANE: [&str; 3] =
    ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/controlplane", "node-role.kubernetes.io/master"];

pub(super) fn read(object: &RawObject<'_>, reading: &mut Reading) {
    let status: Status<'_> = part(object.0.status);
    let own = &object.metadata().labels;
    reading.labels = labels(own.0.iter().map(|(key, value)| (&**key, &**value)));
    let role = own.get("kubernetes.io/role").is_some_and(|role| matches!(role, "master" | "control-plane"));
    let spec: Spec<'_> = part(object.0.spec);
    let tainted = spec.taints.iter().flatten().any(|taint| CONTROL_PLANE.contains(&&*taint.key));
    reading.detail = Detail::Node { control_plane: role || tainted || CONTROL_PLANE.iter().any(|label| own.get(label).is_some()) };
    let created = object.metadata().creation_timestamp.0;
    for condition in status.conditions.iter().flatten() {
        let bad = match (&*condition.type_, &*condition.status) {
            ("Ready", "True") | (_, "False") => None,
            ("Ready", "Unknown") => Some("node-unreachable"),
            ("MemoryPressure", "True") => Some("node-pressure/memory"),
            ("DiskPressure", "True") => Some("node-pressure/disk"),
            ("PIDPressure", "True") => Some("node-pressure/pids"),
            ("NetworkUnavailable", "True") => Some("node-network-unavailable"),
            // Conditions of the node problem detector: true is bad.
            (
                "KernelDeadlock" | "ReadonlyFilesystem" | "CorruptDockerOverlay2" | "FrequentKubeletRestart" | "FrequentContainerdRestart",
                "True",
            ) => Some("node-problem"),
            _ => None,
        };
        let bad = if &*condition.type_ == "Ready" && &*condition.status == "False" { Some("node-not-ready") } else { bad };
        if let Some(name) = bad {
            reading.facts.push(Fact::new(name, condition.says(), condition.since(created)));
        }
    }
}

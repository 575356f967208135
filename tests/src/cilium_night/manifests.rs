//! The objects' JSON, trimmed to what a reader of the recording looks at.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::api::seconds;
use super::inventory::{Controller, Workload};

/// The state of a pod's only container.
#[derive(Clone, Debug)]
pub(super) enum Container {
    Waiting { reason: &'static str, message: String },
    Running { since: DateTime<Utc> },
    Exited { run: Run },
}

/// One finished run of a container.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) exit_code: u8,
    pub(super) reason: &'static str,
    /// The end of its log, where the pod asks for it (`FallbackToLogsOnError`).
    pub(super) message: &'static str,
    pub(super) since: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
}

/// A pod as the story knows it.
#[derive(Clone, Debug)]
pub(super) struct Pod {
    pub(super) workload: &'static Workload,
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) node: &'static str,
    pub(super) image: String,
    /// The number of pods that its workload had by then, this one included.
    pub(super) ordinal: u64,
    /// The index of its ReplicaSet in the fleet.
    pub(super) set: usize,
    pub(super) ip: Option<String>,
    pub(super) container: Container,
    pub(super) last: Option<Run>,
    pub(super) restarts: u32,
    pub(super) scheduled: DateTime<Utc>,
    pub(super) ready: bool,
    pub(super) ready_changed: DateTime<Utc>,
    pub(super) deleting: bool,
}

/// The template that a workload and its ReplicaSets share.
pub(super) fn template(workload: &Workload, image: &str) -> Value {
    let mut spec = json!({
        "containers": [container(workload, image)],
        "restartPolicy": if workload.controller == Controller::CronJob { "Never" } else { "Always" },
        "serviceAccountName": workload.name,
    });
    if workload.configured {
        spec["volumes"] = json!([{"name": "config", "configMap": {"name": workload.name}}]);
    }
    if workload.host_network {
        spec["hostNetwork"] = json!(true);
        spec["priorityClassName"] = json!("system-node-critical");
    }
    if workload.name == "cilium" {
        spec["volumes"] = json!([{"name": "cilium-config-path", "configMap": {"name": "cilium-config"}}]);
    }
    json!({"metadata": {"labels": labels(workload)}, "spec": spec})
}

fn container(workload: &Workload, image: &str) -> Value {
    let mut container = json!({
        "name": workload.container,
        "image": image,
        "resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
        "imagePullPolicy": "IfNotPresent",
    });
    if workload.port > 0 {
        container["ports"] = json!([{"containerPort": workload.port, "protocol": "TCP"}]);
        container["readinessProbe"] =
            json!({"httpGet": {"path": "/ready", "port": workload.port}, "periodSeconds": 10, "failureThreshold": 3});
    }
    if workload.name == "cilium" {
        container["startupProbe"] = json!({
            "httpGet": {"host": "127.0.0.1", "path": "/healthz", "port": 9879},
            "periodSeconds": 2,
            "failureThreshold": 105,
        });
        container["terminationMessagePolicy"] = json!("FallbackToLogsOnError");
    }
    if workload.name == "transcoder" {
        container["resources"]["limits"]["nvidia.com/gpu"] = json!("1");
    }
    if workload.configured {
        container["volumeMounts"] = json!([{"name": "config", "mountPath": "/etc/app", "readOnly": true}]);
    }
    container
}

/// The spec of a Deployment, StatefulSet or DaemonSet.
pub(super) fn workload_spec(workload: &Workload, image: &str, replicas: usize) -> Value {
    let selector = json!({"matchLabels": {"app.kubernetes.io/name": workload.name}});
    let template = template(workload, image);
    match workload.controller {
        Controller::Deployment => json!({
            "replicas": replicas,
            "selector": selector,
            "template": template,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
        }),
        Controller::StatefulSet => json!({
            "replicas": replicas,
            "selector": selector,
            "template": template,
            "serviceName": workload.name,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        }),
        Controller::DaemonSet => json!({
            "selector": selector,
            "template": template,
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "50%", "maxSurge": 0}},
            "revisionHistoryLimit": 10,
        }),
        Controller::CronJob => json!({
            "schedule": "*/10 * * * *",
            "concurrencyPolicy": "Allow",
            "suspend": false,
            "jobTemplate": {"spec": job_spec(template)},
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 1,
        }),
        Controller::Node => json!({}),
    }
}

/// The spec of a Job.
pub(super) fn job_spec(template: Value) -> Value {
    json!({"parallelism": 1, "completions": 1, "backoffLimit": 2, "activeDeadlineSeconds": 570, "template": template})
}

/// The spec of a new pod.
pub(super) fn pod_spec(workload: &Workload, image: &str) -> Value {
    template(workload, image)["spec"].take()
}

impl Pod {
    /// The pod's phase.
    pub(super) fn phase(&self) -> &'static str {
        match &self.container {
            Container::Exited { run } if self.workload.controller == Controller::CronJob => {
                if run.exit_code == 0 {
                    "Succeeded"
                } else {
                    "Failed"
                }
            }
            Container::Waiting { .. } if self.restarts == 0 && self.last.is_none() => "Pending",
            Container::Waiting { .. } | Container::Running { .. } | Container::Exited { .. } => "Running",
        }
    }

    /// The status that its kubelet writes.
    pub(super) fn status(&self) -> Value {
        let has_sandbox = self.ip.is_some();
        let condition = |kind: &str, holds: bool, since: DateTime<Utc>| {
            let mut condition = json!({"type": kind, "status": if holds { "True" } else { "False" }});
            condition["lastTransitionTime"] = json!(seconds(since));
            if !holds && kind == "Ready" {
                condition["reason"] = json!("ContainersNotReady");
                condition["message"] = json!(format!("containers with unready status: [{}]", self.workload.container));
            }
            condition
        };
        let mut status = json!({
            "phase": self.phase(),
            "conditions": [
                condition("PodReadyToStartContainers", has_sandbox, self.scheduled),
                condition("Ready", self.ready, self.ready_changed),
                condition("ContainersReady", self.ready, self.ready_changed),
                condition("PodScheduled", true, self.scheduled),
            ],
            "hostIP": node_address(self.node),
            "startTime": seconds(self.scheduled),
            "containerStatuses": [{
                "name": self.workload.container,
                "state": self.container.state(),
                "lastState": self.last.as_ref().map_or_else(|| json!({}), Run::state),
                "ready": self.ready,
                "restartCount": self.restarts,
                "image": self.image,
                "started": matches!(self.container, Container::Running { .. }),
            }],
            "qosClass": "Burstable",
        });
        if let Some(ip) = &self.ip {
            status["podIP"] = json!(ip);
        }
        status
    }
}

impl Container {
    fn state(&self) -> Value {
        match self {
            Self::Waiting { reason, message } if message.is_empty() => json!({"waiting": {"reason": reason}}),
            Self::Waiting { reason, message } => json!({"waiting": {"reason": reason, "message": message}}),
            Self::Running { since } => json!({"running": {"startedAt": seconds(*since)}}),
            Self::Exited { run } => run.state(),
        }
    }
}

impl Run {
    fn state(&self) -> Value {
        let mut terminated = json!({
            "exitCode": self.exit_code,
            "reason": self.reason,
            "startedAt": seconds(self.since),
            "finishedAt": seconds(self.until),
        });
        if !self.message.is_empty() {
            terminated["message"] = json!(self.message);
        }
        json!({"terminated": terminated})
    }
}

/// The labels of a workload's pods.
pub(super) fn labels(workload: &Workload) -> Value {
    let mut labels = json!({"app.kubernetes.io/name": workload.name});
    if workload.namespace == "kube-system" {
        labels["k8s-app"] = json!(workload.name);
    }
    labels
}

/// The address of a node.
pub(super) fn node_address(node: &str) -> String {
    let index = super::inventory::NODES.iter().position(|known| *known == node).unwrap_or(0);
    format!("10.20.0.{}", 10 + index)
}

/// The status of a node, with the heartbeat that its kubelet writes every five minutes.
pub(super) fn node_status(node: &str, heartbeat: DateTime<Utc>, pressure_since: Option<DateTime<Utc>>) -> Value {
    let old = "2025-06-03T07:12:44Z";
    let condition = |kind: &str, holds: bool, reason: &str, message: &str, since: &str| {
        json!({
            "type": kind,
            "status": if holds { "True" } else { "False" },
            "lastHeartbeatTime": seconds(heartbeat),
            "lastTransitionTime": since,
            "reason": reason,
            "message": message,
        })
    };
    let disk = match pressure_since {
        Some(since) => condition("DiskPressure", true, "KubeletHasDiskPressure", "kubelet has disk pressure", &seconds(since)),
        None => condition("DiskPressure", false, "KubeletHasNoDiskPressure", "kubelet has no disk pressure", old),
    };
    json!({
        "capacity": {"cpu": "16", "ephemeral-storage": "203056560Ki", "memory": "65842128Ki", "pods": "110"},
        "allocatable": {"cpu": "15500m", "ephemeral-storage": "187136925Ki", "memory": "63580112Ki", "pods": "110"},
        "conditions": [
            {
                "type": "NetworkUnavailable",
                "status": "False",
                "lastHeartbeatTime": old,
                "lastTransitionTime": old,
                "reason": "CiliumIsUp",
                "message": "Cilium is running on this node",
            },
            condition("MemoryPressure", false, "KubeletHasSufficientMemory", "kubelet has sufficient memory available", old),
            disk,
            condition("PIDPressure", false, "KubeletHasSufficientPID", "kubelet has sufficient PID available", old),
            condition("Ready", true, "KubeletReady", "kubelet is posting ready status", old),
        ],
        "addresses": [{"type": "InternalIP", "address": node_address(node)}],
        "nodeInfo": {
            "kernelVersion": "6.8.0-71-generic",
            "osImage": "Ubuntu 24.04.3 LTS",
            "containerRuntimeVersion": "containerd://2.1.4",
            "kubeletVersion": "v1.33.4",
        },
    })
}

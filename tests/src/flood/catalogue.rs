//! What the flood is made of.

/// The component that reports.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    Kubelet,
    Scheduler,
    Controller(&'static str),
}

impl Origin {
    /// Returns apiVersion, fields and manager of the managedFields entry.
    pub(super) fn managed(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Kubelet => ("v1", KUBELET_FIELDS, "kubelet"),
            Self::Scheduler => ("events.k8s.io/v1", SCHEDULER_FIELDS, "kube-scheduler"),
            Self::Controller(_) => ("v1", CONTROLLER_FIELDS, "kube-controller-manager"),
        }
    }
}

const KUBELET_FIELDS: &str = r#""f:count":{},"f:firstTimestamp":{},"f:involvedObject":{},"f:lastTimestamp":{},"f:message":{},"f:reason":{},"f:reportingComponent":{},"f:source":{"f:component":{},"f:host":{}},"f:type":{}"#;
const CONTROLLER_FIELDS: &str = r#""f:count":{},"f:firstTimestamp":{},"f:involvedObject":{},"f:lastTimestamp":{},"f:message":{},"f:reason":{},"f:reportingComponent":{},"f:source":{"f:component":{}},"f:type":{}"#;
const SCHEDULER_FIELDS: &str = r#""f:action":{},"f:eventTime":{},"f:note":{},"f:reason":{},"f:regarding":{},"f:reportingController":{},"f:reportingInstance":{},"f:type":{}"#;

/// One kind of Event about a pod; `message` is escaped for JSON.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) origin: Origin,
    pub(super) event_type: &'static str,
    pub(super) reason: &'static str,
    pub(super) message: &'static str,
    /// Whether it is about the container: `fieldPath`.
    pub(super) container: bool,
}

const fn kubelet(event_type: &'static str, reason: &'static str, container: bool, message: &'static str) -> Template {
    Template { origin: Origin::Kubelet, event_type, reason, message, container }
}

/// The kinds of Events. Any three in a row have different reasons, so they never share a group.
pub(super) const TEMPLATES: [Template; 16] = [
    kubelet("Warning", "FailedCreatePodSandBox", false, SANDBOX),
    kubelet("Warning", "BackOff", true, "Back-off restarting failed container %w in pod %p_%n(%u)"),
    kubelet("Warning", "Unhealthy", true, READINESS),
    kubelet("Normal", "Pulled", true, PULLED),
    kubelet("Warning", "FailedMount", false, MOUNT),
    Template {
        origin: Origin::Scheduler,
        event_type: "Normal",
        reason: "Scheduled",
        message: "Successfully assigned %n/%p to %h",
        container: false,
    },
    kubelet("Normal", "Pulling", true, "Pulling image \\\"registry.example.net/%n/%w:4.2.1\\\""),
    kubelet("Warning", "Failed", true, NOT_FOUND),
    kubelet("Normal", "Killing", true, "Container %w failed liveness probe, will be restarted"),
    kubelet("Warning", "Unhealthy", true, LIVENESS),
    kubelet("Warning", "FailedCreatePodSandBox", false, SANDBOX),
    kubelet("Normal", "Created", true, "Created container: %w"),
    kubelet("Normal", "BackOff", true, "Back-off pulling image \\\"registry.example.net/%n/%w:4.2.1\\\""),
    Template {
        origin: Origin::Controller("taint-eviction-controller"),
        event_type: "Normal",
        reason: "TaintManagerEviction",
        message: "Marking for deletion Pod %n/%p",
        container: false,
    },
    kubelet("Normal", "Started", true, "Started container %w"),
    kubelet("Warning", "FailedPreStopHook", true, "PreStopHook failed"),
];

const SANDBOX: &str = "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox \
    \\\"%s\\\": plugin type=\\\"cilium-cni\\\" name=\\\"cilium\\\" failed (add): unable to connect to Cilium agent: failed to \
    create cilium agent client after 30.000000 seconds timeout: Get \\\"http://localhost/v1/config\\\": dial unix \
    /var/run/cilium/cilium.sock: connect: no such file or directory\\nIs the agent running?";
const READINESS: &str = "Readiness probe failed: Get \\\"http://%i:8080/ready\\\": context deadline exceeded (Client.Timeout \
    exceeded while awaiting headers)";
const LIVENESS: &str = "Liveness probe failed: Get \\\"http://%i:8080/live\\\": dial tcp %i:8080: connect: connection refused";
const PULLED: &str = "Successfully pulled image \\\"registry.example.net/%n/%w:4.2.1\\\" in %d (%d including waiting). Image \
    size: 84201733 bytes.";
const MOUNT: &str = "MountVolume.SetUp failed for volume \\\"config\\\" : configmap \\\"%w-settings\\\" not found";
const NOT_FOUND: &str = "Failed to pull image \\\"registry.example.net/%n/%w:4.2.1\\\": rpc error: code = NotFound desc = \
    failed to pull and unpack image \\\"registry.example.net/%n/%w:4.2.1\\\": not found";

/// Namespaces, all made up.
pub(super) const NAMESPACES: [&str; 24] = [
    "accounts",
    "staging",
    "billing",
    "billing-eu",
    "catalog",
    "checkout",
    "pipelines",
    "edge",
    "fulfilment",
    "returns",
    "identity",
    "inventory",
    "loyalty",
    "models",
    "media",
    "messaging",
    "notifications",
    "observability",
    "partners",
    "payments",
    "pricing",
    "related",
    "search",
    "warehouse",
];

/// Workloads, all made up.
pub(super) const WORKLOADS: [&str; 20] = [
    "api",
    "aggregator",
    "importer",
    "cache",
    "consumer",
    "scheduler",
    "relay",
    "exporter",
    "frontend",
    "gateway",
    "resizer",
    "indexer",
    "renderer",
    "notifier",
    "orders-api",
    "profiles",
    "reconciler",
    "sessions",
    "tariffs",
    "webhooks",
];

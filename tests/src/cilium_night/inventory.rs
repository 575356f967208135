//! What runs in the cluster: nodes, namespaces and workloads. All names are made up.

/// The nodes, the control plane first.
pub(super) const NODES: [&str; 6] = ["cp-1", "worker-1", "worker-2", "worker-3", "worker-4", "worker-5"];

/// The nodes on which the changed Cilium agent does not come up.
pub(super) const CUT_OFF: [&str; 3] = ["worker-2", "worker-3", "worker-5"];

/// The workers on which everything keeps working.
pub(super) const SOUND: [&str; 2] = ["worker-1", "worker-4"];

/// The namespaces.
pub(super) const NAMESPACES: [&str; 13] = [
    "data",
    "default",
    "edge",
    "identity",
    "kube-node-lease",
    "kube-public",
    "kube-system",
    "media",
    "monitoring",
    "notifications",
    "ops",
    "payments",
    "shop",
];

/// The namespace whose Events come through events.k8s.io/v1, as in a recording with two Event watches.
pub(super) const NEW_EVENTS_NAMESPACE: &str = "media";

/// The controller that runs a workload's pods.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Controller {
    Deployment,
    StatefulSet,
    DaemonSet,
    CronJob,
    /// Static pods, run by the kubelet from a file.
    Node,
}

/// One workload.
#[derive(Debug)]
pub(super) struct Workload {
    pub(super) controller: Controller,
    pub(super) namespace: &'static str,
    pub(super) name: &'static str,
    pub(super) container: &'static str,
    pub(super) image: &'static str,
    /// Port of the readiness probe and of the Service; 0 when there is none.
    pub(super) port: u16,
    pub(super) host_network: bool,
    /// Whether a ConfigMap of the same name is mounted.
    pub(super) configured: bool,
    /// Where its pods run when the recording starts.
    pub(super) nodes: &'static [&'static str],
}

impl Workload {
    /// The name by which the story refers to it: `shop/web`.
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

/// The base of one row of the table below.
const fn workload(
    controller: Controller,
    namespace: &'static str,
    name: &'static str,
    container: &'static str,
    image: &'static str,
    port: u16,
    nodes: &'static [&'static str],
) -> Workload {
    Workload { controller, namespace, name, container, image, port, host_network: false, configured: false, nodes }
}

const fn configured(workload: Workload) -> Workload {
    Workload { configured: true, ..workload }
}

const fn on_host_network(workload: Workload) -> Workload {
    Workload { host_network: true, ..workload }
}

use Controller::{CronJob, DaemonSet, Deployment, Node, StatefulSet};

/// The workloads.
pub(super) static WORKLOADS: [Workload; 30] = [
    on_host_network(workload(Node, "kube-system", "etcd", "etcd", "registry.k8s.io/etcd:3.5.21-0", 0, &["cp-1"])),
    on_host_network(workload(
        Node,
        "kube-system",
        "kube-apiserver",
        "kube-apiserver",
        "registry.k8s.io/kube-apiserver:v1.33.4",
        0,
        &["cp-1"],
    )),
    on_host_network(workload(
        Node,
        "kube-system",
        "kube-controller-manager",
        "kube-controller-manager",
        "registry.k8s.io/kube-controller-manager:v1.33.4",
        0,
        &["cp-1"],
    )),
    on_host_network(workload(
        Node,
        "kube-system",
        "kube-scheduler",
        "kube-scheduler",
        "registry.k8s.io/kube-scheduler:v1.33.4",
        0,
        &["cp-1"],
    )),
    on_host_network(workload(DaemonSet, "kube-system", "cilium", "cilium-agent", "quay.io/cilium/cilium:v1.17.6", 0, &NODES)),
    on_host_network(workload(
        Deployment,
        "kube-system",
        "cilium-operator",
        "cilium-operator",
        "quay.io/cilium/operator-generic:v1.17.6",
        0,
        &["worker-1", "worker-4"],
    )),
    configured(workload(
        Deployment,
        "kube-system",
        "coredns",
        "coredns",
        "registry.k8s.io/coredns/coredns:v1.12.0",
        8181,
        &["cp-1", "worker-1"],
    )),
    workload(
        Deployment,
        "kube-system",
        "metrics-server",
        "metrics-server",
        "registry.k8s.io/metrics-server/metrics-server:v0.7.2",
        10250,
        &["worker-4"],
    ),
    configured(workload(DaemonSet, "monitoring", "log-agent", "agent", "registry.example.net/platform/log-agent:3.8.1", 0, &NODES)),
    configured(workload(
        StatefulSet,
        "monitoring",
        "prometheus",
        "prometheus",
        "registry.example.net/platform/prometheus:v3.5.0",
        9090,
        &["worker-4"],
    )),
    workload(Deployment, "monitoring", "dashboards", "dashboards", "registry.example.net/platform/dashboards:12.1.0", 3000, &["worker-1"]),
    configured(workload(
        Deployment,
        "monitoring",
        "alert-router",
        "router",
        "registry.example.net/platform/alert-router:0.28.1",
        9093,
        &["worker-1"],
    )),
    configured(workload(
        Deployment,
        "shop",
        "web",
        "web",
        "registry.example.net/shop/web:2025.36.4",
        8080,
        &["worker-1", "worker-2", "worker-4", "worker-5"],
    )),
    configured(workload(
        Deployment,
        "shop",
        "cart",
        "cart",
        "registry.example.net/shop/cart:4.11.0",
        8080,
        &["worker-1", "worker-2", "worker-3", "worker-4"],
    )),
    workload(
        Deployment,
        "shop",
        "catalog",
        "catalog",
        "registry.example.net/shop/catalog:7.2.3",
        8080,
        &["worker-2", "worker-3", "worker-4", "worker-5"],
    ),
    configured(workload(
        Deployment,
        "shop",
        "checkout",
        "checkout",
        "registry.example.net/shop/checkout:1.90.2",
        8443,
        &["worker-1", "worker-3", "worker-5"],
    )),
    workload(
        Deployment,
        "shop",
        "recommender",
        "recommender",
        "registry.example.net/shop/recommender:0.44.0",
        9000,
        &["worker-2", "worker-4"],
    ),
    configured(workload(
        Deployment,
        "payments",
        "ledger",
        "ledger",
        "registry.example.net/payments/ledger:5.0.7",
        8443,
        &["worker-1", "worker-2", "worker-3", "worker-4"],
    )),
    configured(workload(
        Deployment,
        "payments",
        "fraud-check",
        "scorer",
        "registry.example.net/payments/fraud-check:2.3.1",
        8080,
        &["worker-1", "worker-4"],
    )),
    workload(
        Deployment,
        "identity",
        "session-api",
        "session-api",
        "registry.example.net/identity/session-api:3.17.2",
        8080,
        &["worker-1", "worker-3", "worker-4", "worker-5"],
    ),
    configured(workload(
        Deployment,
        "identity",
        "directory-sync",
        "sync",
        "registry.example.net/identity/directory-sync:1.6.0",
        0,
        &["worker-1"],
    )),
    workload(
        StatefulSet,
        "data",
        "search",
        "search",
        "registry.example.net/data/search:8.19.3",
        9200,
        &["worker-1", "worker-4", "worker-5"],
    ),
    configured(workload(
        StatefulSet,
        "data",
        "postgres",
        "postgres",
        "registry.example.net/data/postgres:17.6",
        5432,
        &["worker-2", "worker-4"],
    )),
    configured(workload(
        Deployment,
        "edge",
        "gateway",
        "gateway",
        "registry.example.net/edge/gateway:1.35.0",
        8443,
        &["worker-1", "worker-2", "worker-4", "worker-5"],
    )),
    workload(
        Deployment,
        "edge",
        "rate-limiter",
        "rate-limiter",
        "registry.example.net/edge/rate-limiter:0.9.8",
        8081,
        &["worker-2", "worker-3"],
    ),
    workload(
        Deployment,
        "notifications",
        "mailer",
        "mailer",
        "registry.example.net/notifications/mailer:6.1.0",
        8080,
        &["worker-1", "worker-3", "worker-4"],
    ),
    workload(Deployment, "ops", "report-ui", "report-ui", "registry.example.net/ops/report-ui:2.4.0", 8080, &["worker-4"]),
    configured(workload(CronJob, "ops", "inventory-sync", "sync", "registry.example.net/ops/inventory-sync:0.31.5", 0, &[])),
    workload(
        Deployment,
        "media",
        "thumbnailer",
        "thumbnailer",
        "registry.example.net/media/thumbnailer:2.2.9",
        8080,
        &["worker-2", "worker-5"],
    ),
    workload(Deployment, "media", "transcoder", "transcoder", "registry.example.net/media/transcoder:4.0.1", 0, &["worker-3"]),
];

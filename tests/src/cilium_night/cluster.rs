//! The cluster before the night: what the first lists of the recording show as running for weeks.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::api::{Manager, Part, Resource, seconds};
use super::controllers::{owner, workload_object};
use super::inventory::{Controller, NAMESPACES, NODES, WORKLOADS, Workload};
use super::manifests::{Container, node_status};
use super::night::Night;

const HELM: Manager = Manager("helm", Part::Whole);
const KUBELET_STATUS: Manager = Manager("kubelet", Part::Status);

/// The workloads with an autoscaler, each with its bounds.
const AUTOSCALED: [(&str, u8, u8); 2] = [("shop/web", 4, 10), ("notifications/mailer", 3, 6)];

/// Builds everything that is there when the story begins.
pub(super) fn build(night: &mut Night) {
    for node in NODES {
        add_node(night, node);
    }
    for namespace in NAMESPACES {
        let metadata = json!({"name": namespace, "labels": {"kubernetes.io/metadata.name": namespace}});
        let body = json!({"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}});
        night.api.create(Resource::Namespaces, Manager("kubectl-create", Part::Whole), metadata, body, night.now);
    }
    let metadata = json!({"name": "cilium-config", "namespace": "kube-system"});
    let data = json!({
        "cluster-name": "default",
        "enable-ipv4": "true",
        "ipam": "cluster-pool",
        "kube-proxy-replacement": "true",
        "routing-mode": "tunnel",
        "set-cilium-node-taints": "false",
        "tunnel-protocol": "vxlan",
    });
    night.api.create(Resource::ConfigMaps, HELM, metadata, json!({"data": data}), night.now);
    for workload in &WORKLOADS {
        night.now += TimeDelta::minutes(night.dice.between(1_200, 4_000));
        add_workload(night, workload);
    }
}

fn add_node(night: &mut Night, node: &str) {
    let mut labels = json!({"kubernetes.io/arch": "amd64", "kubernetes.io/hostname": node, "kubernetes.io/os": "linux"});
    let index = NODES.iter().position(|known| *known == node).unwrap_or(0);
    let mut spec = json!({"podCIDR": format!("10.244.{index}.0/24")});
    if node == "cp-1" {
        labels["node-role.kubernetes.io/control-plane"] = json!("");
        spec["taints"] = json!([{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]);
    }
    let body = json!({"spec": spec, "status": node_status(node, night.now, None)});
    let metadata = json!({"name": node, "labels": labels});
    night.api.create(Resource::Nodes, Manager("kubeadm", Part::Whole), metadata, body, night.now);
    let status = node_status(node, night.now + TimeDelta::seconds(9), None);
    night.api.update(Resource::Nodes, KUBELET_STATUS, "", node, night.now, |object| object["status"] = status);
}

fn add_workload(night: &mut Night, workload: &'static Workload) {
    let (namespace, name, now) = (workload.namespace, workload.name, night.now);
    let meta = || json!({"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/name": name}});
    if workload.configured {
        let data = json!({"app.yaml": format!("name: {name}\nlogLevel: info\n")});
        night.api.create(Resource::ConfigMaps, HELM, meta(), json!({"data": data}), now);
    }
    if workload.port > 0 {
        add_service(night, workload);
    }
    let uid = match workload.controller {
        Controller::Node => {
            night.fleets.insert(workload.key(), static_fleet(night, workload));
            night.api.text(Resource::Nodes, "", workload.nodes[0], "/metadata/uid")
        }
        Controller::Deployment | Controller::StatefulSet | Controller::DaemonSet | Controller::CronJob => workload_object(night, workload),
    };
    if workload.controller == Controller::Deployment {
        night.add_set(&workload.key(), workload.image, workload.nodes.len());
    }
    for (ordinal, node) in workload.nodes.iter().enumerate() {
        add_pod(night, workload, ordinal, node, &uid);
    }
    if let Some((_, low, high)) = AUTOSCALED.iter().find(|(key, _, _)| *key == workload.key()) {
        let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": name});
        let spec = json!({"scaleTargetRef": target, "minReplicas": low, "maxReplicas": high});
        let replicas = workload.nodes.len();
        let status = json!({"currentReplicas": replicas, "desiredReplicas": replicas});
        night.api.create(Resource::Autoscalers, HELM, meta(), json!({"spec": spec, "status": status}), now);
    }
    if workload.controller != Controller::Node {
        night.publish(&workload.key());
    }
}

/// Static pods have a node for an owner, and nobody who would replace them.
fn static_fleet(night: &Night, workload: &'static Workload) -> super::night::Fleet {
    super::night::Fleet {
        workload,
        uid: String::new(),
        image: workload.image.to_owned(),
        desired: workload.nodes.len(),
        sets: Vec::new(),
        current: 0,
        placement: std::collections::VecDeque::new(),
        dice: super::dice::Dice::for_label(night.seed, &workload.key()),
        pods_made: 0,
        stalled: false,
    }
}

fn add_service(night: &mut Night, workload: &Workload) {
    let (namespace, name, now) = (workload.namespace, workload.name, night.now);
    let metadata = json!({"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/name": name}});
    let address = format!("10.96.{}.{}", night.dice.between(1, 250), night.dice.between(1, 250));
    let ports = json!([{"name": "main", "port": 80, "protocol": "TCP", "targetPort": workload.port}]);
    let spec = json!({
        "clusterIP": address,
        "ports": ports,
        "selector": {"app.kubernetes.io/name": name},
        "type": "ClusterIP",
    });
    let uid = night.api.create(Resource::Services, HELM, metadata, json!({"spec": spec}), now);
    let metadata = json!({
        "name": name,
        "namespace": namespace,
        "labels": {"kubernetes.io/service-name": name},
        "ownerReferences": owner(Resource::Services, name, &uid),
    });
    let ports = json!([{"name": "main", "port": workload.port, "protocol": "TCP"}]);
    let body = json!({"addressType": "IPv4", "endpoints": [], "ports": ports});
    night.api.create(Resource::EndpointSlices, Manager("kube-controller-manager", Part::Whole), metadata, body, now);
}

fn add_pod(night: &mut Night, workload: &'static Workload, ordinal: usize, node: &'static str, uid: &str) {
    let (namespace, now) = (workload.namespace, night.now);
    let suffix = night.dice.suffix(5);
    let set = night.fleets[&workload.key()].sets.first().cloned();
    let (name, owners): (String, Value) = match workload.controller {
        Controller::Node => (format!("{}-{node}", workload.name), owner(Resource::Nodes, node, uid)),
        Controller::StatefulSet => (format!("{}-{ordinal}", workload.name), owner(Resource::StatefulSets, workload.name, uid)),
        Controller::DaemonSet | Controller::CronJob => {
            (format!("{}-{suffix}", workload.name), owner(Resource::DaemonSets, workload.name, uid))
        }
        Controller::Deployment => {
            let (name, uid) = set.as_ref().map_or((workload.name, uid), |set| (set.name.as_str(), set.uid.as_str()));
            (format!("{name}-{suffix}"), owner(Resource::ReplicaSets, name, uid))
        }
    };
    let hash = set.map(|set| set.hash).unwrap_or_default();
    let id = night.make_pod(&workload.key(), &name, (owners, &hash), (0, workload.image), node);
    night.api.update(Resource::Pods, Manager("kube-scheduler", Part::Binding), namespace, &name, now, |object| {
        object["spec"]["nodeName"] = json!(node);
    });
    let ip = if workload.host_network { super::manifests::node_address(node) } else { night.pod_ip(node) };
    night.change_pod(&id, |pod, now| {
        pod.ip = Some(ip);
        pod.container = Container::Running { since: now };
        pod.ready = true;
    });
    if workload.namespace == "data" {
        let claim = format!("data-{name}");
        let metadata = json!({"name": claim, "namespace": namespace, "labels": {"app.kubernetes.io/name": workload.name}});
        let size = json!({"storage": "100Gi"});
        let spec = json!({
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": size},
            "storageClassName": "fast",
            "volumeName": format!("pvc-{}", night.dice.uuid()),
        });
        let status = json!({"phase": "Bound", "capacity": size, "accessModes": ["ReadWriteOnce"]});
        let manager = Manager("kube-controller-manager", Part::Whole);
        let body = json!({"spec": spec, "status": status});
        night.api.create(Resource::PersistentVolumeClaims, manager, metadata, body, now);
    }
}

/// Writes the heartbeat of a node, with disk pressure since when there is some.
pub(super) fn heartbeat(night: &mut Night, node: &str, pressure_since: Option<chrono::DateTime<chrono::Utc>>) {
    let status = node_status(node, night.now, pressure_since);
    night.api.update(Resource::Nodes, KUBELET_STATUS, "", node, night.now, |object| object["status"] = status);
}

/// Edits one key of a ConfigMap.
pub(super) fn edit_config(night: &mut Night, manager: &'static str, namespace: &str, name: &str, key: &str, value: &str) {
    let manager = Manager(manager, Part::Whole);
    let now = night.now;
    night.api.update(Resource::ConfigMaps, manager, namespace, name, now, |object| {
        object["metadata"]["annotations"] = json!({"example.net/edited-at": seconds(now)});
        object["data"][key] = json!(value);
    });
}

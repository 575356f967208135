//! A namespace and what runs in it.

use super::kubelet::Kubelet;
use crate::stage::Collection;
use faro_tests::control_plane::{Api, ControlPlane, Patch, eventually};
use serde_json::{Value, json};

/// The namespace of one case.
pub(super) struct Place<'a> {
    cluster: &'a ControlPlane,
    pub(super) namespace: String,
}

impl<'a> Place<'a> {
    pub(super) fn new(cluster: &'a ControlPlane, prefix: &str) -> Self {
        Self { cluster, namespace: cluster.namespace(prefix) }
    }

    pub(super) fn api(&self) -> &'a Api {
        self.cluster.api()
    }

    /// Silences the kubelet of a node.
    pub(super) fn abandon_node(&self, name: &str) {
        self.cluster.abandon_node(name).unwrap();
    }

    /// The kubelets that run the pods of this namespace.
    pub(super) fn kubelet(&self) -> Kubelet<'a> {
        Kubelet::new(self.api())
    }

    /// A collection of the namespace: `configmaps`, `apps/v1/deployments`.
    pub(super) fn collection(&self, path: &str) -> Collection<'a> {
        Collection::at(self.cluster, self.path(path))
    }

    fn path(&self, path: &str) -> String {
        let namespace = &self.namespace;
        match path.rsplit_once('/') {
            Some((group, resource)) => format!("/apis/{group}/namespaces/{namespace}/{resource}"),
            None => format!("/api/v1/namespaces/{namespace}/{path}"),
        }
    }

    pub(super) fn deployments(&self) -> Collection<'a> {
        self.collection("apps/v1/deployments")
    }

    /// Creates a Deployment; `pod` is merged into its pods' specification.
    pub(super) fn deploy(&self, name: &str, replicas: u32, pod: &Value) {
        self.deployments().create(&deployment(name, replicas, pod));
    }

    /// The same, and waits until all replicas are available.
    pub(super) fn run(&self, name: &str, replicas: u32, pod: &Value) {
        self.deploy(name, replicas, pod);
        self.await_available(name, replicas);
    }

    pub(super) fn await_available(&self, name: &str, replicas: u32) {
        let path = format!("{}/{name}", self.path("apps/v1/deployments"));
        eventually("the Deployment is available", || {
            let deployment = self.api().read(&path).unwrap();
            let status = &deployment["status"];
            let current = status["observedGeneration"] == deployment["metadata"]["generation"];
            (current && status["availableReplicas"] == replicas && status["updatedReplicas"] == replicas).then_some(())
        });
    }

    /// Sends what comes in to the pods with these labels.
    pub(super) fn serve(&self, name: &str, selector: &Value) {
        let ports = json!([{"name": "http", "port": 80, "targetPort": 8080}]);
        self.collection("services").create(&json!({"metadata": {"name": name}, "spec": {"selector": selector, "ports": ports}}));
    }

    /// Routes a host to a Service.
    pub(super) fn route(&self, name: &str, service: &str) {
        let backend = json!({"service": {"name": service, "port": {"number": 80}}});
        let rule =
            json!({"host": format!("{name}.example.com"), "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}});
        self.collection("networking.k8s.io/v1/ingresses").create(&json!({"metadata": {"name": name}, "spec": {"rules": [rule]}}));
    }

    pub(super) fn configure(&self, name: &str, data: &Value) {
        self.collection("configmaps").create(&json!({"metadata": {"name": name}, "data": data}));
    }

    /// Sets an image, as `kubectl set image` does, and how the new pods start in this simulation.
    pub(super) fn set_image(&self, deployment: &str, image: &str, start: &str) {
        let container = json!({"name": deployment, "image": image});
        self.change(deployment, &json!({"template": {"metadata": {"annotations": start_as(start)}, "spec": {"containers": [container]}}}));
    }

    /// Changes a Deployment's specification, lists by their keys.
    pub(super) fn change(&self, deployment: &str, spec: &Value) {
        let path = format!("{}/{deployment}", self.path("apps/v1/deployments"));
        self.api().patch(&path, Patch::Strategic, &json!({"spec": spec})).unwrap();
    }

    /// The pods with a label `app`, once there are so many, all of them on nodes, that hold what is asked for.
    pub(super) fn pods(&self, app: &str, count: usize, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let path = format!("{}?labelSelector=app={app}", self.path("pods"));
        eventually("the pods are on nodes", || {
            let mut pods = self.api().list(&path).unwrap();
            pods.retain(|pod| wanted(pod) && pod["spec"]["nodeName"].is_string() && pod["metadata"]["deletionTimestamp"].is_null());
            // Items of a list do not say what they are.
            pods.iter_mut().for_each(|pod| (pod["apiVersion"], pod["kind"]) = (json!("v1"), json!("Pod")));
            (pods.len() == count).then_some(pods)
        })
    }
}

/// A Deployment whose one container is called like itself.
pub(super) fn deployment(name: &str, replicas: u32, pod: &Value) -> Value {
    let mut spec = json!({"containers": [{"name": name, "image": image(name, "1.4.0"), "ports": [{"containerPort": 8080}]}]});
    let mut annotations = json!({});
    for (field, value) in pod.as_object().into_iter().flatten() {
        match field.as_str() {
            "start" => annotations = start_as(value.as_str().unwrap_or_default()),
            "container" => value.as_object().into_iter().flatten().for_each(|(key, value)| spec["containers"][0][key] = value.clone()),
            field => spec[field] = value.clone(),
        }
    }
    let template = json!({"metadata": {"labels": {"app": name}, "annotations": annotations}, "spec": spec});
    json!({
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
    })
}

pub(super) fn image(name: &str, tag: &str) -> String {
    format!("registry.example.com/{name}:{tag}")
}

/// Whether kwok starts the pods, or leaves them to the kubelet of the test.
fn start_as(start: &str) -> Value {
    json!({"simulated.faro.dev/start": start})
}

/// Whether a pod is of a version of its image.
pub(super) fn is_of(pod: &Value, image: &str) -> bool {
    pod["spec"]["containers"][0]["image"] == image
}

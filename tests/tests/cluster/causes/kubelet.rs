//! What a kubelet writes about pods that kwok does not run: their states and Events, *simulated* in the kubelet's formats.

use crate::stage::{now, text};
use chrono::SecondsFormat;
use faro_tests::control_plane::{Api, Patch, Recorder};
use faro_tests::correlator::{EventType, ObjectRef, Report};
use serde_json::{Value, json};

/// What a node can be short of.
#[derive(Clone, Copy)]
pub(super) enum Short {
    Memory,
    Disk,
}

/// The kubelets of all nodes.
pub(super) struct Kubelet<'a> {
    api: &'a Api,
    recorder: Recorder,
}

impl<'a> Kubelet<'a> {
    pub(super) fn new(api: &'a Api) -> Self {
        Self { api, recorder: Recorder::new(api.clone()) }
    }

    /// The registry has no such image.
    pub(super) fn finds_no_image(&mut self, pod: &Value) {
        let image = text(&container(pod)["image"]);
        let unknown = format!("failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {image}: not found");
        let unknown = format!("rpc error: code = NotFound desc = {unknown}");
        self.of_container(pod, EventType::Normal, "Pulling", &format!("Pulling image \"{image}\""));
        self.of_container(pod, EventType::Warning, "Failed", &format!("Failed to pull image \"{image}\": {unknown}"));
        self.of_container(pod, EventType::Warning, "Failed", "Error: ErrImagePull");
        self.waits(pod, "Pending", "ErrImagePull", &unknown, 0, &json!({}));
        self.of_container(pod, EventType::Normal, "BackOff", &format!("Back-off pulling image \"{image}\""));
        self.of_container(pod, EventType::Warning, "Failed", "Error: ImagePullBackOff");
        let waits = format!("Back-off pulling image \"{image}\": ErrImagePull: {unknown}");
        self.waits(pod, "Pending", "ImagePullBackOff", &waits, 0, &json!({}));
    }

    /// The container refers to what is not there.
    pub(super) fn cannot_configure(&mut self, pod: &Value, missing: &str) {
        let image = text(&container(pod)["image"]);
        for _ in 0..3 {
            self.of_container(pod, EventType::Normal, "Pulled", &format!("Container image \"{image}\" already present on machine"));
            self.of_container(pod, EventType::Warning, "Failed", &format!("Error: {missing}"));
        }
        self.waits(pod, "Pending", "CreateContainerConfigError", missing, 0, &json!({}));
    }

    /// A volume cannot be mounted.
    pub(super) fn cannot_mount(&mut self, pod: &Value, volume: &str, problem: &str) {
        self.waits(pod, "Pending", "ContainerCreating", "", 0, &json!({}));
        for _ in 0..4 {
            self.of_pod(pod, EventType::Warning, "FailedMount", &format!("MountVolume.SetUp failed for volume \"{volume}\" : {problem}"));
        }
    }

    /// The container ends with an error again and again.
    pub(super) fn sees_crashes(&mut self, pod: &Value) {
        let (name, ended) = (text(&container(pod)["name"]), time());
        let image = text(&container(pod)["image"]);
        for _ in 0..2 {
            self.of_container(pod, EventType::Normal, "Pulled", &format!("Container image \"{image}\" already present on machine"));
            self.of_container(pod, EventType::Normal, "Created", &format!("Created container: {name}"));
            self.of_container(pod, EventType::Normal, "Started", &format!("Started container {name}"));
        }
        let (pod_name, namespace, uid) =
            (text(&pod["metadata"]["name"]), text(&pod["metadata"]["namespace"]), text(&pod["metadata"]["uid"]));
        let full = format!("{pod_name}_{namespace}({uid})");
        for _ in 0..2 {
            let message = format!("Back-off restarting failed container {name} in pod {full}");
            self.of_container(pod, EventType::Warning, "BackOff", &message);
        }
        let last = json!({"terminated": {"exitCode": 1, "reason": "Error", "startedAt": ended, "finishedAt": ended}});
        let waits = format!("back-off 10s restarting failed container={name} pod={full}");
        self.waits(pod, "Running", "CrashLoopBackOff", &waits, 1, &last);
    }

    /// The container runs, and its readiness probe fails.
    pub(super) fn probes_in_vain(&mut self, pod: &Value, answer: &str) {
        self.runs(pod, false);
        self.unready(pod, "Running", "ContainersNotReady", true);
        for _ in 0..4 {
            self.of_container(pod, EventType::Warning, "Unhealthy", &format!("Readiness probe failed: {answer}"));
        }
    }

    /// The containers run and are ready, and the pod is not, for nobody has opened its gate.
    pub(super) fn waits_at_gate(&mut self, pod: &Value, gate: &str) {
        self.runs(pod, true);
        let closed = format!("corresponding condition of pod readiness gate \"{gate}\" does not exist.");
        let conditions = json!([
            condition("Initialized", "True", "", ""),
            condition("ContainersReady", "True", "", ""),
            condition("Ready", "False", "ReadinessGatesNotReady", &closed),
        ]);
        self.patch(pod, &json!({"phase": "Running", "conditions": conditions}));
    }

    /// The node is short of something.
    pub(super) fn is_short_of(&mut self, node: &str, of: Short) {
        let path = format!("/api/v1/nodes/{node}");
        let mut object = self.api.read(&path).unwrap();
        let (type_, reason, message, event, resource) = match of {
            Short::Memory => (
                "MemoryPressure",
                "KubeletHasInsufficientMemory",
                "kubelet has insufficient memory available",
                "NodeHasInsufficientMemory",
                "memory",
            ),
            Short::Disk => {
                ("DiskPressure", "KubeletHasDiskPressure", "kubelet has disk pressure", "NodeHasDiskPressure", "ephemeral-storage")
            }
        };
        let short = condition(type_, "True", reason, message);
        self.api.patch(&format!("{path}/status"), Patch::Strategic, &json!({"status": {"conditions": [short]}})).unwrap();
        (object["apiVersion"], object["kind"]) = (json!("v1"), json!("Node"));
        let reclaims = format!("Attempting to reclaim {resource}");
        self.report(&object, "", node, EventType::Warning, "EvictionThresholdMet", &reclaims);
        self.report(&object, "", node, EventType::Normal, event, &format!("Node {node} status is now: {event}"));
    }

    /// A pod has to go because its node is short of something.
    pub(super) fn evicts(&mut self, pod: &Value, of: Short) {
        let name = text(&container(pod)["name"]);
        let message = match of {
            Short::Memory => format!(
                "The node was low on resource: memory. Threshold quantity: 100Mi, available: 88204Ki. Container {name} was using \
                 3511812Ki, request is 0, has larger consumption of memory. "
            ),
            Short::Disk => format!(
                "The node was low on resource: ephemeral-storage. Threshold quantity: 10738417664, available: 9841020Ki. Container \
                 {name} was using 6204Mi, request is 0, has larger consumption of ephemeral-storage. "
            ),
        };
        self.of_pod(pod, EventType::Warning, "Evicted", &message);
        self.of_container(pod, EventType::Normal, "Killing", &format!("Stopping container {name}"));
        let ended = json!({"terminated": {"exitCode": 137, "reason": "Error", "startedAt": time(), "finishedAt": time()}});
        let conditions = json!([
            condition("DisruptionTarget", "True", "TerminationByKubelet", &message),
            condition("Ready", "False", "PodFailed", ""),
            condition("ContainersReady", "False", "PodFailed", ""),
        ]);
        let containers = json!([self.status(pod, &ended, false, 0, &json!({}))]);
        let status =
            json!({"phase": "Failed", "reason": "Evicted", "message": message, "conditions": conditions, "containerStatuses": containers});
        self.patch(pod, &status);
    }

    fn runs(&mut self, pod: &Value, ready: bool) {
        let (name, image) = (text(&container(pod)["name"]), text(&container(pod)["image"]));
        self.of_container(pod, EventType::Normal, "Pulled", &format!("Container image \"{image}\" already present on machine"));
        self.of_container(pod, EventType::Normal, "Created", &format!("Created container: {name}"));
        self.of_container(pod, EventType::Normal, "Started", &format!("Started container {name}"));
        let containers = json!([self.status(pod, &json!({"running": {"startedAt": time()}}), ready, 0, &json!({}))]);
        self.patch(pod, &json!({"containerStatuses": containers, "startTime": time()}));
    }

    fn waits(&self, pod: &Value, phase: &str, reason: &str, message: &str, restarts: u32, last: &Value) {
        let mut waiting = json!({"reason": reason});
        if !message.is_empty() {
            waiting["message"] = json!(message);
        }
        let containers = json!([self.status(pod, &json!({"waiting": waiting}), false, restarts, last)]);
        self.patch(pod, &json!({"containerStatuses": containers}));
        self.unready(pod, phase, "ContainersNotReady", phase == "Running");
    }

    fn unready(&self, pod: &Value, phase: &str, reason: &str, started: bool) {
        let message = format!("containers with unready status: [{}]", text(&container(pod)["name"]));
        let conditions = json!([
            condition("PodReadyToStartContainers", if started { "True" } else { "False" }, "", ""),
            condition("Initialized", "True", "", ""),
            condition("ContainersReady", "False", reason, &message),
            condition("Ready", "False", reason, &message),
        ]);
        self.patch(pod, &json!({"phase": phase, "conditions": conditions}));
    }

    fn status(&self, pod: &Value, state: &Value, ready: bool, restarts: u32, last: &Value) -> Value {
        let (name, image) = (&container(pod)["name"], &container(pod)["image"]);
        let started = state["running"].is_object();
        json!({
            "name": name, "image": image, "imageID": "", "ready": ready, "started": started, "restartCount": restarts,
            "state": state, "lastState": last,
        })
    }

    fn patch(&self, pod: &Value, status: &Value) {
        let (namespace, name) = (text(&pod["metadata"]["namespace"]), text(&pod["metadata"]["name"]));
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/status");
        self.api.patch(&path, Patch::Strategic, &json!({"status": status})).unwrap();
    }

    fn of_container(&mut self, pod: &Value, event_type: EventType, reason: &'static str, message: &str) {
        let path = format!("spec.containers{{{}}}", text(&container(pod)["name"]));
        self.report(pod, &path, text(&pod["spec"]["nodeName"]), event_type, reason, message);
    }

    fn of_pod(&mut self, pod: &Value, event_type: EventType, reason: &'static str, message: &str) {
        self.report(pod, "", text(&pod["spec"]["nodeName"]), event_type, reason, message);
    }

    fn report(&mut self, object: &Value, field: &str, host: &str, event_type: EventType, reason: &'static str, message: &str) {
        let object = ObjectRef { field_path: field.to_owned(), ..ObjectRef::to(object) };
        let report =
            Report { component: "kubelet".to_owned(), host: host.to_owned(), object, event_type, reason, message: message.to_owned() };
        self.recorder.report(&report, now()).unwrap();
    }
}

fn container(pod: &Value) -> &Value {
    &pod["spec"]["containers"][0]
}

fn condition(type_: &str, status: &str, reason: &str, message: &str) -> Value {
    let mut condition = json!({"type": type_, "status": status, "lastTransitionTime": time()});
    for (field, value) in [("reason", reason), ("message", message)] {
        if !value.is_empty() {
            condition[field] = json!(value);
        }
    }
    condition
}

fn time() -> String {
    now().to_rfc3339_opts(SecondsFormat::Secs, true)
}

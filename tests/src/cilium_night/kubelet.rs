//! What the kubelets do: start containers, fail to, restart them, probe them and stop them.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::api::{Manager, ObjectName, Part, Resource, seconds};
use super::dice::Dice;
use super::inventory::{Controller, Workload};
use super::manifests::{Container, Pod, Run};
use super::night::{Night, SANDBOX_FAILURE};
use crate::correlator::{EventType, ObjectRef};

/// How long the CNI plugin waits for its agent, and some milliseconds around it.
const SANDBOX_TIMEOUT: TimeDelta = TimeDelta::milliseconds(30_190);

/// A tag that the registry does not have.
pub(super) const MISSING_TAG: &str = ":2.4.l";

/// How a container that keeps failing behaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crash {
    /// How long it runs each time.
    pub(super) runs_millis: i64,
    pub(super) exit_code: u8,
    pub(super) reason: &'static str,
    /// The last line of its log, where the pod asks for it.
    pub(super) message: &'static str,
    /// What its startup probe says while it runs; empty without one.
    pub(super) probe: &'static str,
}

impl Night {
    /// Returns a pod unless it is gone or going.
    pub(super) fn living(&self, id: &ObjectName) -> Option<&Pod> {
        self.pods.get(id).filter(|pod| !pod.deleting)
    }

    /// Refers to a pod, or to its container.
    fn pod_reference(&self, id: &ObjectName, container: Option<&str>) -> ObjectRef {
        let mut reference = self.reference(Resource::Pods, &id.0, &id.1);
        if let Some(container) = container {
            reference.field_path = format!("spec.containers{{{container}}}");
        }
        reference
    }

    /// Reports about a pod (`container` false) or its container as the kubelet of its node.
    pub(super) fn kubelet_says(
        &mut self,
        id: &ObjectName,
        about_container: bool,
        event_type: EventType,
        reason: &'static str,
        message: impl Into<String>,
    ) {
        let Some(pod) = self.pods.get(id) else { return };
        let (node, container) = (pod.node, pod.workload.container);
        let reference = self.pod_reference(id, about_container.then_some(container));
        self.report(("kubelet", node), reference, event_type, reason, message);
    }

    /// Changes what is known of a pod and writes its status.
    pub(super) fn change_pod(&mut self, id: &ObjectName, change: impl FnOnce(&mut Pod, DateTime<Utc>)) {
        let now = self.now;
        let Some(pod) = self.pods.get_mut(id) else { return };
        let was_ready = pod.ready;
        change(pod, now);
        if pod.ready != was_ready {
            pod.ready_changed = now;
        }
        let status = pod.status();
        let manager = Manager("kubelet", Part::Status);
        self.api.update(Resource::Pods, manager, &id.0, &id.1, now, |object| object["status"] = status);
    }

    /// Starts a pod that was just bound to its node.
    pub(super) fn start_pod(&mut self, id: &ObjectName) {
        let Some(pod) = self.living(id) else { return };
        let (node, workload, ordinal) = (pod.node, pod.workload, pod.ordinal);
        self.change_pod(id, |_, _| {});
        let id = id.clone();
        if self.cut_off.contains(&node) && !workload.host_network {
            let label = format!("sandbox/{}/{ordinal}", workload.key());
            self.try_sandbox(id, SANDBOX_TIMEOUT, Dice::for_label(self.pauses, &label));
        } else {
            self.after(700, move |night| night.pull(&id));
        }
    }

    /// One attempt to make a sandbox: the CNI plugin waits 30 seconds for the agent and gives up.
    fn try_sandbox(&mut self, id: ObjectName, until_failure: TimeDelta, mut dice: Dice) {
        self.at(self.now + until_failure, move |night| {
            if night.living(&id).is_none() {
                return;
            }
            let message = format!(
                "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox \"{}\": \
                 plugin type=\"cilium-cni\" name=\"cilium\" failed (add): unable to connect to Cilium agent: failed to create \
                 cilium agent client after 30.000000 seconds timeout: Get \"http://localhost/v1/config\": dial unix \
                 /var/run/cilium/cilium.sock: connect: no such file or directory\nIs the agent running?",
                dice.digest()
            );
            night.kubelet_says(&id, false, EventType::Warning, SANDBOX_FAILURE, message);
            let pause = sandbox_pause(&mut dice);
            night.try_sandbox(id, pause, dice);
        });
    }

    fn pull(&mut self, id: &ObjectName) {
        let Some(pod) = self.living(id) else { return };
        let (image, workload) = (pod.image.clone(), pod.workload);
        let mut dice = Dice::for_label(self.seed, &format!("pull/{}", pod.name));
        let exists = !image.ends_with(MISSING_TAG);
        if exists && (dice.below(10) < 3 || workload.name == "inventory-sync") {
            let message = format!("Container image \"{image}\" already present on machine");
            self.kubelet_says(id, true, EventType::Normal, "Pulled", message);
            return self.run_container(id);
        }
        self.kubelet_says(id, true, EventType::Normal, "Pulling", format!("Pulling image \"{image}\""));
        if !exists {
            let id = id.clone();
            return self.after(1_350, move |night| night.fail_pull(&id, 10));
        }
        let millis = dice.between(1_200, 6_400);
        let bytes = dice.between(18_000_000, 240_000_000);
        let id = id.clone();
        self.after(millis, move |night| {
            let took = format!("{}.{:03}s", millis / 1_000, millis % 1_000);
            let message = format!("Successfully pulled image \"{image}\" in {took} ({took} including waiting). Image size: {bytes} bytes.");
            night.kubelet_says(&id, true, EventType::Normal, "Pulled", message);
            night.run_container(&id);
        });
    }

    /// A pull of an image that does not exist, tried again after a growing pause.
    fn fail_pull(&mut self, id: &ObjectName, pause: i64) {
        let Some(pod) = self.living(id) else { return };
        let image = pod.image.clone();
        let cause = format!(
            "rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": failed to resolve reference \
             \"{image}\": {image}: not found"
        );
        self.kubelet_says(id, true, EventType::Warning, "Failed", format!("Failed to pull image \"{image}\": {cause}"));
        self.kubelet_says(id, true, EventType::Warning, "Failed", "Error: ErrImagePull");
        let message = cause.clone();
        self.change_pod(id, |pod, _| pod.container = Container::Waiting { reason: "ErrImagePull", message });
        let (later, back_off) = (id.clone(), format!("Back-off pulling image \"{image}\""));
        self.after(11_400, move |night| {
            if night.living(&later).is_some() {
                night.kubelet_says(&later, true, EventType::Normal, "BackOff", back_off.clone());
                night.kubelet_says(&later, true, EventType::Warning, "Failed", "Error: ImagePullBackOff");
                let message = format!("{back_off}: ErrImagePull: {cause}");
                night.change_pod(&later, |pod, _| {
                    pod.container = Container::Waiting { reason: "ImagePullBackOff", message };
                });
            }
        });
        let again = id.clone();
        self.after((pause + 14) * 1_000, move |night| {
            if night.living(&again).is_some() {
                night.kubelet_says(&again, true, EventType::Normal, "Pulling", format!("Pulling image \"{image}\""));
                night.after(1_350, move |night| night.fail_pull(&again, (pause * 2).min(300)));
            }
        });
    }

    /// Creates and starts the container, and sees it through: to readiness, to completion or to its next crash.
    fn run_container(&mut self, id: &ObjectName) {
        let Some(pod) = self.living(id) else { return };
        let (workload, node) = (pod.workload, pod.node);
        self.announce_container(id);
        let ip = if workload.host_network { super::manifests::node_address(node) } else { self.pod_ip(node) };
        let id = id.clone();
        if workload.name == "cilium" && self.cut_off.contains(&node) {
            let crash = Crash {
                runs_millis: 6_300,
                exit_code: 1,
                reason: "Error",
                message: "level=fatal msg=\"Invalid daemon configuration: kube-proxy-replacement must be true or false, got \
                          \\\"partial\\\"\" subsys=daemon\n",
                probe: "Startup probe failed: Get \"http://127.0.0.1:9879/healthz\": dial tcp 127.0.0.1:9879: connect: \
                        connection refused",
            };
            self.change_pod(&id, |pod, _| pod.ip = Some(ip));
            return self.crash_after_run(id, crash);
        }
        self.change_pod(&id, |pod, now| {
            pod.ip = Some(ip);
            pod.container = Container::Running { since: now };
            pod.ready = pod.workload.port == 0;
        });
        if workload.controller == Controller::CronJob {
            let millis = self.dice.between(14_000, 43_000);
            return self.after(millis, move |night| night.complete(&id));
        }
        let settled = if workload.port == 0 { 50 } else { self.fleet_millis(workload, 4_000, 11_000) };
        self.after(settled, move |night| {
            if night.living(&id).is_some() {
                night.change_pod(&id, |pod, _| pod.ready = true);
                night.settle(&workload.key());
            }
        });
    }

    /// Rolls a pause from the dice of a workload, which no other workload disturbs.
    fn fleet_millis(&mut self, workload: &Workload, low: i64, high: i64) -> i64 {
        self.fleets.get_mut(&workload.key()).map_or(low, |fleet| fleet.dice.between(low, high))
    }

    /// Takes an address of the node's pod network.
    pub(super) fn pod_ip(&mut self, node: &str) -> String {
        let index = super::inventory::NODES.iter().position(|known| *known == node).unwrap_or(0);
        format!("10.244.{index}.{}", self.dice.between(4, 250))
    }

    fn announce_container(&mut self, id: &ObjectName) {
        let Some(container) = self.pods.get(id).map(|pod| pod.workload.container) else { return };
        self.kubelet_says(id, true, EventType::Normal, "Created", format!("Created container: {container}"));
        self.kubelet_says(id, true, EventType::Normal, "Started", format!("Started container {container}"));
    }

    fn complete(&mut self, id: &ObjectName) {
        if self.living(id).is_none() {
            return;
        }
        self.change_pod(id, |pod, now| {
            let since = if let Container::Running { since } = pod.container { since } else { now };
            pod.ready = false;
            pod.container = Container::Exited { run: Run { exit_code: 0, reason: "Completed", message: "", since, until: now } };
        });
        self.job_completed(id);
    }

    /// Makes the container of a running pod fail from now on.
    pub(super) fn crash_after_run(&mut self, id: ObjectName, crash: Crash) {
        self.change_pod(&id, |pod, now| {
            pod.container = Container::Running { since: now };
            pod.ready = false;
        });
        if !crash.probe.is_empty() {
            for millis in [2_100, 4_100, 6_100] {
                let id = id.clone();
                self.after(millis, move |night| {
                    night.kubelet_says(&id, true, EventType::Warning, "Unhealthy", crash.probe);
                });
            }
        }
        self.after(crash.runs_millis, move |night| night.crash(id, crash));
    }

    fn crash(&mut self, id: ObjectName, crash: Crash) {
        let Some(pod) = self.living(&id) else { return };
        let workload = pod.workload;
        // Back-off of 10 s, doubled up to 5 min (`backOffPeriod`, `MaxContainerBackOff`).
        let pause = (10_i64 << pod.restarts.min(5)).min(300);
        let until_restart = TimeDelta::seconds(pause);
        let ends = self.now + until_restart;
        let back_off = format!(
            "back-off {} restarting failed container={} pod={}_{}({})",
            if pause >= 60 { format!("{}m{}s", pause / 60, pause % 60) } else { format!("{pause}s") },
            workload.container,
            pod.name,
            workload.namespace,
            pod.uid
        );
        self.change_pod(&id, |pod, now| {
            let since = if let Container::Running { since } = pod.container { since } else { now };
            pod.ready = false;
            pod.last = Some(Run { exit_code: crash.exit_code, reason: crash.reason, message: crash.message, since, until: now });
            pod.container = Container::Waiting { reason: "CrashLoopBackOff", message: back_off };
        });
        self.settle(&workload.key());
        self.back_off(id, crash, ends);
    }

    /// Says so at every sync of the pod, until the back-off has passed.
    fn back_off(&mut self, id: ObjectName, crash: Crash, ends: DateTime<Utc>) {
        let Some(pod) = self.living(&id) else { return };
        if self.now >= ends {
            let image = pod.image.clone();
            let message = format!("Container image \"{image}\" already present on machine");
            self.kubelet_says(&id, true, EventType::Normal, "Pulled", message);
            self.announce_container(&id);
            self.change_pod(&id, |pod, _| pod.restarts += 1);
            return self.crash_after_run(id, crash);
        }
        let message = format!(
            "Back-off restarting failed container {} in pod {}_{}({})",
            pod.workload.container, pod.name, pod.workload.namespace, pod.uid
        );
        self.kubelet_says(&id, true, EventType::Warning, "BackOff", message);
        let millis = self.dice.between(10_600, 15_400);
        self.after(millis, move |night| night.back_off(id, crash, ends));
    }

    /// A readiness probe that fails `times` times and then passes again; three failures make the pod unready.
    pub(super) fn fail_readiness(&mut self, id: &ObjectName, times: i64, message: &str) {
        let Some(workload) = self.living(id).map(|pod| pod.workload) else { return };
        for n in 0..times {
            let (id, message) = (id.clone(), message.to_owned());
            self.after(n * 10_000, move |night| {
                if night.living(&id).is_none() {
                    return;
                }
                night.kubelet_says(&id, true, EventType::Warning, "Unhealthy", message);
                if n == 2 {
                    night.change_pod(&id, |pod, _| pod.ready = false);
                    night.settle(&workload.key());
                }
            });
        }
        let id = id.clone();
        self.after(times * 10_000, move |night| {
            if night.living(&id).is_some_and(|pod| !pod.ready) {
                night.change_pod(&id, |pod, _| pod.ready = true);
                night.settle(&workload.key());
            }
        });
    }

    /// Deletes a pod: the grace period begins, its container stops, the object goes; `then` runs when it is gone.
    pub(super) fn delete_pod(&mut self, id: &ObjectName, then: impl FnOnce(&mut Self) + 'static) {
        let Some(pod) = self.pods.get_mut(id).filter(|pod| !pod.deleting) else { return };
        pod.deleting = true;
        pod.ready = false;
        let (container, running) = (pod.workload.container, matches!(pod.container, Container::Running { .. }));
        let deadline = json!(seconds(self.now + TimeDelta::seconds(30)));
        let manager = Manager("kube-controller-manager", Part::Whole);
        self.api.update(Resource::Pods, manager, &id.0, &id.1, self.now, |object| {
            object["metadata"]["deletionTimestamp"] = deadline;
            object["metadata"]["deletionGracePeriodSeconds"] = json!(30);
        });
        if running {
            let id = id.clone();
            self.after(35, move |night| {
                night.kubelet_says(&id, true, EventType::Normal, "Killing", format!("Stopping container {container}"));
            });
        }
        let id = id.clone();
        let millis = if running { 1_900 } else { 420 };
        self.after(millis, move |night| {
            if running {
                night.change_pod(&id, |pod, now| {
                    let since = if let Container::Running { since } = pod.container { since } else { now };
                    pod.container = Container::Exited { run: Run { exit_code: 0, reason: "Completed", message: "", since, until: now } };
                });
            }
            night.after(140, move |night| {
                night.pods.remove(&id);
                night.api.delete(Resource::Pods, &id.0, &id.1, night.now);
                then(night);
            });
        });
    }
}

/// How long the pod worker rests after a failure before the next attempt begins (10 to 15 seconds).
fn sandbox_pause(dice: &mut Dice) -> TimeDelta {
    SANDBOX_TIMEOUT + TimeDelta::milliseconds(dice.between(10_000, 15_000))
}

/// How long a pod has been with its kubelet at its `failures`-th sandbox failure; `pod` is its ordinal in the workload.
pub(super) fn time_to_failures(pauses: u64, workload: &str, pod: u64, failures: u32) -> TimeDelta {
    let mut dice = Dice::for_label(pauses, &format!("sandbox/{workload}/{pod}"));
    (1..failures).fold(SANDBOX_TIMEOUT, |time, _| {
        dice.digest();
        time + sandbox_pause(&mut dice)
    })
}

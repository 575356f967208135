//! What the controllers do: make and delete pods, roll out, scale, publish endpoints and status.

use serde_json::{Value, json};

use super::api::{Manager, ObjectName, Part, Resource, seconds};
use super::dice::Dice;
use super::inventory::{Controller, SOUND, Workload};
use super::manifests::{Container, Pod, labels, pod_spec, workload_spec};
use super::night::{Fleet, Night};
use crate::correlator::EventType;

/// The controllers, when they write an object.
pub(super) const CONTROLLER: Manager = Manager("kube-controller-manager", Part::Whole);
/// The controllers, when they write a status.
pub(super) const CONTROLLER_STATUS: Manager = Manager("kube-controller-manager", Part::Status);

/// Stands for the node of a pod that fits none.
pub(super) const NOWHERE: &str = "";

/// The resource of a workload's own object.
pub(super) fn resource_of(controller: Controller) -> Resource {
    match controller {
        Controller::Deployment => Resource::Deployments,
        Controller::StatefulSet => Resource::StatefulSets,
        Controller::DaemonSet => Resource::DaemonSets,
        Controller::CronJob => Resource::CronJobs,
        Controller::Node => Resource::Nodes,
    }
}

/// The reference to a controlling owner.
pub(super) fn owner(resource: Resource, name: &str, uid: &str) -> Value {
    json!([{
        "apiVersion": resource.api_version(),
        "kind": resource.kind(),
        "name": name,
        "uid": uid,
        "controller": true,
        "blockOwnerDeletion": true,
    }])
}

impl Night {
    /// Returns the pods of a workload that are not going, by name.
    pub(super) fn pods_of(&self, workload: &Workload) -> Vec<(ObjectName, Pod)> {
        self.pods
            .iter()
            .filter(|(_, pod)| std::ptr::eq(pod.workload, workload) && !pod.deleting)
            .map(|(id, pod)| (id.clone(), pod.clone()))
            .collect()
    }

    /// Returns a workload's fleet; the story names only those that there are.
    pub(super) fn fleet(&mut self, key: &str) -> &mut Fleet {
        self.fleets.get_mut(key).unwrap_or_else(|| panic!("no workload `{key}`"))
    }

    /// Makes the object of a new pod, and what is known of it.
    pub(super) fn make_pod(
        &mut self,
        key: &str,
        name: &str,
        (owners, hash): (Value, &str),
        (set, image): (usize, &str),
        node: &'static str,
    ) -> ObjectName {
        let now = self.now;
        let fleet = self.fleet(key);
        fleet.pods_made += 1;
        let (workload, ordinal) = (fleet.workload, fleet.pods_made);
        let mut labels = labels(workload);
        if !hash.is_empty() {
            labels["pod-template-hash"] = json!(hash);
        }
        let metadata = json!({"name": name, "namespace": workload.namespace, "labels": labels, "ownerReferences": owners});
        let body = json!({"spec": pod_spec(workload, image), "status": {"phase": "Pending", "qosClass": "Burstable"}});
        let uid = self.api.create(Resource::Pods, CONTROLLER, metadata, body, now);
        let pod = Pod {
            workload,
            name: name.to_owned(),
            uid,
            node,
            image: image.to_owned(),
            ordinal,
            set,
            ip: None,
            container: Container::Waiting { reason: "ContainerCreating", message: String::new() },
            last: None,
            restarts: 0,
            scheduled: now,
            ready: false,
            ready_changed: now,
            deleting: false,
        };
        let id = (workload.namespace.to_owned(), name.to_owned());
        self.pods.insert(id.clone(), pod);
        id
    }

    /// Takes the node on which the scheduler puts the next pod.
    pub(super) fn next_node(&mut self, key: &str) -> &'static str {
        let fleet = self.fleet(key);
        let turn = usize::try_from(fleet.pods_made).unwrap_or(0) % SOUND.len();
        fleet.placement.pop_front().unwrap_or(SOUND[turn])
    }

    /// Binds a pod to its node and hands it to the kubelet there.
    pub(super) fn schedule(&mut self, id: ObjectName) {
        self.after(45, move |night| {
            let Some(node) = night.living(&id).map(|pod| pod.node) else { return };
            let now = night.now;
            if node == NOWHERE {
                return night.fail_scheduling(id);
            }
            let manager = Manager("kube-scheduler", Part::Binding);
            night.api.update(Resource::Pods, manager, &id.0, &id.1, now, |object| object["spec"]["nodeName"] = json!(node));
            let message = format!("Successfully assigned {}/{} to {node}", id.0, id.1);
            let reference = night.reference(Resource::Pods, &id.0, &id.1);
            night.report_series(reference, EventType::Normal, ("Scheduled", "Binding"), message);
            if let Some(pod) = night.pods.get_mut(&id) {
                pod.scheduled = now;
            }
            night.after(210, move |night| night.start_pod(&id));
        });
    }

    /// A pod that fits no node; the scheduler tries again whenever something in the cluster changes.
    fn fail_scheduling(&mut self, id: ObjectName) {
        let Some(pod) = self.living(&id) else { return };
        let taint = "1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }";
        let preemption = "preemption: 0/6 nodes are available";
        let message = if pod.workload.name == "transcoder" {
            format!(
                "0/6 nodes are available: {taint}, 5 Insufficient nvidia.com/gpu. {preemption}: 1 Preemption is not helpful \
                 for scheduling, 5 No preemption victims found for incoming pod."
            )
        } else {
            format!(
                "0/6 nodes are available: {taint}, 5 node(s) didn't match pod topology spread constraints. {preemption}: 1 \
                 Preemption is not helpful for scheduling, 5 No preemption victims found for incoming pod."
            )
        };
        let (now, condition) = (self.now, message.clone());
        self.api.update(Resource::Pods, Manager("kube-scheduler", Part::Status), &id.0, &id.1, now, |object| {
            if object["status"]["conditions"].is_null() {
                object["status"]["conditions"] = json!([{
                    "type": "PodScheduled",
                    "status": "False",
                    "lastTransitionTime": seconds(now),
                    "reason": "Unschedulable",
                    "message": condition,
                }]);
            }
        });
        let reference = self.reference(Resource::Pods, &id.0, &id.1);
        self.report_series(reference, EventType::Warning, ("FailedScheduling", "Scheduling"), message);
        let millis = self.dice.between(61_000, 290_000);
        self.after(millis, move |night| night.fail_scheduling(id));
    }

    /// Makes a new pod for the DaemonSet, StatefulSet or ReplicaSet that owns it, with the controller's Event.
    pub(super) fn spawn(&mut self, key: &str, set: Option<usize>, name: Option<String>, node: Option<&'static str>) {
        let node = node.unwrap_or_else(|| self.next_node(key));
        let fleet = self.fleet(key);
        let (workload, suffix) = (fleet.workload, fleet.dice.suffix(5));
        let (image, uid) = (fleet.image.clone(), fleet.uid.clone());
        let (component, resource, owner_name, owner_uid, hash, image) = match set.map(|set| fleet.sets[set].clone()) {
            Some(set) => ("replicaset-controller", Resource::ReplicaSets, set.name, set.uid, set.hash, set.image),
            None if workload.controller == Controller::StatefulSet => {
                ("statefulset-controller", Resource::StatefulSets, workload.name.to_owned(), uid, String::new(), image)
            }
            None => ("daemonset-controller", Resource::DaemonSets, workload.name.to_owned(), uid, String::new(), image),
        };
        let name = name.unwrap_or_else(|| format!("{owner_name}-{suffix}"));
        let owners = owner(resource, &owner_name, &owner_uid);
        let id = self.make_pod(key, &name, (owners, &hash), (set.unwrap_or(0), &image), node);
        let message = if workload.controller == Controller::StatefulSet {
            format!("create Pod {name} in StatefulSet {owner_name} successful")
        } else {
            format!("Created pod: {name}")
        };
        let reference = self.reference(resource, workload.namespace, &owner_name);
        self.report((component, ""), reference, EventType::Normal, "SuccessfulCreate", message);
        self.schedule(id);
    }

    /// Lets the controllers look at a workload again after one of its pods changed.
    pub(super) fn settle(&mut self, key: &str) {
        let key = key.to_owned();
        self.after(80, move |night| night.reconcile(&key));
    }

    /// Replaces a pod of a DaemonSet or StatefulSet by one of the workload's present image, on the same node.
    pub(super) fn replace_pod(&mut self, id: &ObjectName) {
        let Some((workload, node)) = self.living(id).map(|pod| (pod.workload, pod.node)) else { return };
        let resource = resource_of(workload.controller);
        let stateful = workload.controller == Controller::StatefulSet;
        let (component, message) = if stateful {
            ("statefulset-controller", format!("delete Pod {} in StatefulSet {} successful", id.1, workload.name))
        } else {
            ("daemonset-controller", format!("Deleted pod: {}", id.1))
        };
        let reference = self.reference(resource, workload.namespace, workload.name);
        self.report((component, ""), reference, EventType::Normal, "SuccessfulDelete", message);
        let name = stateful.then(|| id.1.clone());
        let key = workload.key();
        self.publish(&key);
        self.delete_pod(id, move |night| {
            night.spawn(&key, None, name, Some(node));
            night.publish(&key);
        });
    }

    /// Writes endpoints and the status of a workload's objects where they changed.
    pub(super) fn publish(&mut self, key: &str) {
        let now = self.now;
        let fleet = self.fleet(key);
        let (workload, sets, current) = (fleet.workload, fleet.sets.clone(), fleet.current);
        let (desired, stalled, image) = (fleet.desired, fleet.stalled, fleet.image.clone());
        let pods = self.pods_of(workload);
        let ready = pods.iter().filter(|(_, pod)| pod.ready).count();
        let updated = pods.iter().filter(|(_, pod)| pod.image == image).count();
        let (namespace, name) = (workload.namespace, workload.name);
        for (index, set) in sets.iter().enumerate() {
            let of_set = pods.iter().filter(|(_, pod)| pod.set == index);
            let ready = of_set.clone().filter(|(_, pod)| pod.ready).count();
            let status = json!({"replicas": of_set.count(), "readyReplicas": ready, "availableReplicas": ready});
            self.api.update(Resource::ReplicaSets, CONTROLLER_STATUS, namespace, &set.name, now, |object| {
                object["status"] = status;
            });
        }
        let status = match workload.controller {
            Controller::Deployment => json!({
                "replicas": pods.len(),
                "updatedReplicas": updated,
                "readyReplicas": ready,
                "availableReplicas": ready,
                "unavailableReplicas": desired.saturating_sub(ready),
                "conditions": [
                    {"type": "Available", "status": if ready + desired / 4 >= desired { "True" } else { "False" }},
                    progress(stalled, &sets[current].name),
                ],
            }),
            Controller::StatefulSet => {
                json!({"replicas": pods.len(), "readyReplicas": ready, "updatedReplicas": updated})
            }
            Controller::DaemonSet => json!({
                "desiredNumberScheduled": desired,
                "currentNumberScheduled": pods.len(),
                "updatedNumberScheduled": updated,
                "numberReady": ready,
                "numberAvailable": ready,
                "numberUnavailable": desired - ready,
            }),
            Controller::CronJob | Controller::Node => return,
        };
        self.api.update(resource_of(workload.controller), CONTROLLER_STATUS, namespace, name, now, |object| {
            object["status"] = status;
        });
        if workload.controller == Controller::Deployment && self.api.get(Resource::Autoscalers, namespace, name).is_some() {
            self.api.update(Resource::Autoscalers, CONTROLLER_STATUS, namespace, name, now, |object| {
                object["status"]["currentReplicas"] = json!(pods.len());
            });
        }
        let endpoints = endpoints(&pods);
        self.api.update(Resource::EndpointSlices, CONTROLLER, namespace, name, now, |object| {
            object["endpoints"] = endpoints;
        });
    }
}

fn progress(stalled: bool, set: &str) -> Value {
    if stalled {
        let message = format!("ReplicaSet \"{set}\" has timed out progressing.");
        json!({"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": message})
    } else {
        json!({"type": "Progressing", "status": "True"})
    }
}

fn endpoints(pods: &[(ObjectName, Pod)]) -> Value {
    let endpoint = |(id, pod): &(ObjectName, Pod)| {
        let ip = pod.ip.as_ref()?;
        Some(json!({
            "addresses": [ip],
            "conditions": {"ready": pod.ready, "serving": pod.ready, "terminating": false},
            "targetRef": {"kind": "Pod", "namespace": id.0, "name": id.1, "uid": pod.uid},
            "nodeName": pod.node,
        }))
    };
    pods.iter().filter_map(endpoint).collect()
}

/// Makes the object of a workload when the cluster is built; returns its uid.
pub(super) fn workload_object(night: &mut Night, workload: &'static Workload) -> String {
    let metadata = json!({
        "name": workload.name,
        "namespace": workload.namespace,
        "generation": 1,
        "labels": {"app.kubernetes.io/name": workload.name},
    });
    let spec = workload_spec(workload, workload.image, workload.nodes.len());
    let resource = resource_of(workload.controller);
    let uid = night.api.create(resource, Manager("helm", Part::Whole), metadata, json!({"spec": spec, "status": {}}), night.now);
    night.fleets.insert(
        workload.key(),
        Fleet {
            workload,
            uid: uid.clone(),
            image: workload.image.to_owned(),
            desired: workload.nodes.len(),
            sets: Vec::new(),
            current: 0,
            placement: std::collections::VecDeque::new(),
            dice: Dice::for_label(night.seed, &format!("fleet/{}", workload.key())),
            pods_made: 0,
            stalled: false,
        },
    );
    uid
}

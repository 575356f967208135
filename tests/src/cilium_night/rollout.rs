//! What the deployment controller and the autoscaler do: rolling updates and changes of size.

use serde_json::json;

use super::api::{Manager, Part, Resource, seconds};
use super::controllers::{CONTROLLER, CONTROLLER_STATUS, owner};
use super::inventory::Controller;
use super::manifests::template;
use super::night::{Night, Set};
use crate::correlator::EventType;

impl Night {
    /// Adds a ReplicaSet for `image` to a Deployment and makes it the current one.
    pub(super) fn add_set(&mut self, key: &str, image: &str, size: usize) {
        let now = self.now;
        let fleet = self.fleet(key);
        let (workload, uid) = (fleet.workload, fleet.uid.clone());
        let hash = fleet.dice.suffix(9);
        let name = format!("{}-{hash}", workload.name);
        let metadata = json!({
            "name": name,
            "namespace": workload.namespace,
            "generation": 1,
            "labels": {"app.kubernetes.io/name": workload.name, "pod-template-hash": hash},
            "ownerReferences": owner(Resource::Deployments, workload.name, &uid),
        });
        let spec = json!({"replicas": size, "template": template(workload, image)});
        let body = json!({"spec": spec, "status": {"replicas": 0}});
        let uid = self.api.create(Resource::ReplicaSets, CONTROLLER, metadata, body, now);
        let fleet = self.fleet(key);
        fleet.sets.push(Set { name, hash, uid, image: image.to_owned(), size });
        fleet.current = fleet.sets.len() - 1;
    }

    /// Changes the image of a Deployment and starts its rollout; the next pods go to `placement`.
    pub(super) fn roll_out(&mut self, key: &str, image: &str, placement: &[&'static str]) {
        let now = self.now;
        let fleet = self.fleet(key);
        fleet.placement = placement.iter().copied().collect();
        fleet.stalled = false;
        image.clone_into(&mut fleet.image);
        let workload = fleet.workload;
        let known = fleet.sets.iter().position(|set| set.image == image);
        self.api.update(Resource::Deployments, Manager("kubectl-set", Part::Whole), workload.namespace, workload.name, now, |object| {
            object["metadata"]["generation"] = json!(object["metadata"]["generation"].as_u64().unwrap_or(1) + 1);
            object["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
        });
        match known {
            Some(set) => self.fleet(key).current = set,
            None => self.add_set(key, image, 0),
        }
        let (key, set) = (key.to_owned(), self.fleet(key).current);
        // Once the progress deadline has passed, the Deployment says that it is stuck.
        let late = key.clone();
        self.after(601_000, move |night| {
            let (workload, current, desired) = {
                let fleet = night.fleet(&late);
                (fleet.workload, fleet.current, fleet.desired)
            };
            let ready = night.pods_of(workload).iter().filter(|(_, pod)| pod.set == set && pod.ready).count();
            if current == set && ready < desired {
                night.fleet(&late).stalled = true;
                night.publish(&late);
            }
        });
        self.after(60, move |night| night.reconcile(&key));
    }

    /// Changes the number of replicas, as an autoscaler does.
    pub(super) fn scale(&mut self, key: &str, replicas: usize, why: &str, placement: &[&'static str]) {
        let now = self.now;
        let fleet = self.fleet(key);
        fleet.placement = placement.iter().copied().collect();
        fleet.desired = replicas;
        let (namespace, name) = (fleet.workload.namespace, fleet.workload.name);
        self.api.update(Resource::Deployments, CONTROLLER, namespace, name, now, |object| {
            object["metadata"]["generation"] = json!(object["metadata"]["generation"].as_u64().unwrap_or(1) + 1);
            object["spec"]["replicas"] = json!(replicas);
        });
        let reference = self.reference(Resource::Autoscalers, namespace, name);
        let message = format!("New size: {replicas}; reason: {why}");
        self.report(("horizontal-pod-autoscaler", ""), reference, EventType::Normal, "SuccessfulRescale", message);
        self.api.update(Resource::Autoscalers, CONTROLLER_STATUS, namespace, name, now, |object| {
            object["status"]["desiredReplicas"] = json!(replicas);
            object["status"]["lastScaleTime"] = json!(seconds(now));
        });
        let key = key.to_owned();
        self.after(60, move |night| night.reconcile(&key));
    }

    /// Takes the next step of a Deployment's rolling update (25 % surge, 25 % unavailable).
    pub(super) fn reconcile(&mut self, key: &str) {
        let fleet = self.fleet(key);
        let (workload, desired, current) = (fleet.workload, fleet.desired, fleet.current);
        if workload.controller == Controller::Deployment {
            let pods = self.pods_of(workload);
            let count = |set: usize| pods.iter().filter(|(_, pod)| pod.set == set).count();
            let (new, total) = (count(current), pods.len());
            let old_ready = pods.iter().filter(|(_, pod)| pod.set != current && pod.ready).count();
            let ready = pods.iter().filter(|(_, pod)| pod.ready).count();
            let surge = if total > new { desired.div_ceil(4) } else { 0 };
            let surge = if total == desired && new == 0 { desired.div_ceil(4) } else { surge };
            let room = (desired + surge).saturating_sub(total).min(desired.saturating_sub(new));
            let spare = ready.saturating_sub(desired - desired / 4);
            let old = (0..self.fleet(key).sets.len()).filter(|set| *set != current).find(|set| count(*set) > 0);
            let old_broken = (total - new) - old_ready;
            if new > desired {
                self.resize(key, current, desired);
            } else if room > 0 {
                self.resize(key, current, new + room);
            }
            if let Some(old) = old {
                let going = spare.min(old_ready) + old_broken;
                if going > 0 {
                    self.resize(key, old, count(old).saturating_sub(going));
                }
            }
        }
        self.publish(key);
    }

    /// Scales one ReplicaSet: the deployment controller says so, the ReplicaSet controller makes or deletes the pods.
    fn resize(&mut self, key: &str, set: usize, size: usize) {
        let fleet = self.fleet(key);
        let workload = fleet.workload;
        let from = std::mem::replace(&mut fleet.sets[set].size, size);
        let name = fleet.sets[set].name.clone();
        if from == size {
            return;
        }
        self.api.update(Resource::ReplicaSets, CONTROLLER, workload.namespace, &name, self.now, |object| {
            object["metadata"]["generation"] = json!(object["metadata"]["generation"].as_u64().unwrap_or(1) + 1);
            object["spec"]["replicas"] = json!(size);
        });
        let direction = if size > from { "up" } else { "down" };
        let message = format!("Scaled {direction} replica set {name} from {from} to {size}");
        let reference = self.reference(Resource::Deployments, workload.namespace, workload.name);
        self.report(("deployment-controller", ""), reference, EventType::Normal, "ScalingReplicaSet", message);
        for _ in from..size {
            self.spawn(key, Some(set), None, None);
        }
        let mut pods = self.pods_of(workload);
        pods.retain(|(_, pod)| pod.set == set);
        // Pods that are not ready go first, then the youngest.
        pods.sort_by_key(|(id, pod)| (pod.ready, std::cmp::Reverse(pod.scheduled), id.clone()));
        for (id, _) in pods.into_iter().take(from.saturating_sub(size)) {
            let reference = self.reference(Resource::ReplicaSets, workload.namespace, &name);
            let message = format!("Deleted pod: {}", id.1);
            self.report(("replicaset-controller", ""), reference, EventType::Normal, "SuccessfulDelete", message);
            let key = key.to_owned();
            self.delete_pod(&id, move |night| night.settle(&key));
        }
    }
}

//! What the CronJob and Job controllers do.

use serde_json::{Value, json};

use super::api::{ObjectName, Resource, seconds};
use super::controllers::{CONTROLLER, CONTROLLER_STATUS, owner};
use super::manifests::{Container, job_spec, template};
use super::night::Night;
use crate::correlator::EventType;

impl Night {
    /// Runs the CronJob once.
    pub(super) fn run_job(&mut self, key: &str, node: &'static str) {
        let now = self.now;
        let fleet = self.fleet(key);
        let (workload, cron_uid, suffix) = (fleet.workload, fleet.uid.clone(), fleet.dice.suffix(5));
        let (namespace, cron) = (workload.namespace, workload.name);
        let job = format!("{cron}-{}", now.timestamp() / 60);
        let metadata = json!({
            "name": job,
            "namespace": namespace,
            "generation": 1,
            "labels": {"app.kubernetes.io/name": cron},
            "ownerReferences": owner(Resource::CronJobs, cron, &cron_uid),
        });
        let body = json!({"spec": job_spec(template(workload, workload.image)), "status": {}});
        let uid = self.api.create(Resource::Jobs, CONTROLLER, metadata, body, now);
        let reference = self.reference(Resource::CronJobs, namespace, cron);
        let message = format!("Created job {job}");
        self.report(("cronjob-controller", ""), reference, EventType::Normal, "SuccessfulCreate", message);
        self.api.update(Resource::CronJobs, CONTROLLER_STATUS, namespace, cron, now, |object| {
            object["status"] = json!({"active": [{"kind": "Job", "name": job}], "lastScheduleTime": seconds(now)});
        });
        let (key, name) = (key.to_owned(), format!("{job}-{suffix}"));
        self.after(30, move |night| {
            let owners = owner(Resource::Jobs, &job, &uid);
            let id = night.make_pod(&key, &name, (owners, ""), (0, workload.image), node);
            let reference = night.reference(Resource::Jobs, namespace, &job);
            let message = format!("Created pod: {name}");
            night.report(("job-controller", ""), reference, EventType::Normal, "SuccessfulCreate", message);
            let started = seconds(night.now);
            night.api.update(Resource::Jobs, CONTROLLER_STATUS, namespace, &job, night.now, |object| {
                object["status"] = json!({"startTime": started, "active": 1, "ready": 0});
            });
            night.schedule(id.clone());
            night.after(570_000, move |night| night.job_overdue(&id, &job));
        });
    }

    /// Ends a Job whose pod has not finished within its deadline.
    fn job_overdue(&mut self, id: &ObjectName, job: &str) {
        if self.living(id).is_none_or(|pod| matches!(pod.container, Container::Exited { .. })) {
            return;
        }
        let reference = self.reference(Resource::Jobs, &id.0, job);
        let component = ("job-controller", "");
        let message = format!("Deleted pod: {}", id.1);
        self.report(component, reference.clone(), EventType::Normal, "SuccessfulDelete", message);
        let message = "Job was active longer than specified deadline";
        self.report(component, reference, EventType::Warning, "DeadlineExceeded", message);
        self.delete_pod(id, |_| {});
        self.finish_job(&id.0, job, json!({"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": message}));
    }

    /// Marks the Job of a pod complete.
    pub(super) fn job_completed(&mut self, id: &ObjectName) {
        let Some((job, _)) = id.1.rsplit_once('-') else { return };
        let reference = self.reference(Resource::Jobs, &id.0, job);
        self.report(("job-controller", ""), reference, EventType::Normal, "Completed", "Job completed");
        self.finish_job(&id.0, job, json!({"type": "Complete", "status": "True"}));
    }

    fn finish_job(&mut self, namespace: &str, job: &str, mut condition: Value) {
        let now = self.now;
        let complete = condition["type"] == "Complete";
        condition["lastTransitionTime"] = json!(seconds(now));
        self.api.update(Resource::Jobs, CONTROLLER_STATUS, namespace, job, now, |object| {
            let started = object["status"]["startTime"].take();
            object["status"] = json!({"startTime": started, "conditions": [condition]});
            let outcome = if complete { "succeeded" } else { "failed" };
            object["status"][outcome] = json!(1);
        });
        let Some((cron, _)) = job.rsplit_once('-') else { return };
        self.api.update(Resource::CronJobs, CONTROLLER_STATUS, namespace, cron, now, |object| {
            object["status"]["active"] = json!([]);
            if complete {
                object["status"]["lastSuccessfulTime"] = json!(seconds(now));
            }
        });
        let reference = self.reference(Resource::CronJobs, namespace, cron);
        let status = if complete { "Complete" } else { "Failed" };
        let message = format!("Saw completed job: {job}, condition: {status}");
        self.report(("cronjob-controller", ""), reference, EventType::Normal, "SawCompletedJob", message);
        // The history limits: a finished Job goes half an hour later, its pod with it.
        let (namespace, job) = (namespace.to_owned(), job.to_owned());
        self.after(1_800_000, move |night| {
            let pods: Vec<ObjectName> = night.pods.keys().filter(|(_, pod)| pod.starts_with(&format!("{job}-"))).cloned().collect();
            for id in pods {
                night.delete_pod(&id, |_| {});
            }
            night.api.delete(Resource::Jobs, &namespace, &job, night.now);
        });
    }
}

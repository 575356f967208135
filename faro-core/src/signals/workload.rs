//! What runs pods: how many it wants, and how many it has.

use super::{Condition, calls, part, reference};
use crate::input::{Fields, RawObject, Text};
use crate::time::Nanos;
use crate::topology::{Detail, Fact, Reading, Relation};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec<'a> {
    replicas: Option<i64>,
    #[serde(borrow)]
    template: Option<Template<'a>>,
    #[serde(borrow)]
    service_name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Template<'a> {
    #[serde(borrow)]
    metadata: TemplateMetadata<'a>,
    #[serde(borrow)]
    spec: calls::TemplateSpec<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TemplateMetadata<'a> {
    #[serde(borrow)]
    labels: Fields<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status<'a> {
    replicas: i64,
    ready_replicas: i64,
    updated_replicas: i64,
    desired_number_scheduled: i64,
    current_number_scheduled: i64,
    number_ready: i64,
    #[serde(borrow)]
    conditions: Option<Vec<Condition<'a>>>,
}

pub(super) fn read(object: &RawObject<'_>, reading: &mut Reading) {
    let spec: Spec<'_> = part(object.0.spec);
    let status: Status<'_> = part(object.0.status);
    let daemon = object.kind() == "DaemonSet";
    let (wanted, ready, existing) = if daemon {
        (status.desired_number_scheduled, status.number_ready, status.current_number_scheduled)
    } else {
        (spec.replicas.unwrap_or(1), status.ready_replicas, status.replicas)
    };
    if !spec.service_name.is_empty() {
        reading.refs.push(reference(Relation::RefersTo, "Service", object.namespace(), &spec.service_name));
    }
    let mut called: Vec<Box<str>> = Vec::new();
    if let Some(template) = spec.template.as_ref().filter(|_| object.kind() != "ReplicaSet") {
        for (to, port) in calls::of(&template.spec, object.namespace()) {
            if !port.is_empty() && to.namespace == object.namespace() {
                called.push(format!("{}:{port}", to.name).into());
            }
            reading.refs.push(to);
        }
    }
    let template = spec
        .template
        .as_ref()
        .map(|template| template.metadata.labels.0.iter().map(|(key, value)| format!("{key}={value}").into_boxed_str()).collect());
    // A ReplicaSet says of its pods what its Deployment says.
    let template = template.filter(|_| object.kind() != "ReplicaSet").unwrap_or_default();
    reading.detail = Detail::Workload { wanted, ready, template, calls: called.into() };
    let created = object.metadata().creation_timestamp.0;
    let condition = |type_: &str, status_: &str| {
        status.conditions.iter().flatten().find(|condition| &*condition.type_ == type_ && &*condition.status == status_)
    };
    let mut fact = |name: &str, text: String, since: Nanos| reading.facts.push(Fact::new(name, text, since));
    if wanted == 0 {
        if matches!(object.kind(), "Deployment" | "StatefulSet" | "ReplicationController") {
            fact("scaled-to-zero", "no replicas are asked for".to_owned(), created.unwrap_or(Nanos(0)));
        }
        return;
    }
    if object.0.status.is_none() {
        // A manifest: nobody has tried to make it so.
        return;
    }
    let available = condition("Available", "False");
    let since = available.map(|available| available.since(created)).or(created).unwrap_or(Nanos(0));
    if ready < wanted {
        fact("unavailable", format!("{ready} of {wanted} replicas are ready"), since);
    }
    if existing < wanted {
        fact("missing-replicas", format!("{existing} of {wanted} replicas exist"), since);
    }
    if let Some(failure) = condition("ReplicaFailure", "True") {
        fact("replica-failure", failure.says(), failure.since(created));
    }
    if let Some(stuck) = condition("Progressing", "False") {
        fact("not-progressing", stuck.says(), stuck.since(created));
    }
    if object.kind() == "Deployment" && status.updated_replicas > 0 && status.updated_replicas < wanted && ready >= wanted {
        // The old version still serves: degraded only once the new one does not come.
        fact("rolling-out", format!("{} of {wanted} replicas are of the new version", status.updated_replicas), since);
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct JobStatus<'a> {
    #[serde(borrow)]
    conditions: Option<Vec<Condition<'a>>>,
}

pub(super) fn read_job(object: &RawObject<'_>, reading: &mut Reading) {
    let status: JobStatus<'_> = part(object.0.status);
    let created = object.metadata().creation_timestamp.0;
    let failed = status.conditions.iter().flatten().find(|condition| &*condition.type_ == "Failed" && &*condition.status == "True");
    if let Some(failed) = failed {
        reading.facts.push(Fact::new("job-failed", failed.says(), failed.since(created)));
    }
}

//! Pods: what they need, and how their containers fare.

mod shape;

use super::{Condition, labels, part, reference};
use crate::hash::Fingerprint;
use crate::input::RawObject;
use crate::time::Nanos;
use crate::topology::{Detail, Fact, Plan, Reading, Relation};
use serde_json::value::RawValue;
use shape::{ContainerStatus, Port, Scheduler, Spec, Status, Terminated};

/// Messages of containers are kept to this length; a log tail is no message.
const MESSAGE: usize = 512;

/// Reads a pod. Of one whose specification is known, by its fingerprint, only what changes while it runs.
pub(super) fn read(object: &RawObject<'_>, known: Option<(u64, &Detail)>, reading: &mut Reading) {
    let status: Status<'_> = part(object.0.status);
    let finished = matches!(&*status.phase, "Succeeded" | "Failed");
    let statuses = status.container_statuses.as_deref().unwrap_or_default();
    let is_ready = |condition: &&Condition<'_>| &*condition.type_ == "Ready" && &*condition.status == "True";
    let ready = status.conditions.iter().flatten().any(|condition| is_ready(&condition));
    let restarts = statuses.iter().map(|container| container.restart_count).max().unwrap_or(0);
    reading.written = written(object, finished);
    let plan = match known {
        Some((before, &Detail::Pod { plan, .. })) if before == reading.written => {
            reading.running = Some((ready, restarts));
            plan
        }
        Some(_) | None => structure(object, finished, (ready, restarts), reading),
    };
    let created = object.metadata().creation_timestamp.0;
    if let Some(at) = object.metadata().deletion_timestamp.0 {
        reading.facts.push(Fact::new("stuck-terminating", "it is still there after its grace period", at));
        return;
    }
    match &*status.phase {
        "Succeeded" => {}
        "Failed" => {
            let ended = statuses.iter().filter_map(|container| container.state.as_ref()?.terminated.as_ref()?.finished_at.0).max();
            let name = if status.reason.is_empty() { "failed/Error".to_owned() } else { format!("failed/{}", status.reason) };
            reading.facts.push(Fact::new(name, cut(&status.message), ended.or(created).unwrap_or(Nanos(0))));
        }
        _ => running(object, &status, plan, reading),
    }
}

/// The fingerprint of what a pod's place in the topology follows from.
fn written(object: &RawObject<'_>, finished: bool) -> u64 {
    let mut fields = Fingerprint::default();
    let fields = fields.start().number(u64::from(finished)).text(object.api_version()).text(object.0.spec.map_or("", RawValue::get));
    for (key, value) in &object.metadata().labels.0 {
        fields.text(key).text(value);
    }
    for owner in object.metadata().owner_references.as_deref().unwrap_or_default() {
        fields.text(&owner.kind).text(&owner.name).text(&owner.uid).number(owner.controller.map_or(2, u64::from));
    }
    fields.finish()
}

/// What a pod depends on and what finds it.
fn structure(object: &RawObject<'_>, finished: bool, (ready, restarts): (bool, u32), reading: &mut Reading) -> Plan {
    let spec: Spec<'_> = part(object.0.spec);
    super::owners(object, reading);
    if !finished {
        // One that has ended takes no traffic.
        reading.labels = labels(object.metadata().labels.0.iter().map(|(key, value)| (&**key, &**value)));
    }
    needs(object.namespace(), &spec, reading);
    let containers = spec.containers.as_deref().unwrap_or_default();
    let plan = Plan { placed: !spec.node_name.is_empty(), once: &*spec.restart_policy == "Never" };
    reading.detail = Detail::Pod {
        ready,
        ports_told: !containers.is_empty()
            && containers.iter().all(|container| container.ports.as_ref().is_some_and(|ports| !ports.is_empty())),
        ports: containers.iter().flat_map(|container| container.ports.iter().flatten()).map(|port| told(port).into()).collect(),
        restarts,
        plan,
        asks: asked_of_nodes(&spec),
    };
    plan
}

fn told(port: &Port<'_>) -> String {
    match &*port.protocol {
        "" | "TCP" => format!("{}={}", port.name, port.container_port),
        protocol => format!("{}={}/{protocol}", port.name, port.container_port),
    }
}

/// The labels that a node has to have for a pod that waits for one; none where it asks for more than labels.
fn asked_of_nodes(spec: &Spec<'_>) -> Box<[Box<str>]> {
    let affinity = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let more = affinity.is_some_and(|affinity| affinity.required_during_scheduling_ignored_during_execution.is_some());
    if more || !spec.node_name.is_empty() {
        return Box::default();
    }
    labels(spec.node_selector.0.iter().map(|(key, value)| (&**key, &**value))).into_iter().map(Into::into).collect()
}

/// What the pod refers to.
fn needs(namespace: &str, spec: &Spec<'_>, reading: &mut Reading) {
    // A container starts without what is optional.
    let mut needs = |relation, kind: &str, name: &str, optional: bool| {
        if !name.is_empty() && !optional {
            reading.refs.push(reference(relation, kind, if kind == "Node" { "" } else { namespace }, name));
        }
    };
    needs(Relation::RunsOn, "Node", &spec.node_name, false);
    needs(Relation::ActsAs, "ServiceAccount", &spec.service_account_name, false);
    for secret in spec.image_pull_secrets.iter().flatten() {
        needs(Relation::PullsWith, "Secret", &secret.name, false);
    }
    for volume in spec.volumes.iter().flatten() {
        if let Some(claim) = &volume.persistent_volume_claim {
            needs(Relation::UsesClaim, "PersistentVolumeClaim", &claim.claim_name, false);
        }
        if let Some(secret) = &volume.secret {
            needs(Relation::ReadsSecret, "Secret", &secret.secret_name, secret.optional);
        }
        let sources = volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten());
        // Every pod has the cluster's own certificates: who depends on them does not tell anything.
        let configs = sources.clone().filter_map(|source| source.config_map.as_ref()).chain(&volume.config_map);
        configs
            .filter(|config| &*config.name != "kube-root-ca.crt")
            .for_each(|config| needs(Relation::ReadsConfig, "ConfigMap", &config.name, config.optional));
        sources
            .filter_map(|source| source.secret.as_ref())
            .for_each(|secret| needs(Relation::ReadsSecret, "Secret", &secret.name, secret.optional));
    }
    for container in spec.containers.iter().chain(&spec.init_containers).flatten() {
        for from in container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref()) {
            from.config_map_key_ref.iter().for_each(|config| needs(Relation::ReadsConfig, "ConfigMap", &config.name, config.optional));
            from.secret_key_ref.iter().for_each(|secret| needs(Relation::ReadsSecret, "Secret", &secret.name, secret.optional));
        }
        for from in container.env_from.iter().flatten() {
            from.config_map_ref.iter().for_each(|config| needs(Relation::ReadsConfig, "ConfigMap", &config.name, config.optional));
            from.secret_ref.iter().for_each(|secret| needs(Relation::ReadsSecret, "Secret", &secret.name, secret.optional));
        }
    }
}

/// A pod that ought to run.
fn running(object: &RawObject<'_>, status: &Status<'_>, plan: Plan, reading: &mut Reading) {
    let created = object.metadata().creation_timestamp.0;
    let mut fact = |name: &str, text: &str, since: Nanos| reading.facts.push(Fact::new(name, text, since));
    let condition = |type_: &str| status.conditions.iter().flatten().find(|condition| &*condition.type_ == type_);
    let scheduled = condition("PodScheduled");
    if !plan.placed {
        match scheduled {
            Some(scheduled) if &*scheduled.status == "False" && &*scheduled.reason == "SchedulingGated" => {
                fact("gated", &scheduled.says(), scheduled.since(created));
            }
            Some(scheduled) if &*scheduled.status == "False" => fact("unscheduled", &scheduled.message, scheduled.since(created)),
            Some(_) => {}
            // Without a phase it is a manifest that no API server has taken.
            None if &*status.phase != "Pending" => {}
            None => fact("never-scheduled", &unseen(object), created.unwrap_or(Nanos(0))),
        }
        return;
    }
    let statuses = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    let ready = condition("Ready");
    let unready = ready.is_some_and(|ready| &*ready.status != "True");
    let unready_since = ready.map_or(created, |ready| Some(ready.since(created))).unwrap_or(Nanos(0));
    let mut told = false;
    let mut creating = &*status.phase == "Pending";
    for container in statuses {
        let waiting = container.state.as_ref().and_then(|state| state.waiting.as_ref());
        creating |= waiting.is_some_and(|waiting| &*waiting.reason == "ContainerCreating");
        told |= container_facts(container, plan, unready_since, &mut fact);
    }
    if unready && !told {
        let completed = ready.is_some_and(|ready| &*ready.reason == "PodCompleted");
        if !completed {
            fact(if creating { "creating" } else { "not-ready" }, &ready.map(Condition::says).unwrap_or_default(), unready_since);
        }
    }
}

/// Which scheduler a pod waits for that none has looked at.
fn unseen(object: &RawObject<'_>) -> String {
    let Scheduler { scheduler_name } = part(object.0.spec);
    match &*scheduler_name {
        "" | "default-scheduler" => "no scheduler has looked at it".to_owned(),
        own => format!("the scheduler {own} has not looked at it"),
    }
}

/// What is wrong with one container, and whether anything is.
fn container_facts(container: &ContainerStatus<'_>, plan: Plan, since: Nanos, fact: &mut impl FnMut(&str, &str, Nanos)) -> bool {
    let state = container.state.as_ref();
    let waiting = state.and_then(|state| state.waiting.as_ref());
    let terminated = state.and_then(|state| state.terminated.as_ref());
    let running = state.and_then(|state| state.running.as_ref());
    let last = container.last_state.as_ref().and_then(|last| last.terminated.as_ref());
    let mut ended = |end: &Terminated<'_>, at: Nanos| {
        let text = if end.message.is_empty() {
            format!("container {} ended with exit code {}", container.name, end.exit_code)
        } else {
            format!("container {} ended with exit code {}: {}", container.name, end.exit_code, cut(&end.message))
        };
        fact(&format!("exit/{}", end.exit_code), &text, at);
        if !end.reason.is_empty() {
            fact(&format!("terminated/{}", end.reason), &text, at);
        }
    };
    let mut told = false;
    if let Some(waiting) = waiting {
        if matches!(&*waiting.reason, "" | "ContainerCreating" | "PodInitializing") {
            return false;
        }
        // What it waits for began at the latest when it last ended.
        let at = last.and_then(|last| last.finished_at.0).map_or(since, |at| since.max(at));
        if let Some(last) = last {
            ended(last, at);
        }
        fact(&format!("waiting/{}", waiting.reason), cut(&waiting.message), at);
        return true;
    }
    if let Some(end) = terminated
        && end.exit_code != 0
        && !plan.once
    {
        ended(end, end.finished_at.0.unwrap_or(since));
        told = true;
    }
    if let Some(running) = running
        && !container.ready
    {
        if let Some(last) = last.filter(|last| last.exit_code != 0) {
            ended(last, last.finished_at.0.unwrap_or(since));
            told = true;
        }
        if container.restart_count > 0 {
            let text = format!("container {} runs for the {}th time and is not ready", container.name, container.restart_count + 1);
            fact("restarting", &text, running.started_at.0.map_or(since, |at| since.min(at)));
            told = true;
        }
    }
    told
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MESSAGE)]
}

//! The part of an object that `changes` speaks of, as a flat list of paths and values.

use crate::hash;
use crate::input::RawObject;
use serde_json::Value;
use std::fmt::Write;

/// Values are cut at this many bytes.
const VALUE_BYTES: usize = 256;

/// Paths longer than this are not followed: no field of the API is that deep.
const PATH_BYTES: usize = 1024;

/// At most so many leaves of one object are kept; more is not a spec but a store.
const LEAVES: usize = 4096;

/// Status fields that say how an object fares. Heartbeats, addresses and observed generations do not.
const STATUS: &[&str] = &[
    "phase",
    "reason",
    "replicas",
    "readyReplicas",
    "updatedReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "currentReplicas",
    "desiredReplicas",
    "desiredNumberScheduled",
    "currentNumberScheduled",
    "numberReady",
    "numberAvailable",
    "numberUnavailable",
    "numberMisscheduled",
    "updatedNumberScheduled",
    "active",
    "succeeded",
    "failed",
    "used",
    "hard",
    "capacity",
    "currentHealthy",
    "desiredHealthy",
    "disruptionsAllowed",
];

/// Paths and values in the order of paths.
pub(crate) type Leaves = Vec<(String, String)>;

/// Flattens what matters of an object. Of ConfigMaps the data keys with a hash each; of Secrets nothing.
pub(crate) fn of(object: &RawObject<'_>) -> Leaves {
    let mut leaves = Leaves::new();
    let parse = |raw: Option<&serde_json::value::RawValue>| raw.and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
    if let Some(at) = object.metadata().deletion_timestamp.0 {
        leaves.push(("metadata.deletionTimestamp".to_owned(), at.to_string()));
    }
    match object.kind() {
        "Secret" => return leaves,
        "ConfigMap" => {
            for (field, raw) in [("data", object.0.data), ("binaryData", object.0.binary_data)] {
                let Some(Value::Object(data)) = parse(raw) else { continue };
                let hashes = data.iter().map(|(key, value)| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    (format!("{field}[{}]", cut(key)), format!("xxh3:{:016x}", hash::of_text(&text)))
                });
                leaves.extend(hashes);
            }
        }
        _ => {
            if let Some(spec) = parse(object.0.spec) {
                flatten(&mut leaves, &mut String::from("spec"), &spec);
            }
            if let Some(Value::Object(status)) = parse(object.0.status) {
                status_of(&mut leaves, &status);
            }
        }
    }
    leaves.truncate(LEAVES);
    leaves.sort_unstable();
    leaves
}

fn status_of(leaves: &mut Leaves, status: &serde_json::Map<String, Value>) {
    for field in STATUS {
        if let Some(value) = status.get(*field) {
            flatten(leaves, &mut format!("status.{field}"), value);
        }
    }
    for condition in status.get("conditions").and_then(Value::as_array).into_iter().flatten() {
        let Some(type_) = condition.get("type").and_then(Value::as_str).map(cut) else { continue };
        for field in ["status", "reason"] {
            if let Some(value) = condition.get(field) {
                flatten(leaves, &mut format!("status.conditions[{type_}].{field}"), value);
            }
        }
    }
    for list in ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"] {
        for container in status.get(list).and_then(Value::as_array).into_iter().flatten() {
            let Some(name) = container.get("name").and_then(Value::as_str).map(cut) else { continue };
            let path = format!("status.{list}[{name}]");
            for field in ["ready", "restartCount", "image"] {
                if let Some(value) = container.get(field) {
                    flatten(leaves, &mut format!("{path}.{field}"), value);
                }
            }
            let Some(Value::Object(state)) = container.get("state") else { continue };
            for (state, detail) in state {
                let state = cut(state);
                leaves.push((format!("{path}.state"), state.to_owned()));
                for field in ["reason", "exitCode"] {
                    if let Some(value) = detail.get(field) {
                        flatten(leaves, &mut format!("{path}.state.{state}.{field}"), value);
                    }
                }
            }
        }
    }
}

fn flatten(leaves: &mut Leaves, path: &mut String, value: &Value) {
    if leaves.len() >= LEAVES || path.len() > PATH_BYTES {
        return;
    }
    let length = path.len();
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => leaves.push((path.clone(), value.to_string())),
        Value::String(text) => leaves.push((path.clone(), cut(text).to_owned())),
        Value::Object(fields) => {
            for (key, value) in fields {
                let key = cut(key);
                // Writing to a String does not fail.
                let _ = if key.contains(['.', '/']) { write!(path, "[{key}]") } else { write!(path, ".{key}") };
                flatten(leaves, path, value);
                path.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                // Lists of named things are keyed by name, as server-side apply does; others by place.
                let name = ["name", "type", "key", "topologyKey"].iter().find_map(|key| item.get(key)).and_then(Value::as_str).map(cut);
                let _ = match name {
                    Some(name) => write!(path, "[{name}]"),
                    None => write!(path, "[{index}]"),
                };
                flatten(leaves, path, item);
                path.truncate(length);
            }
        }
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(VALUE_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{self, Body};

    #[test]
    fn named_list_items_are_keyed_by_name() {
        check(
            r#"{"kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"app","image":"shop/web:1","ports":[{"containerPort":80}]}]},"status":{"podIP":"10.0.0.1","conditions":[{"type":"Ready","status":"False","lastProbeTime":null}],"containerStatuses":[{"name":"app","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}}"#,
            &[
                ("spec.containers[app].image", "shop/web:1"),
                ("spec.containers[app].name", "app"),
                ("spec.containers[app].ports[0].containerPort", "80"),
                ("status.conditions[Ready].status", "False"),
                ("status.containerStatuses[app].state", "waiting"),
                ("status.containerStatuses[app].state.waiting.reason", "CrashLoopBackOff"),
            ],
        );
    }

    #[test]
    fn configmap_values_are_hashed_and_secrets_left_out() {
        let of_config = leaves(r#"{"kind":"ConfigMap","metadata":{"name":"c"},"data":{"password":"hunter2"}}"#);
        assert_eq!(of_config.len(), 1);
        assert!(of_config[0].0 == "data[password]" && !of_config[0].1.contains("hunter2"));
        check(r#"{"kind":"Secret","metadata":{"name":"s"},"data":{"password":"aHVudGVyMg=="}}"#, &[]);
    }

    #[track_caller]
    fn check(json: &str, want: &[(&str, &str)]) {
        let want: Leaves = want.iter().map(|&(path, value)| (path.to_owned(), value.to_owned())).collect();
        assert_eq!(leaves(json), want);
    }

    fn leaves(json: &str) -> Leaves {
        let Body::Object(object) = input::read(json).unwrap().body else { panic!("an object") };
        of(&object)
    }
}

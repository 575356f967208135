//! How scenarios are played: Events about the pod `shop/web-1`, at seconds after nine in the evening.

use faro_core::{Emit, EngineConfig};
use faro_tests::model::{START, rfc3339};
use faro_tests::replayed::Run;
use serde_json::{Value, json};

pub(crate) const WEB_UID: &str = "6c1b7b0a-3f0e-4a52-9d5a-0a4e0f1d2c3b";

/// The moment so many seconds after nine.
pub(crate) fn at(seconds: i64) -> String {
    rfc3339(START + seconds * 1_000_000_000)
}

/// The moment so many microseconds after nine.
pub(crate) fn at_micros(micros: i64) -> String {
    rfc3339(START + micros * 1_000)
}

/// `FailedCreatePodSandBox` of the pod, with other fields where `fields` names some.
pub(crate) fn event(name: &str, fields: Value) -> Value {
    with(
        json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "shop"}, "involvedObject": pod("web-1", WEB_UID),
            "reason": "FailedCreatePodSandBox", "type": "Warning", "message": "Failed to create pod sandbox: rpc error",
            "source": {"component": "kubelet", "host": "n1"}, "firstTimestamp": at(0), "lastTimestamp": at(0), "count": 1,
        }),
        fields,
    )
}

/// An Event of this count, first seen at nine, last seen so many seconds later.
pub(crate) fn counted(name: &str, count: u32, last: i64) -> Value {
    event(name, json!({"count": count, "lastTimestamp": at(last)}))
}

/// A single occurrence so many seconds after nine.
pub(crate) fn once(name: &str, seconds: i64) -> Value {
    event(name, json!({"firstTimestamp": at(seconds), "lastTimestamp": at(seconds)}))
}

/// A reference to a pod of the namespace `shop`.
pub(crate) fn pod(name: &str, uid: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": name, "uid": uid})
}

/// The same object with these fields.
pub(crate) fn with(mut object: Value, fields: Value) -> Value {
    if let (Some(object), Value::Object(fields)) = (object.as_object_mut(), fields) {
        object.extend(fields);
    }
    object
}

/// An envelope with the moment of its delivery.
pub(crate) fn watched(verb: &str, seconds: i64, object: &Value) -> Value {
    json!({"type": verb, "receivedAt": at(seconds), "object": object})
}

/// A control line of a recording.
pub(crate) fn control(control: &str, seconds: i64) -> Value {
    json!({"control": control, "gvr": "v1/events", "receivedAt": at(seconds)})
}

/// Every record type, default settings.
pub(crate) fn everything() -> EngineConfig {
    EngineConfig::default().emit(Emit::ALL)
}

/// Replays values with every record type printed.
pub(crate) fn play(values: &[Value]) -> Run {
    play_with(everything(), values)
}

pub(crate) fn play_with(config: EngineConfig, values: &[Value]) -> Run {
    let lines: Vec<String> = values.iter().map(Value::to_string).collect();
    Run::replay(lines.iter().map(String::as_str), config, None)
}

/// The only group of a run.
#[track_caller]
pub(crate) fn only_group(run: &Run) -> Value {
    let groups = run.groups();
    assert_eq!(groups.len(), 1, "{groups:#?}");
    groups[0].clone()
}

/// The counts of all groups, in order of their start.
pub(crate) fn counts(run: &Run) -> Vec<u64> {
    let mut groups = run.groups();
    groups.sort_by_key(|group| group["firstSeen"].to_string());
    groups.iter().filter_map(|group| group["count"].as_u64()).collect()
}

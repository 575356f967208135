//! The simulated recorder writes what client-go's would.

use chrono::{DateTime, TimeDelta, Utc};
use faro_tests::control_plane::{ControlPlane, Recorder};
use faro_tests::correlator::{EventType, ObjectRef, Report};
use serde_json::{Value, json};

/// A pod that was never scheduled: the recorder needs only something to refer to.
fn pod(cluster: &ControlPlane, namespace: &str) -> ObjectRef {
    let pod = json!({
        "metadata": {"name": "web-1"},
        "spec": {"schedulingGates": [{"name": "faro.dev/never"}], "containers": [{"name": "app", "image": "registry.example/app:1"}]},
    });
    ObjectRef::to(&cluster.api().create(&format!("/api/v1/namespaces/{namespace}/pods"), &pod).expect("created"))
}

fn report(object: &ObjectRef, message: &str) -> Report {
    Report {
        component: "kubelet".to_owned(),
        host: "node-1".to_owned(),
        object: object.clone(),
        event_type: EventType::Warning,
        reason: "BackOff",
        message: message.to_owned(),
    }
}

/// The reports come at this moment and so many seconds later, on a clock that the test moves.
fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_757_710_800, 0).expect("in range") + TimeDelta::seconds(seconds)
}

fn events(cluster: &ControlPlane, namespace: &str) -> Vec<Value> {
    let events = cluster.events_about(namespace, "web-1").expect("events");
    events.into_iter().filter(|event| event["source"]["component"] == "kubelet" || event["series"].is_object()).collect()
}

#[test]
fn repeats_are_one_event_whose_count_rises() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("recorder");
    let object = pod(&cluster, &namespace);
    let mut recorder = Recorder::new(cluster.api().clone());
    let mut versions = Vec::new();
    for seconds in 0..3 {
        let written = recorder.report(&report(&object, "Back-off restarting failed container"), at(seconds)).expect("written");
        versions.push(written.expect("no filter yet")["metadata"]["resourceVersion"].clone());
    }
    let events = events(&cluster, &namespace);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["count"], 3);
    assert_eq!(events[0]["firstTimestamp"], "2025-09-12T21:00:00Z");
    assert_eq!(events[0]["lastTimestamp"], "2025-09-12T21:00:02Z");
    assert_eq!(events[0]["involvedObject"]["uid"], object.uid);
    assert_eq!(events[0]["metadata"]["resourceVersion"], versions[2]);
    assert_ne!(versions[0], versions[1]);
}

#[test]
fn an_expired_event_is_made_anew_with_the_next_count() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("recorder");
    let object = pod(&cluster, &namespace);
    let mut recorder = Recorder::new(cluster.api().clone());
    let mut write = |seconds| recorder.report(&report(&object, "Back-off"), at(seconds)).expect("written").expect("no filter yet");
    write(0);
    let before = write(10);
    let name = before["metadata"]["name"].as_str().expect("a name");
    // As when its time is over.
    cluster.api().delete(&format!("/api/v1/namespaces/{namespace}/events/{name}")).expect("deleted");
    let after = write(20);
    assert_eq!(after["count"], 3);
    assert_eq!(after["metadata"]["name"], before["metadata"]["name"]);
    assert_eq!(after["firstTimestamp"], before["firstTimestamp"]);
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"]);
}

#[test]
fn similar_events_are_combined_and_too_many_are_held_back() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("recorder");
    let object = pod(&cluster, &namespace);
    let mut recorder = Recorder::new(cluster.api().clone());
    let mut held_back = 0;
    for number in 0..30 {
        let message = format!("Failed to create pod sandbox \"{number}\"");
        if recorder.report(&report(&object, &message), at(number)).expect("written").is_none() {
            held_back += 1;
        }
    }
    assert_eq!(held_back, 5, "a burst of 25 writes");
    let written = events(&cluster, &namespace);
    let combined: Vec<&Value> = written
        .iter()
        .filter(|event| event["message"].as_str().is_some_and(|it| it.starts_with("(combined from similar events): ")))
        .collect();
    assert_eq!((written.len(), combined.len()), (10, 1));
    assert_eq!(combined[0]["count"], 16);

    // Five minutes earn one more write, which shows what was held back.
    let later = recorder.report(&report(&object, "Failed to create pod sandbox \"30\""), at(29 + 300)).expect("written");
    assert_eq!(later.expect("a token was earned")["count"], 22);
}

#[test]
fn a_series_is_written_at_its_second_occurrence_and_when_it_is_due() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("recorder");
    let object = pod(&cluster, &namespace);
    let mut recorder = Recorder::new(cluster.api().clone());
    let mut written = 0;
    for minute in 0..5 {
        let report = report(&object, "0/3 nodes are available");
        written += recorder.report_series(report, "Scheduling", at(minute * 60)).expect("written").iter().count();
    }
    assert_eq!(written, 2);
    assert_eq!(events(&cluster, &namespace)[0]["series"]["count"], 2);
    let refreshed = recorder.refresh_series().expect("written");
    assert_eq!(refreshed[0]["series"]["count"], 5);
    assert_eq!(refreshed[0]["series"]["lastObservedTime"], "2025-09-12T21:04:00.000000Z");
    let events = events(&cluster, &namespace);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["count"], Value::Null);
}

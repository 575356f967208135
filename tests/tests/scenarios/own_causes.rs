//! Causes that a user adds to the catalogue.

use crate::stage::{at, everything};
use chrono::DateTime;
use faro_core::severity::{Rules, UserRules};
use faro_tests::model::START;
use faro_tests::replayed::Run;
use serde_json::{Value, json};

const QUEUE: &str = "
causes:
  - code: queue-stalled
    category: load
    title: Queue {queue} of {workload} is stalled
    explanation: 'Nothing has been taken from {queue} for {detail...}.'
    root: workload
    scope: queue
    severity: high
    confidence: 0.9
    events:
      - {reason: [QueueStalled], message: ['queue {queue} stalled for {detail...}']}
    actions:
      - {title: Show the consumers, command: 'kubectl get pods -n {namespace}', why: Whether any runs, readOnly: true}
";

#[test]
fn cause_of_a_user_is_found_extracts_and_groups() {
    let run = |rules: Rules| {
        let events: Vec<String> = ["a", "b"].iter().map(|pod| stalled(pod, "orders").to_string()).collect();
        let end = DateTime::from_timestamp_nanos(START + 120_000_000_000);
        Run::replay(events.iter().map(String::as_str), everything().rules(rules), Some(end)).records("incident")
    };
    assert_eq!(run(Rules::builtin()), Vec::<Value>::new(), "the catalogue does not know it");
    let incidents = run(Rules::with_user(UserRules::parse(QUEUE).unwrap()));
    assert_eq!(incidents.len(), 1, "two pods at one queue are one incident: {incidents:#?}");
    assert_eq!(incidents[0]["cause"]["code"], "queue-stalled");
    assert_eq!(incidents[0]["cause"]["category"], "load");
    assert!(incidents[0]["title"].as_str().unwrap().contains("orders"));
    assert_eq!((&incidents[0]["rootCause"]["name"], &incidents[0]["affected"]["objects"][0]["name"]), (&json!("a"), &json!("b")));
    assert_eq!(incidents[0]["actions"][0]["command"], "kubectl get pods -n shop");
}

#[test]
fn cause_of_a_user_takes_the_place_of_the_one_with_its_code() {
    let text = "
causes:
  - {code: crash-loop, category: load, title: ours, explanation: ours, root: workload, severity: low, confidence: 0.9, events: [{reason: [BackOff]}]}
";
    let event =
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "shop"}, "type": "Warning", "reason": "BackOff",
        "message": "Back-off restarting failed container app in pod p", "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "p"},
        "count": 9, "firstTimestamp": at(5), "lastTimestamp": at(100)})
        .to_string();
    let end = DateTime::from_timestamp_nanos(START + 120_000_000_000);
    for (rules, want) in [(Rules::builtin(), "crash"), (Rules::with_user(UserRules::parse(text).unwrap()), "load")] {
        let incidents = Run::replay([event.as_str()], everything().rules(rules), Some(end)).records("incident");
        assert_eq!(incidents[0]["cause"]["category"], want);
    }
}

fn stalled(pod: &str, queue: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("e-{pod}"), "namespace": "shop"}, "type": "Warning", "reason": "QueueStalled",
        "message": format!("queue {queue} stalled for 5m"), "involvedObject": {"kind": "Pod", "namespace": "shop", "name": pod},
        "count": 6, "firstTimestamp": at(5), "lastTimestamp": at(100)})
}

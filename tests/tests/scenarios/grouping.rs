//! What belongs together: V5, V6, V7, V42.

use crate::stage::{WEB_UID, at, at_micros, counted, counts, event, everything, once, only_group, play, play_with, pod, watched, with};
use faro_core::GroupBy;
use faro_tests::replayed::Run;
use serde_json::{Value, json};

const SECOND: i64 = 1_000_000;

#[test]
fn v5_window_edges() {
    check_edge(299 * SECOND, true);
    check_edge(300 * SECOND, true);
    check_edge(300 * SECOND + 1, false);
    check_edge(600 * SECOND, false);
}

#[test]
fn v6_two_reasons_are_two_groups() {
    let unhealthy = event("web-1.17b", json!({"reason": "Unhealthy", "message": "Liveness probe failed: timeout"}));
    let run = play(&[once("web-1.17a", 0), unhealthy]);
    assert_eq!(counts(&run), [1, 1]);
    let reasons: Vec<Value> = run.groups().iter().map(|group| group["reason"].clone()).collect();
    assert!(reasons.contains(&json!("FailedCreatePodSandBox")) && reasons.contains(&json!("Unhealthy")));
}

#[test]
fn v6_one_reason_of_two_families_is_two_groups() {
    let crash = event("web-1.17a", json!({"reason": "BackOff", "message": "Back-off restarting failed container app in pod web-1_shop"}));
    let pull = event("web-1.17b", json!({"reason": "BackOff", "message": "Back-off pulling image \"shop/web:nope\""}));
    assert_eq!(counts(&play(&[crash, pull])), [1, 1]);
}

#[test]
fn v6_same_name_in_two_namespaces_is_two_groups() {
    let about = |namespace: &str| json!({"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": "web-1"});
    let of = |namespace: &str| {
        let metadata = json!({"name": "web-1.17a", "namespace": namespace});
        event("web-1.17a", json!({"metadata": metadata, "involvedObject": about(namespace)}))
    };
    let run = play(&[of("shop"), of("pay")]);
    assert_eq!(counts(&run), [1, 1]);
    let mut namespaces: Vec<String> = run.groups().iter().map(|group| group["resource"]["namespace"].to_string()).collect();
    namespaces.sort();
    assert_eq!(namespaces, ["\"pay\"", "\"shop\""]);
}

#[test]
fn v6_same_name_with_a_new_uid_is_another_group_that_links_to_the_earlier_one() {
    let other = "7d2c8c1b-4a1f-4b63-8e6b-1b5f1a2e3d4c";
    let recreated = with(once("web-1.17b", 20), json!({"involvedObject": pod("web-1", other)}));
    let run = play(&[watched("ADDED", 0, &once("web-1.17a", 0)), watched("ADDED", 20, &recreated)]);
    assert_eq!(counts(&run), [1, 1]);
    let groups = run.groups();
    let of = |uid: &str| groups.iter().find(|group| group["resource"]["uid"] == uid).expect("a group of each uid");
    assert_eq!(of(other)["previous"], of(WEB_UID)["id"]);
    assert!(of(WEB_UID)["previous"].is_null());
}

#[test]
fn v7_group_severity_is_the_highest_of_any_member() {
    let readiness = |name: &str, seconds| probe(name, seconds, "Readiness probe failed: HTTP 503");
    let liveness = probe("web-1.17b", 10, "Liveness probe failed: timeout");
    let stream = [readiness("web-1.17a", 0), liveness, readiness("web-1.17c", 20)];
    let severities = |run: &Run| run.records("group").iter().map(|group| group["severity"].clone()).collect::<Vec<_>>();
    let live: Vec<Value> = stream.iter().zip([0, 10, 20]).map(|(object, seconds)| watched("ADDED", seconds, object)).collect();
    let run = play(&live);
    assert_eq!((severities(&run).first(), severities(&run).last()), (Some(&json!("medium")), Some(&json!("high"))));
    assert_eq!(severities(&run)[1], "high", "a rise is printed at once");
    for run in [run, play(&stream), play(&[stream[2].clone(), stream[1].clone(), stream[0].clone()])] {
        let group = only_group(&run);
        assert_eq!((&group["severity"], &group["count"]), (&json!("high"), &json!(3)));
    }
}

#[test]
fn v7_group_message_is_the_latest_whatever_the_order() {
    let stream = [
        probe("web-1.17a", 0, "Liveness probe failed: one"),
        probe("web-1.17b", 10, "Liveness probe failed: two"),
        probe("web-1.17c", 5, "Liveness probe failed: three"),
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]] {
        let group = only_group(&play(&order.map(|at: usize| stream[at].clone())));
        assert_eq!((&group["message"], &group["messages"], &group["events"]), (&json!("Liveness probe failed: two"), &json!(3), &json!(3)));
    }
}

#[test]
fn v42_many_failures_within_seconds_are_a_burst() {
    let together = play(&[counted("web-1.17a", 300, 20)]);
    let single: Vec<Value> = (0..300).map(|number| once(&format!("web-1.{number}"), number / 15)).collect();
    for run in [together, play(&single)] {
        let group = only_group(&run);
        assert_eq!((&group["pattern"], &group["count"]), (&json!("burst"), &json!(300)));
    }
}

#[test]
fn v42_one_failure_every_five_minutes_has_a_period_of_300_seconds() {
    let counting: Vec<Value> = (0..8).map(|number| counted("web-1.17a", number + 1, i64::from(number) * 300)).collect();
    let single: Vec<Value> = (0..8).map(|number| once(&format!("web-1.{number}"), number * 300)).collect();
    for run in [play(&counting), play(&single)] {
        let group = only_group(&run);
        assert_eq!((&group["pattern"], &group["period"], &group["count"]), (&json!("periodic"), &json!(300.0), &json!(8)));
    }
}

#[test]
fn v42_the_same_failure_moving_over_ten_pods_spreads() {
    let moving: Vec<Value> = (0..10)
        .map(|number| with(once(&format!("web-{number}.17a"), number * 30), json!({"involvedObject": pod(&format!("web-{number}"), "")})))
        .collect();
    let group = only_group(&play_with(everything().group_by(GroupBy::Reason), &moving));
    assert_eq!((&group["pattern"], &group["objects"], &group["count"]), (&json!("spreading"), &json!(10), &json!(10)));
    // Ten pods at once have not moved.
    let at_once: Vec<Value> =
        moving.iter().map(|object| with(object.clone(), json!({"firstTimestamp": at(0), "lastTimestamp": at(0)}))).collect();
    assert_eq!(only_group(&play_with(everything().group_by(GroupBy::Reason), &at_once))["pattern"], "burst");
}

#[test]
fn v42_ready_and_not_ready_in_turn_flaps() {
    let node = json!({"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "n1"});
    let turn = |number: i64| {
        let (reason, type_) = if number % 2 == 0 { ("NodeNotReady", "Warning") } else { ("NodeReady", "Normal") };
        let message = format!("Node n1 status is now: {reason}");
        let fields =
            json!({"involvedObject": node, "reason": reason, "type": type_, "message": message, "source": {"component": "kubelet"}});
        with(once(&format!("n1.{number}"), number * 40), fields)
    };
    let turns: Vec<Value> = (0..8).map(turn).collect();
    let live: Vec<Value> = turns.iter().zip(0..).map(|(object, number)| watched("ADDED", number * 40, object)).collect();
    for run in [play(&turns), play(&live)] {
        let groups = run.groups();
        let down = groups.iter().find(|group| group["reason"] == "NodeNotReady").expect("a group");
        assert_eq!((&down["pattern"], &down["severity"]), (&json!("flapping"), &json!("critical")));
    }
    // Down once and up again is no flapping.
    let once_down = play(&turns[..2]);
    assert!(once_down.groups().iter().all(|group| group["pattern"] != "flapping"));
}

fn probe(name: &str, seconds: i64, message: &str) -> Value {
    with(once(name, seconds), json!({"reason": "Unhealthy", "message": message}))
}

/// Two occurrences at this distance are one group or two: of two Events and of one counter, in a list and in a stream, in either
/// order.
#[track_caller]
fn check_edge(micros: i64, joined: bool) {
    let want = if joined { vec![2] } else { vec![1, 1] };
    let moment = |name: &str, micros| event(name, json!({"firstTimestamp": at_micros(micros), "lastTimestamp": at_micros(micros)}));
    let (first, second) = (moment("web-1.17a", 0), moment("web-1.17b", micros));
    let counter = [once("web-1.17c", 0), event("web-1.17c", json!({"count": 2, "lastTimestamp": at_micros(micros)}))];
    let delivered = |micros, object: &Value| json!({"type": "ADDED", "receivedAt": at_micros(micros), "object": object});
    let runs = [
        play(&[first.clone(), second.clone()]),
        play(&[second.clone(), first.clone()]),
        play(&counter),
        play(&[delivered(0, &first), delivered(micros, &second)]),
        play(&[delivered(0, &counter[0]), delivered(micros, &counter[1])]),
        // The earlier one comes late.
        play(&[delivered(micros, &second), delivered(micros, &first)]),
    ];
    for (number, run) in runs.iter().enumerate() {
        assert_eq!(counts(run), want, "{micros} microseconds apart, way {number}");
    }
}

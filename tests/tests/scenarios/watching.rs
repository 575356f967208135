//! What a watch tells besides the objects: lists, gaps, where a recording begins and ends.

use crate::stage::{at, control, counts, everything, once, play, pod, watched, with};
use faro_core::{Engine, Record, Replay, input};
use faro_tests::replayed::Run;
use serde_json::{Value, json};

#[test]
fn end_of_the_initial_state_is_told_once() {
    let end = |seconds| with(of_pods("listEnd", seconds, "shop"), json!({"resourceVersion": "17", "objects": 2}));
    let run = play(&[of_pods("listBegin", 0, "shop"), end(1), of_pods("listBegin", 5, "shop"), end(6)]);
    let want = json!({"record": "sync", "gvr": "v1/pods", "namespace": "shop", "objects": 2, "resourceVersion": "17"});
    assert_eq!(run.records("sync"), [want]);
}

#[test]
fn gap_is_told_with_both_ends_and_counted() {
    let gap = json!({"from": {"resourceVersion": "5", "timestamp": at(10)}, "to": {"resourceVersion": "90", "timestamp": at(40)},
        "cause": "expired", "recovered": 2, "lost": "short-lived-objects"});
    let run = play(&[with(of_pods("gap", 40, ""), gap.clone())]);
    assert_eq!(run.records("gap"), [with(json!({"record": "gap", "gvr": "v1/pods"}), gap)]);
    assert_eq!(run.summary.gaps, 1);
}

#[test]
fn first_list_shows_what_existed_and_a_later_one_what_no_watch_event_carried() {
    let run = play(&[
        of_pods("listBegin", 0, ""),
        watched("ADDED", 0, &object("a", "1")),
        of_pods("listEnd", 0, ""),
        watched("ADDED", 1, &object("b", "2")),
        of_pods("listBegin", 9, ""),
        watched("ADDED", 9, &object("a", "1")),
        watched("ADDED", 9, &object("b", "8")),
        watched("ADDED", 9, &object("c", "7")),
        of_pods("listEnd", 9, ""),
    ]);
    let told: Vec<Value> = run
        .records("object")
        .iter()
        .map(|record| json!([record["name"], record["eventType"], record["initial"], record["synthesized"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["a", "ADDED", true, null]),
            json!(["b", "ADDED", null, null]),
            json!(["b", "UPDATED", null, true]),
            json!(["c", "ADDED", null, true])
        ]
    );
}

#[test]
fn list_of_one_namespace_says_nothing_of_another() {
    let elsewhere = with(object("b", "2"), json!({"metadata": {"name": "b", "namespace": "pay", "uid": "b", "resourceVersion": "2"}}));
    let run = play(&[
        of_pods("listBegin", 0, "shop"),
        watched("ADDED", 0, &object("a", "1")),
        watched("ADDED", 0, &elsewhere),
        of_pods("listEnd", 0, "shop"),
    ]);
    let initial: Vec<Value> = run.records("object").iter().map(|record| record["initial"].clone()).collect();
    assert_eq!(initial, [json!(true), Value::Null]);
}

#[test]
fn list_that_was_cut_off_is_no_list_of_its_collection() {
    let mut engine = Engine::new(everything());
    let mut lines = Vec::new();
    let mut feed = |engine: &mut Engine, value: &Value, seconds: i64| {
        let text = value.to_string();
        engine.ingest(input::read(&text).unwrap(), at(seconds).parse().unwrap(), &mut |record: &Record<'_>| {
            lines.push(serde_json::to_value(record).unwrap())
        });
    };
    feed(&mut engine, &of_pods("listBegin", 0, ""), 0);
    engine.flush(at(1).parse().unwrap(), &mut |_: &Record<'_>| {});
    feed(&mut engine, &of_pods("listBegin", 2, ""), 2);
    feed(&mut engine, &watched("ADDED", 2, &object("a", "1")), 2);
    assert_eq!((&lines[0]["initial"], &lines[0]["synthesized"]), (&json!(true), &Value::Null));
}

#[test]
fn synthesized_and_left_selector_are_told_as_the_watch_tells_them() {
    let deleted = |name: &str, mark: &str| with(watched("DELETED", 5, &object(name, "1")), json!({mark: true}));
    let run = play(&[
        watched("ADDED", 0, &object("a", "1")),
        watched("ADDED", 0, &object("b", "1")),
        deleted("a", "synthesized"),
        deleted("b", "leftSelector"),
    ]);
    let told = &run.records("object")[2..];
    assert_eq!((&told[0]["eventType"], &told[0]["synthesized"], &told[0]["leftSelector"]), (&json!("DELETED"), &json!(true), &Value::Null));
    assert_eq!((&told[1]["eventType"], &told[1]["synthesized"], &told[1]["leftSelector"]), (&json!("DELETED"), &Value::Null, &json!(true)));
}

#[test]
fn newest_managed_time_may_stand_on_the_envelope() {
    let managed = with(
        object("a", "1"),
        json!({"metadata": {"name": "a", "namespace": "shop", "uid": "a", "resourceVersion": "1",
        "managedFields": [{"manager": "kubectl", "time": at(-7)}, {"manager": "kubelet", "time": at(-9)}]}}),
    );
    let stripped = with(watched("ADDED", 5, &object("a", "1")), json!({"changedAt": at(-7)}));
    assert_eq!(play(&[stripped]).lines, play(&[watched("ADDED", 5, &managed)]).lines);
}

#[test]
fn recording_may_begin_with_what_the_engine_remembered() {
    let (before, after) = (
        [watched("ADDED", 5, &once("a", 1)), watched("ADDED", 20, &once("b", 15))],
        [watched("ADDED", 30, &once("c", 25)), watched("ADDED", 31, &once("a", 1))],
    );
    let whole = play(&[before.clone(), after.clone()].concat());
    let mut first = Replay::new(everything(), None);
    for value in &before {
        let text = value.to_string();
        first.feed(input::read(&text).unwrap(), &mut |_: &Record<'_>| {});
    }
    let snapshot = json!({"control": "snapshot", "receivedAt": at(20), "snapshot": first.engine().snapshot()});
    let rest = play(&[std::slice::from_ref(&snapshot), &after[..]].concat());
    // The line itself is the one record that the whole run has not.
    let printed = |run: &Run| {
        run.lines
            .iter()
            .filter(|line| !line.contains("summary\":{") && !line.contains("\"record\":\"summary\""))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(printed(&rest), printed(&whole)[printed(&whole).len() - printed(&rest).len()..]);
    assert_eq!((rest.summary.occurrences.total, counts(&rest)), (3, vec![3]));
    let again = play(&[&before[..], &[snapshot], &after[..]].concat());
    assert_eq!(printed(&again), printed(&whole), "to an engine that goes on it says nothing");
}

#[test]
fn snapshot_of_other_settings_is_refused_and_counted_unless_nothing_is_in_it() {
    let other = || Replay::new(everything().window(faro_core::Nanos(1)), None);
    let begins = |replay: &Replay| json!({"control": "snapshot", "receivedAt": at(0), "snapshot": replay.engine().snapshot()});
    let refused = |replay: &Replay| {
        let run = play(&[begins(replay), watched("ADDED", 5, &once("a", 1))]);
        assert_eq!(counts(&run), [1]);
        run.summary.malformed.get("snapshot").copied()
    };
    assert_eq!(refused(&other()), None);
    let mut fed = other();
    let text = watched("ADDED", 0, &once("b", 0)).to_string();
    fed.feed(input::read(&text).unwrap(), &mut |_: &Record<'_>| {});
    assert_eq!(refused(&fed), Some(1));
}

#[test]
fn what_was_due_by_the_end_of_a_run_has_happened() {
    let run = play(&[watched("ADDED", 5, &once("a", 1)), json!({"control": "end", "receivedAt": at(400)})]);
    assert_eq!(run.groups()[0]["state"], "close");
    let run = play(&[watched("ADDED", 5, &once("a", 1)), json!({"control": "end", "receivedAt": at(200)})]);
    assert_eq!(run.groups()[0]["state"], "open");
}

#[test]
fn list_marks_events_too() {
    let run = play(&[
        control("listBegin", 0),
        watched("ADDED", 0, &once("a", 0)),
        control("listEnd", 0),
        control("listBegin", 9),
        watched("ADDED", 9, &once("b", 8)),
        control("listEnd", 9),
    ]);
    let told: Vec<Value> = run.records("event").iter().map(|record| json!([record["initial"], record["synthesized"]])).collect();
    assert_eq!(told, [json!([true, null]), json!([null, true])]);
}

fn of_pods(name: &str, seconds: i64, namespace: &str) -> Value {
    let line = json!({"control": name, "gvr": "v1/pods", "receivedAt": at(seconds)});
    if namespace.is_empty() { line } else { with(line, json!({"namespace": namespace})) }
}

fn object(name: &str, version: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "uid": pod(name, name)["uid"], "resourceVersion": version}})
}

#[test]
fn list_that_was_given_up_holds_nothing_up_and_is_no_initial_state() {
    let run = play(&[
        control("listBegin", 0),
        of_pods("listBegin", 0, ""),
        watched("ADDED", 0, &once("a", 0)),
        control("listEnd", 1),
        of_pods("listAborted", 30, ""),
        watched("ADDED", 31, &once("b", 31)),
        of_pods("listBegin", 60, ""),
        watched("ADDED", 60, &object("c", "1")),
        with(of_pods("listEnd", 60, ""), json!({"resourceVersion": "5", "objects": 1})),
    ]);
    assert_eq!(run.records("object")[0]["initial"], true);
    assert_eq!(run.records("sync").len(), 1);
    let at_the_abortion = run.lines.iter().position(|line| line.contains("\"record\":\"group\"")).unwrap();
    let next = run.lines.iter().position(|line| line.contains("\"name\":\"b\"")).unwrap();
    assert!(at_the_abortion < next, "{:#?}", run.lines);
}

//! Counts are cumulative: V3, V4, V9, V10, V32, V43.

use crate::stage::{WEB_UID, at, control, counted, counts, event, once, only_group, play, pod, watched, with};
use faro_tests::model::{Ago, More, Op, Slot, Span, Style, Subject, What, check};
use faro_tests::replayed::{Live, Run};
use serde_json::{Value, json};

#[test]
fn v3_counts_1_2_5_566_are_one_group_of_566_and_four_records() {
    let steps = [(1, 0), (2, 10), (5, 40), (566, 290)];
    let objects: Vec<Value> = steps.iter().map(|&(count, last)| counted("web-1.17a", count, last)).collect();
    let stream: Vec<Value> = steps.iter().zip(&objects).map(|(&(_, last), object)| watched("MODIFIED", last, object)).collect();
    for run in [play(&objects), play(&stream)] {
        let group = only_group(&run);
        assert_eq!((&group["count"], &group["summary"]), (&json!(566), &json!("566 similar events grouped")));
        let news: Vec<u64> = run.records("event").iter().filter_map(|event| event["occurrences"].as_u64()).collect();
        assert_eq!(news, [1, 1, 3, 561]);
        let sent: Vec<u64> = run.records("event").iter().filter_map(|event| event["count"].as_u64()).collect();
        assert_eq!(sent, [1, 2, 5, 566]);
        assert_eq!(run.summary.occurrences.total, 566);
    }
}

#[test]
fn v4_series_of_12_without_deprecated_fields_is_12() {
    let series = json!({"count": 12, "lastObservedTime": at(60)});
    let core =
        event("web-1.17a", json!({"count": null, "firstTimestamp": null, "lastTimestamp": null, "eventTime": at(0), "series": series}));
    let events_v1 = json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "web-1.17a", "namespace": "shop"},
        "regarding": pod("web-1", WEB_UID), "reason": "FailedCreatePodSandBox", "type": "Warning", "note": "Failed to create pod sandbox",
        "reportingController": "kubelet", "eventTime": at(0), "series": series,
    });
    for object in [core, events_v1] {
        let run = play(&[object]);
        let group = only_group(&run);
        assert_eq!((&group["count"], &group["firstSeen"], &group["lastSeen"]), (&json!(12), &json!(at(0)), &json!(at(60))));
        assert_eq!(run.records("event")[0]["count"], 12);
    }
}

#[test]
fn v9_relist_leaves_counts_alone() {
    let object = counted("web-1.17a", 566, 60);
    let relist = |seconds| [control("listBegin", seconds), watched("ADDED", seconds, &object), control("listEnd", seconds)];
    let run = play(&[relist(70).to_vec(), relist(80).to_vec(), relist(90).to_vec()].concat());
    assert_eq!((counts(&run), run.summary.occurrences.total), (vec![566], 566));
    assert_eq!(run.records("group").len(), 1, "a relist that brings nothing new prints nothing");
}

#[test]
fn v9_reconnect_leaves_counts_alone() {
    let steps = [counted("web-1.17a", 5, 30), counted("web-1.17a", 9, 60)];
    let stream = [watched("ADDED", 30, &steps[0]), watched("MODIFIED", 60, &steps[1])];
    let again = [watched("ADDED", 61, &steps[1]), watched("MODIFIED", 62, &steps[1])];
    let run = play(&[stream.to_vec(), again.to_vec()].concat());
    assert_eq!((counts(&run), run.summary.occurrences.total), (vec![9], 9));
}

#[test]
fn v9_restart_leaves_counts_alone() {
    let stream: Vec<String> = [(1, 0), (5, 40), (566, 290), (570, 300)]
        .iter()
        .map(|&(count, last)| watched("MODIFIED", last, &counted("web-1.17a", count, last)).to_string())
        .collect();
    let run = |restart: bool| {
        let mut live = Live::new(crate::stage::everything());
        for line in stream.iter().chain(stream.last()) {
            live.feed(line);
            if restart {
                live.restart();
            }
        }
        live.finish(at(300).parse().expect("a time"))
    };
    assert_eq!(run(true), run(false));
    assert_eq!(counts(&run(true)), [570]);
}

#[test]
fn v10_deletion_by_ttl_changes_no_group() {
    let stored = with(
        counted("web-1.17a", 566, 60),
        json!({"metadata": {"name": "web-1.17a", "namespace": "shop", "uid": "e-1", "resourceVersion": "7"}}),
    );
    let metadata = with(stored["metadata"].clone(), json!({"resourceVersion": "9"}));
    let bare = json!({"apiVersion": "v1", "kind": "Event", "metadata": metadata});
    let whole = with(stored.clone(), json!({"metadata": metadata}));
    let kept = play(&[watched("ADDED", 60, &stored)]);
    for gone in [&bare, &whole] {
        // Within the window, after it, and once the group is forgotten.
        for seconds in [100, 400, 3660] {
            let run = play(&[watched("ADDED", 60, &stored), watched("DELETED", seconds, gone)]);
            let (group, before) = (only_group(&run), only_group(&kept));
            for field in ["id", "count", "firstSeen", "lastSeen", "severity", "message", "events"] {
                assert_eq!(group[field], before[field], "{field} after a deletion at {seconds}");
            }
            assert_eq!(run.summary.occurrences.total, 566);
            let deleted = &run.records("event")[1];
            assert_eq!((&deleted["eventType"], &deleted["occurrences"]), (&json!("DELETED"), &json!(0)));
            assert_eq!((&deleted["name"], &deleted["uid"]), (&json!("web-1.17a"), &json!("e-1")));
        }
    }
    let run = play(&[watched("ADDED", 60, &stored), watched("DELETED", 100, &bare)]);
    let deleted = &run.records("event")[1];
    for field in ["involvedObject", "reason", "message", "type", "count", "severity", "link"] {
        assert!(deleted[field].is_null(), "`{field}` was not sent, and is not made up: {deleted}");
    }
}

#[test]
fn v32_lower_count_later_is_a_restarted_counter() {
    let run = play(&[watched("ADDED", 60, &counted("web-1.17a", 566, 60)), watched("MODIFIED", 90, &counted("web-1.17a", 3, 90))]);
    assert_eq!((counts(&run), run.summary.occurrences.total), (vec![569], 569));
}

#[test]
fn v32_event_that_expired_and_was_created_anew_adds_one() {
    let named = |uid, version: &str, count, last| {
        let metadata = json!({"name": "web-1.17a", "namespace": "shop", "uid": uid, "resourceVersion": version});
        with(counted("web-1.17a", count, last), json!({"metadata": metadata}))
    };
    let (old, new) = (named("e-1", "7", 566, 60), named("e-2", "9", 567, 120));
    let run = play(&[watched("ADDED", 60, &old), watched("DELETED", 100, &old), watched("ADDED", 120, &new)]);
    assert_eq!((counts(&run), run.summary.occurrences.total), (vec![567], 567));
    assert_eq!(only_group(&run)["events"], 1, "the counter goes on, whatever the uid");
    let news: Vec<Value> = run.records("event").iter().map(|event| event["occurrences"].clone()).collect();
    assert_eq!(news, [566, 0, 1]);
}

#[test]
fn v32_stale_copy_after_a_newer_one_adds_nothing() {
    let (older, newer) = (counted("web-1.17a", 5, 30), counted("web-1.17a", 9, 60));
    let stream = [watched("MODIFIED", 60, &newer), watched("MODIFIED", 61, &older), watched("MODIFIED", 62, &newer)];
    for run in [play(&stream), play(&[newer.clone(), older.clone()]), play(&[newer.clone(), older, newer])] {
        assert_eq!((counts(&run), run.summary.occurrences.total), (vec![9], 9));
        assert_eq!(only_group(&run)["lastSeen"], at(60));
    }
}

#[test]
fn v43_count_that_jumps_by_60_after_300_seconds_stays_in_its_group() {
    for silence in [300, 301, 3600, 60 * 300] {
        let run = play(&[counted("web-1.17a", 5, 40), counted("web-1.17a", 65, 40 + silence)]);
        let group = only_group(&run);
        assert_eq!((&group["count"], &group["firstSeen"], &group["lastSeen"]), (&json!(65), &json!(at(0)), &json!(at(40 + silence))));
    }
    // Sixty occurrences that do not reach: on average one in more than the window.
    let run = play(&[counted("web-1.17a", 5, 40), counted("web-1.17a", 65, 40 + 60 * 300 + 1)]);
    assert_eq!(counts(&run).iter().sum::<u64>(), 65);
    assert_eq!(counts(&run).first(), Some(&5));
    // One alone is where it says it is.
    assert_eq!(counts(&play(&[counted("web-1.17a", 5, 40), counted("web-1.17a", 6, 341)])), [5, 1]);
}

#[test]
fn v43_jump_reopens_a_closed_group_under_its_id() {
    let event = Slot { subject: Subject::Web, what: What::CrashLoop, twin: false };
    let report = |more| Op::Report { event, more, ago: Ago::Now, style: Style::Core };
    check(&[report(More::One), Op::Wait { span: Span::BeyondWindow }, report(More::Few(3)), Op::Relist]);

    let run: Run = play(&[
        watched("ADDED", 40, &counted("web-1.17a", 5, 40)),
        watched("ADDED", 360, &once("other", 360)),
        watched("MODIFIED", 400, &counted("web-1.17a", 65, 400)),
    ]);
    assert_eq!(counts(&run), [66]);
}

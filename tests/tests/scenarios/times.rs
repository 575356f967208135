//! When it was: V30; and what stands for several: V31.

use crate::stage::{at, counts, event, everything, only_group, play, watched};
use faro_tests::replayed::Run;
use serde_json::{Value, json};

#[test]
fn v30_all_times_null_is_seen_when_it_is_observed() {
    let timeless = event("web-1.17a", json!({"firstTimestamp": null, "lastTimestamp": null, "eventTime": null}));
    check(&timeless, (60, 60, 60), 1, false);
    let lines = [timeless.to_string()];
    let run = Run::replay(lines.iter().map(String::as_str), everything(), Some(at(90).parse().expect("a time")));
    let record = &run.records("event")[0];
    assert_eq!((&record["firstSeen"], &record["lastSeen"]), (&json!(at(90)), &json!(at(90))), "a bare object is observed at `--now`");
}

#[test]
fn v30_without_its_own_times_the_metadata_tell() {
    let metadata = json!({"name": "web-1.17a", "namespace": "shop", "creationTimestamp": at(10)});
    let created = event("web-1.17a", json!({"metadata": metadata, "firstTimestamp": null, "lastTimestamp": null}));
    check(&created, (60, 10, 10), 1, false);
    let metadata = json!({"name": "web-1.17a", "namespace": "shop", "creationTimestamp": at(10), "managedFields": [{"time": at(20)}, {"time": at(15)}]});
    let managed = event("web-1.17a", json!({"metadata": metadata, "firstTimestamp": null, "lastTimestamp": null}));
    check(&managed, (60, 10, 20), 1, false);
}

#[test]
fn v30_year_0001_is_no_time() {
    let zero = "0001-01-01T00:00:00Z";
    check(&event("web-1.17a", json!({"firstTimestamp": zero, "lastTimestamp": zero, "eventTime": zero})), (60, 60, 60), 1, false);
    check(&event("web-1.17a", json!({"firstTimestamp": zero, "lastTimestamp": zero, "eventTime": at(10)})), (60, 10, 10), 1, false);
    check(&event("web-1.17a", json!({"lastTimestamp": zero, "count": 3})), (60, 0, 0), 3, false);
}

#[test]
fn v30_event_time_alone_is_both_ends() {
    check(
        &event("web-1.17a", json!({"firstTimestamp": null, "lastTimestamp": null, "count": null, "eventTime": at(10)})),
        (60, 10, 10),
        1,
        false,
    );
}

#[test]
fn v30_series_alone_ends_when_it_was_last_observed() {
    let series = json!({"count": 7, "lastObservedTime": at(50)});
    let object = event("web-1.17a", json!({"firstTimestamp": null, "lastTimestamp": null, "count": null, "series": series}));
    check(&object, (60, 50, 50), 7, false);
    let object =
        event("web-1.17a", json!({"firstTimestamp": null, "lastTimestamp": null, "count": null, "eventTime": at(10), "series": series}));
    check(&object, (60, 10, 50), 7, false);
}

#[test]
fn v30_time_in_the_future_is_cut_to_the_observation_and_counted() {
    check(&event("web-1.17a", json!({"lastTimestamp": at(60 + 300)})), (60, 0, 360), 1, false);
    check(&event("web-1.17a", json!({"lastTimestamp": at(60 + 301)})), (60, 0, 60), 1, true);
    check(&event("web-1.17a", json!({"firstTimestamp": at(9000), "lastTimestamp": at(9000)})), (60, 60, 60), 1, true);
    // It does not drag time along: what follows is not late and closes nothing.
    let ahead = event("web-1.17a", json!({"firstTimestamp": at(90_000), "lastTimestamp": at(90_000)}));
    let run = play(&[watched("ADDED", 60, &ahead), watched("ADDED", 61, &event("web-1.17b", json!({})))]);
    assert_eq!((counts(&run), run.summary.late, run.summary.clamped), (vec![2], 0, 1));
}

#[test]
fn v31_combined_prefix_is_stripped_and_kept_as_a_mark() {
    let plain = event("web-1.17a", json!({}));
    let combined = event("web-1.17b", json!({"message": "(combined from similar events): Failed to create pod sandbox: rpc error"}));
    let run = play(&[plain, combined]);
    let group = only_group(&run);
    assert_eq!(
        (&group["messages"], &group["count"], &group["message"]),
        (&json!(1), &json!(2), &json!("Failed to create pod sandbox: rpc error"))
    );
    let marks: Vec<Value> = run.records("event").iter().map(|event| event["combined"].clone()).collect();
    assert_eq!(marks, [Value::Null, json!(true)]);
    assert!(run.lines.iter().all(|line| !line.contains("combined from")));
    // Only as a prefix.
    let quoted = event("web-1.17c", json!({"message": "said (combined from similar events): x"}));
    let run = play(&[quoted]);
    assert!(run.records("event")[0]["combined"].is_null());
    assert_eq!(run.records("event")[0]["message"], "said (combined from similar events): x");
}

/// Observed, first and last are seconds after nine; the Event is delivered by a watch.
#[track_caller]
fn check(object: &Value, (observed, first, last): (i64, i64, i64), count: u64, clamped: bool) {
    let run = play(&[watched("ADDED", observed, object)]);
    let (record, group) = (&run.records("event")[0], only_group(&run));
    for seen in [record, &group] {
        assert_eq!((&seen["firstSeen"], &seen["lastSeen"]), (&json!(at(first)), &json!(at(last))), "{object}");
    }
    assert_eq!((&record["count"], &group["count"]), (&json!(count), &json!(count)), "{object}");
    assert_eq!((record["clamped"] == true, run.summary.clamped), (clamped, u64::from(clamped)), "{object}");
}

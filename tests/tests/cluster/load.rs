//! Much at once: memory that comes back, and readers that do not read.

use crate::program::{PATIENCE, Program};
use crate::truth::{Difference, Truth, compare, scaled};
use faro_tests::control_plane::{Api, ControlPlane, Setup, within};
use serde_json::{Value, json};
use std::time::Duration;

const WAVES: usize = 3;

const EVENTS: &str = "/api/v1/namespaces/default/events";

/// Writes so many Events, each about a pod of its own, from four threads.
fn write_events(api: &Api, wave: usize, count: usize) {
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let api = api.clone();
            std::thread::spawn(move || {
                for number in (writer..count).step_by(4) {
                    let now = json!("2026-01-02T03:04:05Z");
                    let event = json!({
                        "metadata": {"name": format!("web-{wave}-{number}.1")}, "reason": "Killing", "type": "Normal",
                        "message": "Stopping container app", "firstTimestamp": now, "lastTimestamp": now, "count": 1,
                        "involvedObject": {"kind": "Pod", "namespace": "default", "name": format!("web-{wave}-{number}")},
                    });
                    api.create(EVENTS, &event).unwrap();
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
}

fn is_of(record: &Value, wave: usize, kind: &str) -> bool {
    record["eventType"] == kind && record["name"].as_str().unwrap_or_default().starts_with(&format!("web-{wave}-"))
}

#[test]
fn w23_memory_returns_after_20000_short_lived_events() {
    let Some(cluster) = Setup::new().event_ttl(Duration::from_secs(2)).start_or_skip() else { return };
    let count = scaled(1_500, 20_000);
    let arguments = ["watch", "--gvr", "v1/events", "--emit", "event,sync,gap,summary"];
    let mut program = Program::start(cluster.kubeconfig(), &arguments);
    program.wait_for_sync(&["v1/events"]);
    let mut kib = Vec::new();
    // The first waves bring what is kept in any case to its size; where it was is before the last.
    for wave in 1..=WAVES {
        write_events(cluster.api(), wave, count);
        for kind in ["ADDED", "DELETED"] {
            let mut left = count - program.records.iter().filter(|record| is_of(record, wave, kind)).count();
            while left > 0 {
                let record = program.wait_for("another record", |record| record["record"] == "event");
                left -= usize::from(is_of(&record, wave, kind));
            }
        }
        kib.push(program.memory());
    }
    eprintln!("w23: {count} Events a wave, {kib:?} KiB after each");
    assert!(program.stop().success());
    assert!(kib[WAVES - 1] * 10 <= kib[WAVES - 2] * 11, "{kib:?}");
    let of = |kind: &str| program.records.iter().filter(|record| record["eventType"] == kind).count();
    assert_eq!((of("ADDED"), of("DELETED")), (WAVES * count, WAVES * count));
}

#[test]
fn w24_reader_that_stops_costs_no_memory_no_record_and_no_order() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w24");
    let arguments = ["watch", "--gvr", "v1/configmaps", "-n", &namespace, "--emit", "object,sync,gap"];
    let mut program = Program::start(cluster.kubeconfig(), &arguments);
    program.wait_for_sync(&["v1/configmaps"]);
    let mut truth = Truth::new(&cluster, &namespace, 24);
    // Larger than all that may wait on the way: 64 KiB of the pipe, 4 MiB of lines, some MiB of the sockets.
    truth.ballast = 16 << 10;
    (0..100).for_each(|_| truth.change());
    while !truth.is_in(&program.records) {
        program.wait_for("a change", |record| record["record"] == "object");
    }
    let before = program.memory();
    program.hold(true);
    let stopped = std::time::Instant::now();
    let count = scaled(2_000, 8_000);
    let mut most = 0;
    for number in 0..count {
        truth.change();
        if number % 50 == 0 {
            most = program.memory().max(most);
        }
    }
    // As long as the scenario says when it is run in full.
    let pause = Duration::from_secs(scaled(3, 60) as u64);
    within(pause.saturating_sub(stopped.elapsed()), || {
        most = program.memory().max(most);
        None::<()>
    });
    let written = truth.ballast * count / 1024;
    eprintln!("w24: {before} KiB before, {most} KiB at most, {written} KiB written within {:?}", stopped.elapsed());
    assert!(most < before + 16 * 1024, "{before} KiB before, {most} KiB at most");
    assert!(written as u64 > 2 * (most - before), "too little was written to tell: {written} KiB");
    program.hold(false);
    let deadline = std::time::Instant::now() + PATIENCE;
    while !truth.is_in(&program.records) {
        assert!(std::time::Instant::now() < deadline, "{:?}", compare(&truth.happened, &program.records));
        program.read_for(Duration::from_millis(200));
    }
    assert!(program.stop().success());
    assert_eq!(compare(&truth.happened, &program.records), Difference::default());
    assert!(program.records.iter().all(|record| record["record"] != "gap"));
}

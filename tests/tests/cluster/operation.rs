//! What a run says of itself: probes and metrics.

use crate::probe::{Probe, Samples};
use crate::program::Program;
use faro_tests::control_plane::{Component, ControlPlane, Patch, Setup, eventually};
use serde_json::{Value, json};
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::Duration;

const CONFIGMAPS: &str = "/api/v1/namespaces/default/configmaps";
const EVENTS: &str = "/api/v1/namespaces/default/events";

#[test]
fn w14_stopped_api_server_is_told_and_needs_no_restart_of_ours() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    let probe = Probe::new();
    let arguments = ["watch", &probe.listen(), "--gvr=v1/configmaps,v1/events", "--emit=object,event,sync,gap"];
    let mut program = Program::start(cluster.kubeconfig(), &arguments);
    program.wait_for_sync(&["v1/configmaps", "v1/events"]);
    assert_eq!(probe.wait_ready(), "ok\n");
    let restarts = probe.sum("faro_watch_restarts_total", "gvr", "v1/configmaps");

    cluster.stop(Component::ApiServer);
    let said = probe.wait("/readyz", 503, "v1/events: failing: ");
    assert!(said.lines().all(|line| line.starts_with("cluster `faro-tests`: v1/")), "{said}");
    let said = probe.wait("/readyz", 503, "v1/configmaps: failing: ");
    assert_eq!(said.lines().count(), 2, "{said}");
    assert_eq!(probe.get("/livez"), Some((200, "ok\n".to_owned())));
    eventually("more restarts", || {
        (probe.sum("faro_watch_restarts_total", "gvr", "v1/configmaps") > restarts + 1.0
            && probe.sum("faro_watch_ready", "gvr", "v1/configmaps") == 0.0)
            .then_some(())
    });

    cluster.start(Component::ApiServer).unwrap();
    probe.wait_ready();
    cluster.api().create(CONFIGMAPS, &json!({"metadata": {"name": "after"}})).unwrap();
    program.wait_for("the object", |record| record["name"] == "after" && record["eventType"] == "ADDED");
    assert!(program.stop().success());
}

#[test]
fn w15_missing_right_is_named_and_heals() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w15");
    let account = cluster.account(&namespace, "reader").unwrap();
    let rule = |resource: &str| json!({"apiGroups": [""], "resources": [resource], "verbs": ["list", "watch"]});
    account.grant_in(&namespace, &json!([rule("services")])).unwrap();
    let services = format!("/api/v1/namespaces/{namespace}/services");
    eventually("the right is known", || account.api().list(&services).ok());
    let configmaps = format!("/api/v1/namespaces/{namespace}/configmaps");
    cluster.api().create(&configmaps, &json!({"metadata": {"name": "before"}})).unwrap();

    let probe = Probe::new();
    let arguments = ["watch", &probe.listen(), "-n", &namespace, "--gvr=v1/configmaps,v1/services", "--emit=object,sync"];
    let mut program = Program::start(account.kubeconfig(), &arguments);
    let said = probe.wait("/readyz", 503, "v1/configmaps");
    assert!(said.contains(&format!("v1/configmaps in `{namespace}`: refused: ")), "{said}");
    assert!(said.contains(r#"add the rule {apiGroups: [""], resources: ["configmaps"], verbs: ["list", "watch"]}"#), "{said}");
    probe.wait("/readyz", 503, "refused");
    eventually("the other one runs", || (probe.sum("faro_watch_ready", "gvr", "v1/services") == 1.0).then_some(()));
    assert_eq!(probe.get("/readyz").unwrap().1.lines().count(), 1);
    assert!(probe.sum("faro_watch_refusals_total", "gvr", "v1/configmaps") >= 1.0);
    assert!(probe.sum("faro_watch_refusals_total", "gvr", "v1/services") == 0.0);
    assert!(probe.sum("faro_watch_ready", "gvr", "v1/configmaps") == 0.0);
    let service = json!({"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}});
    cluster.api().create(&services, &service).unwrap();
    program.wait_for("a service", |record| record["name"] == "web");

    account.grant_in(&namespace, &json!([rule("services"), rule("configmaps")])).unwrap();
    program.wait_for("what was there before", |record| record["name"] == "before" && record["initial"] == true);
    probe.wait_ready();
    assert!(program.stop().success());
}

#[test]
fn w22_metrics_equal_the_lines_printed() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    let api = cluster.api();
    api.create(CONFIGMAPS, &json!({"metadata": {"name": "initial"}})).unwrap();
    let probe = Probe::new();
    let arguments = ["watch", &probe.listen(), "--gvr=v1/configmaps,v1/events", "--emit=all"];
    let mut program = Program::start(cluster.kubeconfig(), &arguments);
    program.wait_for_sync(&["v1/configmaps", "v1/events"]);
    for number in 0..20 {
        let name = format!("cm-{number}");
        api.create(CONFIGMAPS, &json!({"metadata": {"name": name}})).unwrap();
        // Who applies is a known manager, so that the change has a time of its own.
        let applied = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b"}});
        api.patch(&format!("{CONFIGMAPS}/{name}"), Patch::Apply, &applied).unwrap();
        api.create(EVENTS, &event(&format!("web.{number}"), number)).unwrap();
    }
    api.patch(&format!("{EVENTS}/web.7"), Patch::Merge, &json!({"count": 50, "lastTimestamp": "2026-01-01T00:09:00Z"})).unwrap();
    api.delete(&format!("{EVENTS}/web.3")).unwrap();
    api.delete(&format!("{CONFIGMAPS}/cm-5")).unwrap();
    program.wait_for("the last record", |record| record["name"] == "cm-5" && record["eventType"] == "DELETED");
    if !program.records.iter().any(|record| record["name"] == "web.3" && record["eventType"] == "DELETED") {
        program.wait_for("the Event's deletion", |record| record["name"] == "web.3" && record["eventType"] == "DELETED");
    }
    // Groups of old Events close by their own time; what is left of them is printed at the end.
    program.read_for(Duration::from_millis(1_500));

    let (records, occurrences) = (probe.samples("faro_records_total"), probe.samples("faro_occurrences_total"));
    let lags = probe.sum("faro_lag_seconds_count", "record", "event");
    let printed = program.records.clone();
    assert_eq!(without_zeros(records), records_of(&printed));
    assert_eq!(without_zeros(occurrences), occurrences_of(&printed));
    assert!(lags >= 21.0, "{lags}");
    let live = |record: &&Value| record["initial"].is_null() && record["eventType"] != "DELETED" && record["changedAt"].is_string();
    let changes = printed.iter().filter(|record| record["record"] == "object").filter(live).count();
    assert_eq!(probe.sum("faro_lag_seconds_count", "record", "object"), f64::from(u32::try_from(changes).unwrap()));
    assert!(changes >= 20, "{changes}");
    assert!(program.stop().success());
    let last = program.records.last().unwrap();
    assert_eq!(last["record"], "summary");
    let total: u64 = printed.iter().filter_map(|record| record["occurrences"].as_u64()).sum();
    assert_eq!(last["occurrences"]["total"], total);
}

#[test]
fn occurrences_are_counted_though_only_groups_are_printed() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    let probe = Probe::new();
    let mut program = Program::start(cluster.kubeconfig(), &["watch", &probe.listen(), "--gvr=v1/events", "--final"]);
    probe.wait_ready();
    cluster.api().create(EVENTS, &event("web.1", 41)).unwrap();
    eventually("it is counted", || (probe.sum("faro_occurrences_total", "namespace", "default") == 41.0).then_some(()));
    assert_eq!(without_zeros(probe.samples("faro_records_total")), Samples::new());
    assert!(program.stop().success());
    assert!(program.records.iter().all(|record| record["record"] != "event"));
    assert_eq!(program.records.iter().filter(|record| record["record"] == "group").count(), 1);
}

#[test]
fn blocked_reader_does_not_silence_the_probes() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    let text = "x".repeat(4_000);
    for number in 0..300 {
        let labels = json!({"metadata": {"name": format!("cm-{number}"), "annotations": {"text": text}}});
        cluster.api().create(CONFIGMAPS, &labels).unwrap();
    }
    let probe = Probe::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_faro-under-test"))
        .args(["watch", &probe.listen(), "--gvr=v1/configmaps", "--emit=object"])
        .env("KUBECONFIG", cluster.kubeconfig())
        .stdout(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    probe.wait("/livez", 200, "ok; waits for the reader of standard output");
    let waited = probe.samples("faro_output_wait_seconds")[&Vec::new()];
    assert!(waited >= 1.0, "{waited}");
    // It reads on, and everything comes.
    let mut stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut printed = String::new();
        stdout.read_to_string(&mut printed).map(|_| printed.lines().filter(|line| line.contains("\"name\":\"cm-")).count())
    });
    eventually("it is printed", || (probe.sum("faro_records_total", "record", "object") >= 300.0).then_some(()));
    probe.wait_ready();
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    assert_eq!(reader.join().unwrap().unwrap(), 300);
}

fn event(name: &str, count: u32) -> Value {
    let (reason, kind, message) = match count % 2 {
        0 => ("BackOff", "Warning", "Back-off restarting failed container app in pod web"),
        _ => ("Scheduled", "Normal", "Assigned"),
    };
    json!({
        "metadata": {"name": name},
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": format!("web-{}", count % 3)},
        "reason": reason,
        "message": message,
        "type": kind,
        "count": count.max(1),
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:05:00Z",
    })
}

fn without_zeros(mut samples: Samples) -> Samples {
    samples.retain(|_, value| *value != 0.0);
    samples
}

/// What `faro_records_total` is to be.
fn records_of(printed: &[Value]) -> Samples {
    let labels = |record: &Value| {
        let label = |name: &str, field: &str| Some((name.to_owned(), record[field].as_str()?.to_owned()));
        [label("event_type", "eventType"), label("gvr", "gvr"), label("record", "record")].into_iter().flatten().collect()
    };
    let mut samples = Samples::new();
    printed.iter().for_each(|record| *samples.entry(labels(record)).or_default() += 1.0);
    samples
}

/// What `faro_occurrences_total` is to be.
fn occurrences_of(printed: &[Value]) -> Samples {
    let mut samples = Samples::new();
    for record in printed.iter().filter(|record| record["record"] == "event") {
        let label = |name: &str| (name.to_owned(), record[name].as_str().unwrap_or_default().to_owned());
        let new = record["occurrences"].as_f64().unwrap_or_default();
        *samples.entry(vec![label("namespace"), label("severity")]).or_default() += new;
    }
    without_zeros(samples)
}

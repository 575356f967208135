//! Text that nobody should have written, sent through the API: V33.

use crate::program::Program;
use crate::reports::{Reports, only_group, summary};
use crate::stage::{Collection, end, text, watch_with};
use faro_tests::control_plane::{ControlPlane, eventually};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};

#[test]
fn v33_messages_with_escapes_and_64_kilobytes_are_kept_and_never_raw_on_a_terminal() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let reports = Reports::new(&cluster, &cluster.namespace("v33"));
    let long = "x\u{1b}é".repeat(16 << 10);
    let messages = [
        "bell\u{7}",
        "red \u{1b}[31malert\u{1b}[0m",
        "title \u{1b}]0;owned\u{7}",
        "line\nline\r\tend",
        "nul\u{0}",
        "delete\u{7f} \u{9b}31m",
        &long,
    ];
    let mut program = reports.watch(&cluster, &[]);
    for (number, message) in messages.iter().enumerate() {
        reports.write(&format!("message-{number}"), &json!({"message": message}));
    }
    program.wait_for("the last Event", |record| record["name"] == format!("message-{}", messages.len() - 1));
    let records = end(&mut program, "");
    assert_eq!(records.iter().map(|record| text(&record["message"])).collect::<Vec<_>>(), messages);
    assert_eq!((&only_group(&program)["count"], &only_group(&program)["messages"]), (&json!(7), &json!(7)));
    assert_eq!(refused(&program), 0);

    // For people: one line each, and nothing in it that a terminal obeys.
    let shown = once(&cluster, &reports.namespace, "text");
    assert!(shown.contains("alert") && shown.contains("owned"), "{shown}");
    // Events about nodes are shown with those of any namespace.
    let of_it = shown.lines().filter(|line| line.contains(&format!("Pod {}/web-1 ", reports.namespace)));
    assert_eq!(of_it.count(), messages.len() + 1, "a line for each Event, and one for the group: {shown}");
    let others = shown.lines().filter(|line| !line.contains(" Node ") && !line.contains(&reports.namespace));
    assert_eq!(others.count(), 0, "{shown}");
    assert_eq!(shown.chars().find(|c| c.is_control() && *c != '\n'), None);
    assert_eq!(once(&cluster, &reports.namespace, "json").chars().find(|c| *c < ' ' && *c != '\n'), None);
}

#[test]
fn v33_broken_text_and_deep_json_are_kept_or_refused_with_a_count() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("v33");
    let reports = Reports::new(&cluster, &namespace);
    let group = format!("{namespace}.faro.dev");
    let widgets = Collection::at(&cluster, format!("/apis/{group}/v1/namespaces/{namespace}/widgets"));
    define(&cluster, &group);
    eventually("the collection is served", || cluster.api().list(&format!("/apis/{group}/v1/namespaces/{namespace}/widgets")).ok());
    let config = format!("namespaces: [{{name_selector: {namespace}, resources: {{v1/events: , {group}/v1/widgets: }}}}]");
    let mut program = watch_with(&cluster, &config, 2, &["--emit", "object,event,group,sync,summary"]);

    let path = format!("/api/v1/namespaces/{namespace}/events");
    let event = |name: &str| reports.event(name, &json!({"message": "MARK"})).to_string();
    let mut invalid = event("invalid-utf8").into_bytes();
    let at = invalid.windows(4).position(|window| window == b"MARK").unwrap();
    invalid[at] = 0xff;
    let mut taken = 0;
    for body in
        [invalid, event("surrogate").replace("MARK", r"\ud800").into_bytes(), event("halves").replace("MARK", r"\ude00\ud800").into_bytes()]
    {
        taken += u64::from(post(&cluster, &path, &body));
    }
    // Deeper than any reader of JSON with a limit goes.
    let mut deep_taken = 0;
    for depth in [100, 1_000, 5_000] {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let body =
            json!({"apiVersion": format!("{group}/v1"), "kind": "Widget", "metadata": {"name": format!("deep-{depth}")}, "spec": "DEEP"});
        let body = body.to_string().replace("\"DEEP\"", &format!("{{\"x\":{deep}}}"));
        deep_taken += u64::from(post(&cluster, &format!("/apis/{group}/v1/namespaces/{namespace}/widgets"), body.as_bytes()));
    }
    widgets.create(&json!({"apiVersion": format!("{group}/v1"), "kind": "Widget", "metadata": {"name": "last"}}));
    program.wait_for("what comes after", |record| record["name"] == "last");
    reports.write("last", &json!({"message": "well"}));
    program.wait_for("what comes after", |record| record["record"] == "event" && record["name"] == "last");
    program.read_for(std::time::Duration::from_millis(250));
    assert!(program.stop().success());
    let told = |kind: &str| program.records.iter().filter(|record| record["record"] == kind).count() as u64;
    assert_eq!(told("event") + told("object") + refused(&program), taken + deep_taken + 2, "{}", program.stderr());
    assert!((taken, deep_taken) >= (1, 1), "the API server lets some of it through");
    assert_eq!(program.stderr().chars().find(|c| c.is_control() && *c != '\n'), None);
}

/// How many inputs were refused, of whatever cause.
fn refused(program: &Program) -> u64 {
    summary(program)["malformed"].as_object().into_iter().flat_map(|causes| causes.values()).filter_map(Value::as_u64).sum()
}

/// What one look prints.
fn once(cluster: &ControlPlane, namespace: &str, format: &str) -> String {
    let options = ["watch", "--once", "--gvr", "v1/events", "-n", namespace, "--emit", "event,group", "-o", format];
    let output = Command::new(Program::path()).args(options).env("KUBECONFIG", cluster.kubeconfig()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Posts bytes that no client of ours would write; tells whether the API server took them.
fn post(cluster: &ControlPlane, path: &str, body: &[u8]) -> bool {
    let mut kubectl = cluster.kubectl();
    let mut child = kubectl
        .args(["create", "--raw", path, "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body).unwrap();
    child.wait().unwrap().success()
}

/// A collection whose objects may hold anything.
fn define(cluster: &ControlPlane, group: &str) {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let definition = json!({
        "metadata": {"name": format!("widgets.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    });
    cluster.api().create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition).unwrap();
}

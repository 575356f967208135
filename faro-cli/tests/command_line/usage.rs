//! What is refused before anything is read, and what needs no input.

use super::{Shell, event};
use std::process::Command;

#[test]
fn wrong_options_exit_2_with_a_suggestion() {
    let shell = Shell::new();
    for (args, words) in [
        (&["replay", "-", "--sevrity", "high"][..], &["--sevrity", "--severity"][..]),
        (&["replay", "-", "--severity", "hihg"], &["hihg", "'high'"]),
        (&["replay", "-", "--emit", "gruop"], &["gruop", "'group'"]),
        (&["replay", "-", "--family", "crash-lop"], &["crash-lop", "'crash-loop'"]),
        (&["replay", "-", "--group-by", "pod"], &["object, workload, reason"]),
        (&["replay", "-", "--window", "5"], &["no unit", "`5s`"]),
        (&["replay", "-", "--lateness", "-5m"], &["--lateness", "negative"]),
        (&["replay", "-", "--now", "yesterday"], &["RFC 3339"]),
        (&["replay", "-", "--since", "1h"], &["--since", "--now"]),
        (&["replay", "-", "--gvr", "pods"], &["`pods`", "v1/pods"]),
        (&["replay", "-", "--for", "web-1"], &["'web-1'", "pod/web-1"]),
        (&["replay", "-", "-l", "a in ("], &["--selector"]),
        (&["replay", "-", "--field-selector", "metadata.nmae=x"], &["metadata.nmae", "metadata.name"]),
        (&["replay", "-", "--where", "cuont > 3"], &["cuont", "`count`", "character 1"]),
        (&["replay", "-", "-n", "shop", "-A"], &["--all-namespaces"]),
        (&["replay", "-", "-"], &["twice"]),
        (&["replay"], &["<FILE>"]),
        (&["repaly", "-"], &["repaly", "replay"]),
        (&[], &["Usage"]),
    ] {
        let ran = shell.run(args);
        ran.refused(2, words);
        assert_eq!(ran.out, "", "{args:?}");
    }
}

#[test]
fn options_come_from_a_file_and_the_command_line_goes_before() {
    let shell = Shell::new();
    shell.file("events.json", event("a", 3));
    shell.file("faro.yaml", "# ours\nemit: [group]\nwindow: 10m\noutput: text\nfinal: true\n");
    let ran = shell.run(&["replay", "events.json", "--config", "faro.yaml", "--output", "json"]);
    let records = ran.records();
    assert_eq!((records.len(), &records[0]["record"]), (1, &serde_json::json!("group")));
    let ran = shell.run(&["replay", "events.json", "--config", "faro.yaml", "-o", "json", "--emit", "summary"]);
    assert_eq!(ran.records().len(), 1);
}

#[test]
fn wrong_file_of_options_is_named_with_its_line() {
    let shell = Shell::new();
    for (text, words) in [
        ("emit: group\nwindwo: 5m\n", &["faro.yaml:2:", "`windwo`", "`window`"][..]),
        ("window: 5\n", &["faro.yaml:1:", "no unit"]),
        ("emit: [group, gruop]\n", &["faro.yaml:1:", "gruop"]),
        ("strict: maybe\n", &["faro.yaml:1:", "true or false"]),
        ("window: 5m\nwindow: 6m\n", &["faro.yaml:2:", "duplicate"]),
        ("window: [\n", &["faro.yaml:1:"]),
        ("- window\n", &["faro.yaml:1:"]),
        ("config: other.yaml\n", &["faro.yaml:1:", "`config`"]),
    ] {
        shell.file("faro.yaml", text);
        let ran = shell.run(&["replay", "-", "--config", "faro.yaml"]);
        ran.refused(2, words);
        assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
    }
    shell.run(&["replay", "-", "--config", "nowhere.yaml"]).refused(2, &["nowhere.yaml"]);
}

const RULES: &str = "
rules:
  - name: shop-crash
    match: {reason: BackOff, namespace: shop}
    severity: low
    examples:
      - event: {reason: BackOff, type: Warning, involvedObject: {kind: Pod, name: web-1, namespace: shop}}
        severity: low
";

#[test]
fn rules_change_what_is_printed_and_their_examples_are_run() {
    let shell = Shell::new();
    shell.file("events.json", event("a", 3));
    shell.file("rules.yaml", RULES);
    let checked = shell.run(&["check-config", "rules.yaml"]);
    let outcome: serde_json::Value = serde_json::from_str(&checked.out).unwrap();
    assert_eq!(
        (checked.code, &outcome["name"], &outcome["line"], &outcome["ok"]),
        (Some(0), &"shop-crash".into(), &7.into(), &true.into())
    );
    let severity = |args: &[&str]| shell.run(args).records()[0]["severity"].clone();
    assert_eq!(severity(&["replay", "events.json"]), "critical");
    assert_eq!(severity(&["replay", "--rules", "rules.yaml", "events.json"]), "low");
    shell.file("failing.yaml", RULES.replace("        severity: low\n", "        severity: high\n"));
    let failing = shell.run(&["check-config", "failing.yaml"]);
    failing.refused(1, &["failing.yaml:7", "1 of 1", "expected severity high", "got severity low"]);
    assert!(failing.out.contains(r#""ok":false"#));
}

#[test]
fn wrong_rules_are_named_with_their_place() {
    let shell = Shell::new();
    for (from, to, words) in [
        ("severity: low", "sevrity: low", &["rules.yaml:5:", "`sevrity`", "`severity`"][..]),
        ("severity: low", "severity: lwo", &["rules.yaml:5:", "`lwo`", "`low`"]),
        ("    severity: low", "    when: cuont > 3\n    severity: low", &["rules.yaml:5:", "cuont"]),
        ("rules:", "rules: [", &["rules.yaml:"]),
    ] {
        let text = RULES.replacen(from, to, 1);
        shell.file("rules.yaml", text);
        shell.run(&["check-config", "rules.yaml"]).refused(2, words);
        shell.run(&["replay", "--rules", "rules.yaml", "-"]).refused(2, words);
    }
    shell.run(&["check-config", "nowhere.yaml"]).refused(2, &["nowhere.yaml"]);
}

#[test]
fn what_cannot_be_read_is_named() {
    let shell = Shell::new();
    std::fs::create_dir(shell.folder.path().join("empty")).unwrap();
    shell.run(&["replay", "nowhere.json"]).refused(1, &["cannot read `nowhere.json`", "No such file"]);
    shell.run(&["replay", "empty"]).refused(1, &["empty", "*.ndjson"]);
}

#[test]
fn schema_reasons_and_completions_are_printed() {
    let shell = Shell::new();
    let schema: serde_json::Value = serde_json::from_str(&shell.run(&["schema"]).out).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let all = shell.run(&["reasons"]);
    assert!(all.out.lines().count() >= 300);
    let back_off = shell.run(&["reasons", "BackOff"]);
    assert!(back_off.out.lines().count() >= 2 && back_off.out.lines().all(|line| line.starts_with(r#"{"reason":"BackOff""#)));
    shell.run(&["reasons", "Backoff"]).refused(1, &["`Backoff`", "`BackOff`"]);
    let causes = shell.run(&["causes"]);
    assert!(causes.out.lines().count() >= 60);
    assert!(shell.run(&["causes", "crash-loop"]).out.starts_with(r#"{"code":"crash-loop""#));
    shell.run(&["causes", "crashloop"]).refused(1, &["`crashloop`", "`crash-loop`"]);
    for name in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(shell.run(&["completions", name]).out.contains("replay"), "{name}");
    }
}

#[test]
fn kubectl_faro_is_the_same_program() {
    let shell = Shell::new();
    let input = shell.file("events.json", event("a", 3));
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_kubectl-faro")).args(args).arg(&input).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    // Not on a terminal: the same lines.
    assert_eq!(run(&["replay"]), shell.run(&["replay", "events.json"]).out);
    assert!(run(&["replay", "-o", "text"]).contains("critical"));
    let help = Command::new(env!("CARGO_BIN_EXE_kubectl-faro")).args(["replay", "--help"]).output().unwrap();
    assert!(String::from_utf8(help.stdout).unwrap().contains("kubectl faro replay"));
}

#[test]
fn w20_taken_port_is_told_before_anything_is_asked_or_written() {
    let shell = Shell::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let kubeconfig = format!(
        r#"{{"current-context": "c", "contexts": [{{"name": "c", "context": {{"cluster": "c", "user": "u"}}}}],
            "clusters": [{{"name": "c", "cluster": {{"server": "http://{address}"}}}}], "users": [{{"name": "u", "user": {{}}}}]}}"#
    );
    shell.file("kubeconfig", kubeconfig);
    let ran = shell.run(&["watch", "--kubeconfig", "kubeconfig", "--listen", &address, "--record", "night.ndjson", "--leader-elect"]);
    ran.refused(1, &["cannot listen on", &address, "Address already in use"]);
    assert_eq!(ran.out, "");
    assert!(!shell.folder.path().join("night.ndjson").exists());
    taken.set_nonblocking(true).unwrap();
    assert_eq!(taken.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn addresses_and_leases_are_checked_first() {
    let shell = Shell::new();
    shell.run(&["watch", "--leader-elect=a/b/c"]).refused(2, &["--leader-elect", "monitoring/faro"]);
    shell.file("kubeconfig", r#"{"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}"#);
    shell.run(&["watch", "--kubeconfig", "kubeconfig", "--listen", "9180"]).refused(2, &["--listen", "127.0.0.1:9180"]);
}

//! What is secret stays in the cluster: W18.

use crate::program::Program;
use faro_tests::control_plane::ControlPlane;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A value, in base64, and in base64 twice, as a careless client encodes it.
const FORMS: [&str; 3] = ["correct-horse-battery", "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5", "WTI5eWNtVmpkQzFvYjNKelpTMWlZWFIwWlhKNQ=="];

#[test]
fn w18_no_value_of_a_secret_is_in_any_output_log_or_file() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w18");
    let place = tempfile::tempdir().unwrap();
    let [recording, checkpoint, more] = ["recording.ndjson", "checkpoint", "more.ndjson"].map(|name| place.path().join(name));
    let mut command = Command::new(Program::path());
    command
        .args([
            "watch",
            "--gvr",
            "v1/secrets,v1/configmaps,v1/events",
            "-n",
            &namespace,
            "--emit",
            "all",
            "--rotate-size",
            "2k",
            "--record",
        ])
        .arg(&recording)
        .arg("--checkpoint")
        .arg(&checkpoint)
        .env("KUBECONFIG", cluster.kubeconfig())
        .env("RUST_LOG", "trace");
    let mut program = Program::spawn(&mut command);
    program.wait_for_sync(&["v1/secrets"]);
    // What is recorded is stripped once more; nothing protects what is printed alone.
    let plain = ["watch", "--gvr", "v1/secrets", "-n", &namespace, "--emit", "object,sync"];
    let mut printed = Program::start(cluster.kubeconfig(), &plain);
    printed.wait_for_sync(&["v1/secrets"]);
    let mut second = Command::new(Program::path());
    second.args(["record", "--gvr", "v1/secrets", "-n", &namespace]).arg(&more).env("KUBECONFIG", cluster.kubeconfig());
    let mut recorder = Program::spawn(&mut second);

    apply(&cluster, &namespace, "stringData", FORMS[0], "1");
    program.wait_for("the Secret", |record| record["gvr"] == "v1/secrets" && record["eventType"] == "ADDED");
    apply(&cluster, &namespace, "data", FORMS[1], "2");
    program.wait_for("the change", |record| record["eventType"] == "UPDATED");
    apply(&cluster, &namespace, "data", FORMS[2], "3");
    cluster.api().delete(&format!("/api/v1/namespaces/{namespace}/secrets/password")).unwrap();
    let deleted = program.wait_for("the deletion", |record| record["eventType"] == "DELETED" && record["gvr"] == "v1/secrets");
    assert_eq!(deleted["labels"]["turn"], "3");
    printed.wait_for("the deletion", |record| record["eventType"] == "DELETED");
    recorder.read_for(Duration::from_millis(250));
    assert!(program.stop().success() && printed.stop().success() && recorder.stop().success());

    let secrets: Vec<_> = program.records.iter().filter(|record| record["gvr"] == "v1/secrets" && record["record"] == "object").collect();
    assert!(secrets.len() >= 4, "{secrets:#?}");
    assert!(secrets.iter().all(|record| record["changes"].is_null()), "{secrets:#?}");
    for record in program.records.iter().chain(&printed.records) {
        check("the output", record.to_string().as_bytes());
    }
    check("the log", program.stderr().as_bytes());
    check("the log", printed.stderr().as_bytes());
    check("the log", recorder.stderr().as_bytes());
    let mut files = 0;
    for file in std::fs::read_dir(place.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        check(&path.display().to_string(), &bytes);
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
        files += 1;
    }
    assert!(files >= 4, "two recordings, a full one beside, and a checkpoint: {files}");
    let recorded = std::fs::read_to_string(&more).unwrap();
    assert!(recorded.contains("\"name\":\"password\""), "{recorded}");
}

/// Applies it as people do: `kubectl apply` keeps the whole object in an annotation.
fn apply(cluster: &ControlPlane, namespace: &str, field: &str, value: &str, turn: &str) {
    let manifest = format!(
        "{{apiVersion: v1, kind: Secret, metadata: {{name: password, namespace: {namespace}, labels: {{turn: '{turn}'}}, \
         annotations: {{note: '{value}'}}}}, {field}: {{password: '{value}'}}}}"
    );
    let mut child = cluster.kubectl().args(["apply", "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[track_caller]
fn check(place: &str, bytes: &[u8]) {
    for form in FORMS {
        let found = bytes.windows(form.len()).position(|window| window == form.as_bytes());
        let around = found.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(200)..(at + 100).min(bytes.len())]).into_owned());
        assert_eq!(around, None, "`{form}` is in {place}");
    }
}

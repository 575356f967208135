//! The manifests of `deploy/`: what the API server says of them, and the program with exactly the rights they give.

use crate::probe::Probe;
use crate::program::Program;
use faro_tests::control_plane::{ControlPlane, Setup, eventually};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

/// Renders a folder of `deploy/`.
fn render(cluster: &ControlPlane, folder: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(folder);
    let output = cluster.kubectl().arg("kustomize").arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs kubectl on a manifest, and returns what it said on standard error.
#[track_caller]
fn kubectl(cluster: &ControlPlane, arguments: &[&str], manifest: &str) -> String {
    let mut child = cluster
        .kubectl()
        .args(arguments)
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

/// Checks the manifests with the server, then applies them.
fn apply(cluster: &ControlPlane, folder: &str) {
    let manifest = render(cluster, folder);
    // What lies in a namespace that is not there cannot be checked.
    let begins = manifest.split("\n---\n").find(|document| document.contains("kind: Namespace")).unwrap();
    kubectl(cluster, &["apply", "--server-side"], begins);
    for arguments in [&["apply", "--server-side", "--dry-run=server", "--validate=strict"][..], &["apply", "--server-side"]] {
        assert_eq!(kubectl(cluster, arguments, &manifest), "");
    }
}

/// The arguments of the Deployment's container, with a port of ours.
fn arguments(cluster: &ControlPlane, probe: &Probe) -> Vec<String> {
    let deployment = cluster.api().read("/apis/apps/v1/namespaces/faro/deployments/faro").unwrap();
    let given = deployment["spec"]["template"]["spec"]["containers"][0]["args"].as_array().unwrap().clone();
    let argument = |given: &Value| match given.as_str().unwrap() {
        "--listen=:9180" => probe.listen(),
        given => given.replace("$(NAMESPACE)", "faro"),
    };
    given.iter().map(argument).collect()
}

#[track_caller]
fn run(cluster: &ControlPlane, probe: &Probe) -> Program {
    let account = cluster.known_account("faro", "faro").unwrap();
    let arguments = arguments(cluster, probe);
    assert!(arguments.contains(&probe.listen()));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let program = Program::start(account.kubeconfig(), &arguments);
    eventually("all watches are ready", || (probe.get("/readyz") == Some((200, "ok\n".to_owned()))).then_some(()));
    assert!(probe.samples("faro_watch_refusals_total").values().all(|refusals| *refusals == 0.0));
    assert!(probe.samples("faro_watch_ready").values().all(|ready| *ready == 1.0));
    program
}

#[test]
fn manifests_are_accepted_and_give_the_program_what_it_needs() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    apply(&cluster, "base");
    let probe = Probe::new();
    let mut program = run(&cluster, &probe);
    assert_eq!(probe.samples("faro_watch_ready").len(), 22);

    let api = cluster.api();
    let lease = api.read("/apis/coordination.k8s.io/v1/namespaces/faro/leases/faro").unwrap();
    assert!(!lease["spec"]["holderIdentity"].as_str().unwrap().is_empty());
    assert_eq!(lease["spec"]["leaseDurationSeconds"], 15);
    eventually("a checkpoint", || api.read("/api/v1/namespaces/faro/configmaps/faro-checkpoint").ok());
    eventually("and another one", || (probe.samples("faro_checkpoint_duration_seconds_count")[&Vec::new()] >= 2.0).then_some(()));
    assert_eq!(probe.samples("faro_checkpoint_failures_total")[&Vec::new()], 0.0);
    assert!(program.stop().success(), "{}", program.stderr());
    assert_eq!(program.stderr(), "");
    let lease = api.read("/apis/coordination.k8s.io/v1/namespaces/faro/leases/faro").unwrap();
    assert_eq!(lease["spec"]["holderIdentity"], "");
}

#[test]
fn account_of_the_manifests_can_do_nothing_else() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    apply(&cluster, "base");
    let account = cluster.known_account("faro", "faro").unwrap();
    let api = account.api();
    cluster.api().create("/api/v1/namespaces/faro/secrets", &json!({"metadata": {"name": "s"}})).unwrap();
    eventually("its rights are known", || api.list("/api/v1/pods").ok());
    for path in ["/api/v1/secrets", "/api/v1/namespaces/faro/secrets", "/api/v1/namespaces/faro/secrets/s", "/api/v1/serviceaccounts"] {
        assert_eq!(api.read(path).unwrap_err().status(), Some(403), "{path}");
    }
    let configmap = |name: &str| json!({"metadata": {"name": name}});
    for namespace in ["faro", "default"] {
        let path = format!("/api/v1/namespaces/{namespace}");
        assert_eq!(api.create(&format!("{path}/configmaps"), &configmap("x")).unwrap_err().status(), Some(403));
        assert_eq!(api.delete(&format!("{path}/configmaps/faro-checkpoint")).unwrap_err().status(), Some(403));
        assert_eq!(api.create(&format!("{path}/pods"), &configmap("x")).unwrap_err().status(), Some(403));
        assert_eq!(api.create(&format!("{path}/events"), &configmap("x")).unwrap_err().status(), Some(403));
    }
    let leases = |namespace: &str| format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
    assert_eq!(api.create(&leases("default"), &configmap("x")).unwrap_err().status(), Some(403));
    assert_eq!(api.read(&format!("{}/other", leases("faro"))).unwrap_err().status(), Some(403));
}

#[test]
fn pods_of_the_manifests_are_as_restricted_as_their_namespace_demands() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    apply(&cluster, "base");
    let deployment = cluster.api().read("/apis/apps/v1/namespaces/faro/deployments/faro").unwrap();
    let template = &deployment["spec"]["template"];
    let pod = |spec: &Value| {
        let metadata = json!({"name": "faro", "namespace": "faro", "labels": template["metadata"]["labels"]});
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    };
    let path = "/api/v1/namespaces/faro/pods?dryRun=All";
    cluster.api().create(path, &pod(&template["spec"])).unwrap();
    // That the API server does look is shown by a pod that it refuses.
    let mut loose = template["spec"].clone();
    loose["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = json!(true);
    assert_eq!(cluster.api().create(path, &pod(&loose)).unwrap_err().status(), Some(403));
    let container = &template["spec"]["containers"][0];
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    assert_eq!(container["securityContext"]["capabilities"], json!({"drop": ["ALL"]}));
}

#[test]
fn overlay_adds_secrets_and_their_values_stay_where_they_are() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    apply(&cluster, "secrets-metadata");
    let secret = json!({"metadata": {"name": "password"}, "stringData": {"key": "hunter2"}});
    cluster.api().create("/api/v1/namespaces/default/secrets", &secret).unwrap();
    let probe = Probe::new();
    let mut program = run(&cluster, &probe);
    assert_eq!(probe.samples("faro_watch_ready").len(), 23);
    assert!(probe.sum("faro_watch_ready", "gvr", "v1/secrets") == 1.0);
    assert!(program.stop().success(), "{}", program.stderr());
}

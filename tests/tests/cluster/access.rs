//! Rights that are missing, credentials that end, places that cannot be reached or written.

use crate::program::Program;
use crate::truth::{Difference, Truth, compare};
use faro_tests::control_plane::{Account, ControlPlane, eventually};
use faro_tests::proxy::Proxy;
use faro_watch::{Cluster, Selection, Watcher};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Waits until the authorizer has heard of a right.
fn await_right(account: &Account, path: &str) {
    eventually("the right is granted", || account.api().read(path).ok());
}

#[tokio::test]
async fn w15_missing_right_stops_nothing_else_is_named_and_heals() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w15");
    let account = cluster.account(&namespace, "watcher").unwrap();
    let rule = |resources: &[&str]| json!({"apiGroups": [""], "resources": resources, "verbs": ["list", "watch"]});
    account.grant(&json!([rule(&["configmaps"])])).unwrap();
    await_right(&account, "/api/v1/configmaps?limit=1");
    let mut truth = Truth::new(&cluster, &namespace, 15);
    truth.create();

    let arguments = ["watch", "--gvr", "v1/configmaps,v1/services", "--emit", "object,sync,gap"];
    let mut program = Program::start(account.kubeconfig(), &arguments);
    let from = Cluster::find(Some(account.kubeconfig().to_owned()), None).unwrap();
    let wanted = ["v1/configmaps", "v1/services"].map(Selection::new);
    let mut watcher = Watcher::builder().cluster(from, wanted).start().await.unwrap();

    // The others run.
    program.wait_for_sync(&["v1/configmaps"]);
    truth.update(0);
    program.wait_for("a change", |record| record["eventType"] == "UPDATED" && record["name"] == "cm-15-1");
    // What is missing is said, with what to do; once.
    let words = "v1/services: refused: 403 Forbidden: ";
    program.wait_for_stderr(words);
    let add = r#"add the rule {apiGroups: [""], resources: ["services"], verbs: ["list", "watch"]}"#;
    assert!(program.stderr().contains(add), "{}", program.stderr());
    // Health and what counts for a metric name it.
    let health = watcher.health();
    let of = |gvr: &str| health.watches().into_iter().find(|watch| watch.name.gvr == gvr).unwrap();
    while !of("v1/configmaps").is_ready() || of("v1/services").status.refusals == 0 {
        drop(tokio::time::timeout(Duration::from_millis(20), watcher.next()).await);
    }
    assert!(!health.is_ready());
    assert!(of("v1/services").complaint().unwrap().contains(add));
    assert_eq!(of("v1/configmaps").complaint(), None);

    // The right is granted, and nothing is restarted.
    account.grant(&json!([rule(&["configmaps", "services"])])).unwrap();
    await_right(&account, "/api/v1/services?limit=1");
    program.wait_for_sync(&["v1/services"]);
    while !health.is_ready() {
        drop(tokio::time::timeout(Duration::from_millis(20), watcher.next()).await);
    }
    program.wait_for_stderr("all watches are well again");
    assert_eq!(program.stderr().matches(words).count(), 1, "{}", program.stderr());
    assert!(program.stop().success());
    assert_eq!(compare(&truth.happened[1..], &program.records).lost, 0);
    let services = program.changes("v1/services");
    assert!(services.contains(&("ADDED".to_owned(), "kubernetes".to_owned())), "{services:?}");
}

/// Runs it to its end, and returns its code and what it said.
fn run(kubeconfig: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Program::command(kubeconfig, arguments).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A copy of the administrator's kubeconfig with something changed.
fn changed(cluster: &ControlPlane, directory: &Path, name: &str, change: impl FnOnce(&mut Value)) -> PathBuf {
    let mut config: Value = serde_json::from_str(&std::fs::read_to_string(cluster.kubeconfig()).unwrap()).unwrap();
    change(&mut config);
    let path = directory.join(name);
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

#[test]
fn w20_what_cannot_begin_ends_with_1_and_one_clear_line() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let check = |kubeconfig: &Path, arguments: &[&str], words: &[&str]| {
        let (code, stderr) = run(kubeconfig, &[&["watch", "--gvr", "v1/configmaps", "--once"], arguments].concat());
        assert_eq!(code, Some(1), "{stderr}");
        assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
        words.iter().for_each(|word| assert!(stderr.contains(word), "no `{word}` in {stderr}"));
    };
    // Nobody listens.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("https://{nobody}");
    let away = changed(&cluster, place, "away", |config| config["clusters"][0]["cluster"]["server"] = url.clone().into());
    check(&away, &[], &["cluster `faro-tests`", &url, "Connection refused"]);
    // It accepts, and says nothing that is TLS.
    let proxy = Proxy::passing(&cluster);
    proxy.refuse(true);
    check(proxy.kubeconfig(), &[], &["cluster `faro-tests`", &proxy.address().to_string()]);
    // Signed by somebody else.
    let other = cluster.kubeconfig().with_file_name("admin.crt");
    let stranger =
        changed(&cluster, place, "stranger", |config| config["clusters"][0]["cluster"]["certificate-authority"] = other.to_str().into());
    check(&stranger, &[], &["cluster `faro-tests`", cluster.url(), "certificate"]);
    // No certificate where one is named.
    let lost = changed(&cluster, place, "lost", |config| config["users"][0]["user"]["client-certificate"] = "/nowhere/admin.crt".into());
    check(&lost, &[], &["/nowhere/admin.crt"]);
    // Nobody whom the server knows.
    let nobody = changed(&cluster, place, "nobody", |config| config["users"][0]["user"] = json!({"token": "expired"}));
    check(&nobody, &[], &["cluster `faro-tests`", "401", "Unauthorized"]);
    // No kubeconfig, one that is none, and a context that it has not.
    check(Path::new("/nowhere/config"), &["--kubeconfig", "/nowhere/config"], &["kubeconfig `/nowhere/config`: "]);
    std::fs::write(place.join("bad"), "contexts: [").unwrap();
    check(&place.join("bad"), &[], &["kubeconfig `", "/bad`: "]);
    check(cluster.kubeconfig(), &["--context", "prod"], &["context `prod` is not in `", "there are faro-tests"]);
    // Files that cannot be written.
    check(
        cluster.kubeconfig(),
        &["--record", "/nowhere/night.ndjson"],
        &["cannot write `/nowhere/night.ndjson`: No such file or directory"],
    );
    check(cluster.kubeconfig(), &["--checkpoint", "/nowhere/checkpoint"], &["/nowhere/checkpoint", "No such file or directory"]);
    check(cluster.kubeconfig(), &["--checkpoint", place.to_str().unwrap()], &[place.to_str().unwrap()]);
    let full = Program::command(cluster.kubeconfig(), &["watch", "--gvr", "v1/namespaces", "--emit", "object", "--once"])
        .stdout(std::fs::File::options().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&full.stderr);
    assert_eq!((full.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("cannot write to standard output: No space left on device"), "{said}");
}

#[test]
fn token_that_is_no_longer_accepted_is_told_and_heals_when_its_file_changes() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("token");
    let rules = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"]}]);
    let account = cluster.account(&namespace, "watcher").unwrap();
    account.grant_in(&namespace, &rules).unwrap();
    let path = format!("/api/v1/namespaces/{namespace}/configmaps?limit=1");
    await_right(&account, &path);
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    std::fs::write(&token, account.token()).unwrap();
    let proxy = Proxy::passing(&cluster);
    let kubeconfig = changed(&cluster, directory.path(), "kubeconfig", |config| {
        config["users"][0]["user"] = json!({"tokenFile": token});
        config["clusters"][0]["cluster"]["server"] = format!("https://{}", proxy.address()).into();
    });
    let arguments = ["watch", "--gvr", "v1/configmaps", "-n", &namespace, "--emit", "object,sync,gap"];
    let mut program = Program::start(&kubeconfig, &arguments);
    program.wait_for_sync(&["v1/configmaps"]);

    // A token is worth nothing without its account; the server believes for some seconds what it has just checked.
    let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
    cluster.api().delete(&format!("{accounts}/watcher")).unwrap();
    eventually("the token is refused", || account.api().read(&path).err().filter(|error| error.status() == Some(401)));
    proxy.cut();
    program.wait_for_stderr("v1/configmaps");
    program.wait_for_stderr("unauthorized: 401 Unauthorized");
    let mut truth = Truth::new(&cluster, &namespace, 401);
    truth.create();

    let again = cluster.account(&namespace, "watcher").unwrap();
    await_right(&again, &path);
    std::fs::write(&token, again.token()).unwrap();
    program.wait_for("what happened meanwhile", |record| record["name"] == "cm-401-1");
    program.wait_for_stderr("all watches are well again");
    assert!(program.stop().success());
    assert_eq!(compare(&truth.happened, &program.records), Difference::default());
    assert_eq!(program.stderr().matches("unauthorized").count(), 1, "{}", program.stderr());
}

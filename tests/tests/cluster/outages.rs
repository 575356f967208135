//! Servers that are away, that are silent, or that answer what they should not.

use crate::program::Program;
use crate::truth::{Difference, Truth, compare};
use faro_tests::control_plane::{Component, ControlPlane, Setup};
use faro_tests::proxy::{Proxy, Verdict};
use faro_watch::machine::{RENEWAL, SILENCE};
use faro_watch::{Cluster, Output, Selection, Watcher};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// Starts a watcher of faro-watch itself, for what the program does not print.
async fn embedded(kubeconfig: &Path, selection: Selection) -> Watcher {
    let cluster = Cluster::find(Some(kubeconfig.to_owned()), None).unwrap();
    Watcher::builder().cluster(cluster, [selection]).seed(1).start().await.unwrap()
}

/// Reads lines until one holds a text, in a minute at most, and returns them.
async fn read_until(watcher: &mut Watcher, text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let read = async {
        while let Some(output) = watcher.next().await {
            let Output::Feed(feed) = output else { continue };
            lines.push(feed.into_line());
            if lines.last().unwrap().contains(text) {
                return;
            }
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), read).await.is_ok(), "`{text}` does not come: {lines:?}");
    lines
}

/// Lets time pass for the watcher, and none for the server, until something is so; returns how much it took.
async fn skip_until(watcher: &mut Watcher, lines: &mut Vec<String>, is_so: impl Fn(&Watcher, &[String]) -> bool) -> Duration {
    let step = Duration::from_secs(5);
    let mut skipped = Duration::ZERO;
    while !is_so(watcher, lines) {
        assert!(skipped < Duration::from_secs(900), "{:?}; {lines:?}", watcher.health().watches());
        tokio::time::pause();
        tokio::time::advance(step).await;
        tokio::time::resume();
        skipped += step;
        // What was asked for because of it is answered in real time.
        while let Ok(Some(output)) = tokio::time::timeout(Duration::from_millis(60), watcher.next()).await {
            if let Output::Feed(feed) = output {
                lines.push(feed.into_line());
            }
        }
    }
    skipped
}

/// Reads what comes until something is so.
async fn look_until(watcher: &mut Watcher, what: &str, is_so: impl Fn(&Watcher) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so(watcher) {
        assert!(Instant::now() < deadline, "{what}: {:?}", watcher.health().watches());
        drop(tokio::time::timeout(Duration::from_millis(20), watcher.next()).await);
    }
}

#[tokio::test]
async fn w14_api_server_that_is_away_for_20_seconds_is_told_and_survived() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    let mut truth = Truth::new(&cluster, "default", 14);
    (0..5).for_each(|_| truth.create());
    let mut program = Program::start(
        cluster.kubeconfig(),
        &["watch", "--gvr", "v1/configmaps,v1/events", "-n", "default", "--emit", "object,event,sync,gap"],
    );
    program.wait_for_sync(&["v1/configmaps", "v1/events"]);
    let mut watcher = embedded(cluster.kubeconfig(), Selection::new("v1/configmaps")).await;
    look_until(&mut watcher, "ready", |watcher| watcher.health().is_ready()).await;
    let restarts = |watcher: &Watcher| watcher.health().watches()[0].status.restarts;
    let before = restarts(&watcher);

    cluster.kill(Component::ApiServer);
    let stopped = Instant::now();
    let complaint = |watcher: &Watcher| watcher.health().watches()[0].complaint().unwrap_or_default();
    look_until(&mut watcher, "it is not ready, and why", |watcher| {
        let said = complaint(watcher);
        said.contains("v1/configmaps: failing: ") && said.contains("Connection refused")
    })
    .await;
    program.wait_for_stderr("v1/configmaps in `default`: failing: ");
    program.wait_for_stderr("v1/events in `default`: failing: ");
    // As long as the scenario says.
    while stopped.elapsed() < Duration::from_secs(20) {
        drop(tokio::time::timeout(Duration::from_millis(100), watcher.next()).await);
        assert!(!watcher.health().is_ready() && program.is_running());
    }
    assert!(restarts(&watcher) > before);
    cluster.start(Component::ApiServer).unwrap();
    truth.update(0);
    truth.create();
    look_until(&mut watcher, "it is ready again", |watcher| watcher.health().is_ready()).await;
    while !truth.is_in(&program.records) {
        program.wait_for("a change after it", |record| record["record"] == "object");
    }
    program.wait_for_stderr("all watches are well again");
    // Said once, not with every attempt.
    let said = program.stderr();
    assert!(said.matches("v1/configmaps in `default`: failing").count() <= 3, "{said}");
    assert!(program.stop().success());
    assert_eq!(compare(&truth.happened, &program.records), Difference::default());
    // A cache that began anew cannot prove what it did not see, so a gap may be told, of the ConfigMaps at most.
    let gaps: Vec<&Value> = program.records.iter().filter(|record| record["record"] == "gap").map(|gap| &gap["gvr"]).collect();
    assert!(gaps.is_empty() || gaps == ["v1/configmaps"], "{gaps:?}");
}

fn write_event(cluster: &ControlPlane, namespace: &str, name: &str) {
    let event = json!({
        "metadata": {"name": name}, "reason": "Killing", "message": "Stopping container app", "type": "Normal",
        "involvedObject": {"kind": "Pod", "namespace": namespace, "name": "web"},
    });
    cluster.api().create(&format!("/api/v1/namespaces/{namespace}/events"), &event).unwrap();
}

#[tokio::test]
async fn w26_watch_that_goes_silent_without_closing_is_renewed() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w26");
    let proxy = Proxy::reading(&cluster);

    // Without bookmarks: Events. Whatever the connection does, the watch is renewed.
    let mut watcher = embedded(proxy.kubeconfig(), Selection::new("v1/events").namespaces([namespace.clone()])).await;
    look_until(&mut watcher, "ready", |watcher| watcher.health().is_ready()).await;
    write_event(&cluster, &namespace, "before");
    read_until(&mut watcher, "\"before\"").await;
    proxy.stall();
    write_event(&cluster, &namespace, "after");
    let mut lines = Vec::new();
    let skipped = skip_until(&mut watcher, &mut lines, |_, lines| lines.iter().any(|line| line.contains("\"after\""))).await;
    assert!(skipped >= RENEWAL - Duration::from_secs(5) && skipped <= 2 * RENEWAL, "after {skipped:?}");
    assert!(watcher.health().watches()[0].status.renewals >= 1);
    assert_eq!(lines.len(), 1, "{lines:?}");
    drop(watcher);

    // With bookmarks, of which the first comes two seconds before a stream's time is up.
    let first = std::sync::atomic::AtomicBool::new(true);
    proxy.on_request(move |request| match request.split_once("timeoutSeconds=") {
        Some((head, tail)) if first.swap(false, std::sync::atomic::Ordering::Relaxed) => {
            Verdict::Rewrite(format!("{head}timeoutSeconds=4&{}", tail.split_once('&').unwrap().1))
        }
        Some(_) | None => Verdict::Forward,
    });
    let mut truth = Truth::new(&cluster, &namespace, 26);
    truth.create();
    let watches = proxy.count("watch=1");
    let mut watcher = embedded(proxy.kubeconfig(), Selection::new("v1/configmaps").namespaces([namespace.clone()])).await;
    let status = |watcher: &Watcher| watcher.health().watches()[0].status.clone();
    look_until(&mut watcher, "a stream", |_| proxy.count("watch=1") > watches).await;
    // A bookmark tells of something later than the watch's beginning.
    Truth::new(&cluster, &cluster.namespace("w26"), 261).create();
    look_until(&mut watcher, "a bookmark and another stream", |watcher| {
        status(watcher).last_bookmark.is_some() && proxy.count("watch=1") >= watches + 2 && watcher.health().is_ready()
    })
    .await;
    proxy.stall();
    truth.update(0);
    let mut lines = Vec::new();
    let skipped = skip_until(&mut watcher, &mut lines, |_, lines| lines.iter().any(|line| line.contains("\"MODIFIED\""))).await;
    assert!(skipped >= SILENCE - Duration::from_secs(10) && skipped <= 2 * SILENCE, "after {skipped:?}");
    assert_eq!(status(&watcher).silences, 1);
    assert_eq!(status(&watcher).gaps, 0);
}

#[tokio::test]
async fn w26_relist_that_fails_five_times_keeps_trying() {
    let Some(cluster) = Setup::new().api_server_flag("--watch-cache=false").start_or_skip() else { return };
    let proxy = Proxy::reading(&cluster);
    let mut truth = Truth::new(&cluster, "default", 26);
    (0..5).for_each(|_| truth.create());
    let mut watcher = embedded(proxy.kubeconfig(), Selection::new("v1/configmaps").namespaces(["default"])).await;
    look_until(&mut watcher, "ready", |watcher| watcher.health().is_ready()).await;

    proxy.refuse(true);
    truth.update(0);
    truth.update(0);
    truth.delete(1);
    cluster.compact().unwrap();
    let lists = proxy.count("limit=500");
    let failures = std::sync::atomic::AtomicU32::new(0);
    proxy.on_request(move |request| {
        let fails = request.contains("limit=500") && failures.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 5;
        if fails { Verdict::answer("500 Internal Server Error", "text/plain", "etcd is having a bad day") } else { Verdict::Forward }
    });
    proxy.refuse(false);
    let mut lines = Vec::new();
    skip_until(&mut watcher, &mut lines, |watcher, _| !watcher.health().is_ready() && proxy.count("limit=500") > lists + 2).await;
    let complaint = watcher.health().watches()[0].complaint().unwrap();
    assert!(complaint.contains("500") && complaint.contains("etcd is having a bad day"), "{complaint}");
    skip_until(&mut watcher, &mut lines, |watcher, _| watcher.health().is_ready()).await;
    assert_eq!(proxy.count("limit=500") - lists, 6);
    // As if it had worked the first time: the differences and one gap.
    let count = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!((count("\"MODIFIED\""), count("\"DELETED\""), count("\"ADDED\""), count("\"gap\"")), (1, 1, 0, 1), "{lines:#?}");
    let gap: Value = serde_json::from_str(lines.iter().find(|line| line.contains("\"gap\"")).unwrap()).unwrap();
    assert_eq!(gap["recovered"], 2);
}

#[test]
fn w26_answers_that_end_at_once_or_are_no_kubernetes_do_not_make_it_spin() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w26");
    let proxy = Proxy::reading(&cluster);
    let mut truth = Truth::new(&cluster, &namespace, 260);
    let arguments = ["watch", "--gvr", "v1/configmaps", "-n", &namespace, "--emit", "object,sync,gap"];
    let mut program = Program::start(proxy.kubeconfig(), &arguments);
    program.wait_for_sync(&["v1/configmaps"]);
    proxy.await_requests("watch=1", 1);

    let html = "<!DOCTYPE html>\n<html><body>Please log in</body></html>\n";
    for (answer, words) in [
        (Verdict::answer("200 OK", "application/json", ""), "the answer ended at once"),
        (Verdict::answer("200 OK", "text/html", html), "what was sent is no watch event: `<!DOCTYPE html>`"),
        (Verdict::answer("502 Bad Gateway", "text/html", html), "502 : <!DOCTYPE html>"),
    ] {
        let before = proxy.count("watch=1");
        proxy.on_request(move |request| if request.contains("watch=1") { answer.clone() } else { Verdict::Forward });
        let begun = Instant::now();
        proxy.cut();
        program.wait_for_stderr(words);
        program.read_for(Duration::from_secs(4).saturating_sub(begun.elapsed()));
        let asked = proxy.count("watch=1") - before;
        // The first is asked for at once, and each wait is at least half of twice the one before: 0.2, 0.4, 0.8, 1.6 s.
        let most = 6 + usize::try_from(begun.elapsed().as_secs() / 4).unwrap();
        assert!((2..=most).contains(&asked), "{words}: asked {asked} times within {:?}", begun.elapsed());
        proxy.forward_all();
        truth.create();
        while !truth.is_in(&program.records) {
            program.wait_for("a change after it", |record| record["record"] == "object");
        }
    }
    assert!(program.stop().success());
    assert_eq!(compare(&truth.happened, &program.records), Difference::default());
}

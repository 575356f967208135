//! A recording of a live run, replayed, is what that run printed, byte for byte.

use crate::program::{Background, PATIENCE, Program};
use crate::truth::{Truth, whole_lines};
use faro_tests::control_plane::{ControlPlane, within};
use faro_tests::proxy::Proxy;
use serde_json::json;
use std::fs::File;
use std::path::{Path, PathBuf};

const OPTIONS: [&str; 6] = ["--emit", "all", "--window", "2s", "--update-interval", "1s"];

/// Starts a run whose output goes into a file.
fn start(kubeconfig: &Path, namespace: &str, more: &[&str], output: &Path) -> Background {
    let arguments = [&["watch", "--gvr", "v1/configmaps,v1/events,v1/pods", "-n", namespace], &OPTIONS[..], more].concat();
    Background::spawn(&mut Program::command(kubeconfig, &arguments), File::create(output).unwrap())
}

fn replay(files: &[&Path], namespace: &str) -> String {
    let mut command = Program::command(Path::new("/dev/null"), &["replay"]);
    // What is printed is chosen as in the live run.
    let output = command.args(files).args(["-n", namespace]).args(OPTIONS).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr).matches("understood").count(), 0);
    String::from_utf8(output.stdout).unwrap()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// Events of one pod that fails, with rising counts, among changes of ConfigMaps.
fn happen(cluster: &ControlPlane, namespace: &str, truth: &mut Truth, rounds: u32) {
    let events = format!("/api/v1/namespaces/{namespace}/events");
    for round in 0..rounds {
        let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
        let name = format!("web.{:x}", now.timestamp_nanos_opt().unwrap());
        let now = json!(now.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        let event = json!({
            "metadata": {"name": name}, "reason": "BackOff", "type": "Warning", "count": round + 1, "firstTimestamp": now,
            "lastTimestamp": now, "message": "Back-off restarting failed container app in pod web",
            "involvedObject": {"kind": "Pod", "namespace": namespace, "name": "web", "uid": "4ef2"}, "source": {"component": "kubelet"},
        });
        cluster.api().create(&events, &event).unwrap();
        (0..10).for_each(|_| truth.change());
    }
}

fn await_synced(output: &Path) {
    let syncs = || whole_lines(output).0.iter().filter(|record| record["record"] == "sync").count();
    assert!(within(PATIENCE, || (syncs() >= 3).then_some(())).is_some(), "no sync");
}

fn await_all(output: &Path, truth: &Truth) {
    let there = within(PATIENCE, || truth.is_in(&whole_lines(output).0).then_some(()));
    assert!(there.is_some(), "not everything is printed");
}

#[test]
fn recording_of_a_stopped_run_replays_byte_for_byte() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("recording");
    let directory = tempfile::tempdir().unwrap();
    let [recording, output, checkpoint] = ["night.ndjson", "printed.jsonl", "checkpoint"].map(|name| directory.path().join(name));
    let proxy = Proxy::passing(&cluster);
    let mut truth = Truth::new(&cluster, &namespace, 7);
    happen(&cluster, &namespace, &mut truth, 3);
    let more = ["--record", recording.to_str().unwrap(), "--checkpoint", checkpoint.to_str().unwrap()];
    let run = start(proxy.kubeconfig(), &namespace, &more, &output);
    await_synced(&output);
    // Of what happened before it shows the outcome only.
    truth.happened.clear();
    happen(&cluster, &namespace, &mut truth, 3);
    proxy.cut();
    happen(&cluster, &namespace, &mut truth, 3);
    // Groups open, are updated and close by themselves, each at its own time.
    let closes = || whole_lines(&output).0.iter().any(|record| record["record"] == "group" && record["state"] == "close");
    assert!(within(PATIENCE, || closes().then_some(())).is_some());
    happen(&cluster, &namespace, &mut truth, 1);
    await_all(&output, &truth);
    // Stopped with a group still open.
    assert_eq!(run.stop(), Some(0));
    let printed = read(&output);
    check_same(&replay(&[&recording], &namespace), &printed);
    for what in [r#""record":"object""#, r#""record":"event""#, r#""record":"group""#, r#""record":"sync""#, r#""record":"summary""#] {
        assert!(printed.contains(what), "{what} was not printed");
    }
    assert!(!read(&recording).contains("managedFields"));

    // So does the one of a run that goes on from a checkpoint: it begins with what was known.
    let [recording, output] = ["second.ndjson", "second.jsonl"].map(|name| directory.path().join(name));
    let more = ["--record", recording.to_str().unwrap(), "--checkpoint", checkpoint.to_str().unwrap()];
    let before = truth.happened.len();
    let run = start(proxy.kubeconfig(), &namespace, &more, &output);
    happen(&cluster, &namespace, &mut truth, 2);
    truth.happened.drain(..before);
    await_all(&output, &truth);
    assert_eq!(run.stop(), Some(0));
    check_same(&replay(&[&recording], &namespace), &read(&output));
}

#[test]
fn rotated_files_of_a_recording_replay_each_alone() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("rotation");
    let directory = tempfile::tempdir().unwrap();
    let [recording, output] = ["night.ndjson", "printed.jsonl"].map(|name| directory.path().join(name));
    let mut truth = Truth::new(&cluster, &namespace, 8);
    let more = ["--record", recording.to_str().unwrap(), "--rotate-size", "64Ki"];
    let run = start(cluster.kubeconfig(), &namespace, &more, &output);
    await_synced(&output);
    happen(&cluster, &namespace, &mut truth, 40);
    await_all(&output, &truth);
    assert_eq!(run.stop(), Some(0));
    let printed = read(&output);

    let mut files: Vec<PathBuf> = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "ndjson") && *path != recording);
    files.sort();
    files.push(recording);
    assert!(files.len() >= 3, "{files:?}");
    // Together they are the run.
    let all: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    check_same(&replay(&all, &namespace), &printed);
    // Each alone is its part of the run: the same lines, but for how it ends, which is the next file's to tell.
    let mut rest = printed.as_str();
    for (index, file) in files.iter().enumerate() {
        let part = replay(&[file], &namespace);
        let lines: Vec<&str> = part.lines().collect();
        let same = lines.iter().take_while(|line| match rest.strip_prefix(**line) {
            Some(after) => {
                rest = after.trim_start_matches('\n');
                true
            }
            None => false,
        });
        let left = lines.len() - same.count();
        assert!(lines.len() > left, "file {index}: {} lines, none of them the run's", lines.len());
        let is_ending = |line: &str| ["group", "incident", "summary"].iter().any(|one| line.contains(&format!(r#""record":"{one}""#)));
        let endings = lines[lines.len() - left..].iter().filter(|line| !is_ending(line));
        assert_eq!(endings.count(), 0, "file {index}: {:?}", &lines[lines.len() - left..]);
    }
    assert_eq!(rest, "");
}

#[track_caller]
fn check_same(replayed: &str, printed: &str) {
    let different = replayed.lines().zip(printed.lines()).enumerate().find(|(_, (replayed, printed))| replayed != printed);
    if let Some((number, (replayed, printed))) = different {
        panic!("line {number}: replayed\n{replayed}\nprinted\n{printed}");
    }
    assert_eq!(replayed.len(), printed.len(), "{} lines replayed, {} printed", replayed.lines().count(), printed.lines().count());
}

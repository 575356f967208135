//! What is left of a control plane, and what is said where there is none.
//!
//! Some of these run this test program once more, with one test and another environment.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use faro_tests::control_plane::{Binaries, Setup, eventually};

/// Set in a child: the test of that name does its part instead of starting a child.
const PART: &str = "FARO_TESTS_PART";

/// This program, to run one test of it.
fn one_test(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.args(["--exact", name, "--nocapture"]).env(PART, "child").stdin(Stdio::null());
    command
}

fn is_child() -> bool {
    std::env::var_os(PART).is_some()
}

#[test]
fn dropping_it_ends_every_process_and_removes_the_directory() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    let directory = cluster.kubeconfig().parent().expect("a directory").to_owned();
    let processes = cluster.usage();
    assert_eq!(processes.len(), 2);
    drop(cluster);
    assert!(processes.iter().all(|(_, pid, _)| !runs_in(*pid, &directory)));
    assert!(!directory.exists());
}

#[test]
fn everything_ends_when_the_test_process_is_killed() {
    if is_child() {
        let cluster = Setup::new().nodes(1).start_or_skip().expect("the parent has one");
        let report = std::env::var_os("FARO_TESTS_REPORT").expect("the parent says where");
        let unfinished = Path::new(&report).with_extension("part");
        let pids: Vec<String> = cluster.usage().iter().map(|(_, pid, _)| pid.to_string()).collect();
        fs::write(&unfinished, format!("{}\n{}", cluster.kubeconfig().display(), pids.join(" "))).expect("written");
        fs::rename(unfinished, report).expect("renamed");
        loop {
            std::thread::park();
        }
    }
    // Also sees to it that the child need not build anything.
    let Some(_) = Binaries::ensure_or_skip() else { return };
    let place = tempfile::tempdir().expect("a directory");
    let report = place.path().join("report");
    let mut child = one_test("endings::everything_ends_when_the_test_process_is_killed")
        .env("FARO_TESTS_REPORT", &report)
        .stdout(Stdio::null())
        .spawn()
        .expect("started");
    let text = eventually("the child's control plane is up", || fs::read_to_string(&report).ok());
    let (kubeconfig, pids) = text.split_once('\n').expect("two lines");
    let directory = Path::new(kubeconfig).parent().expect("a directory");
    let pids: Vec<u32> = pids.split(' ').map(|pid| pid.parse().expect("a number")).collect();
    assert_eq!(pids.len(), 5);
    assert!(pids.iter().all(|pid| runs_in(*pid, directory)));

    // Signal 9: nothing of the child runs any more.
    child.kill().expect("killed");
    child.wait().expect("reaped");
    eventually("the components are gone", || pids.iter().all(|pid| !runs_in(*pid, directory)).then_some(()));
    eventually("the directory is gone", || (!directory.exists()).then_some(()));
}

#[test]
fn a_component_that_refuses_its_flags_is_named_with_its_log() {
    let Some(_) = Binaries::ensure_or_skip() else { return };
    let err = Setup::new().api_server_flag("--no-such-flag=1").start().expect_err("no such flag");
    let message = err.to_string();
    assert!(message.starts_with("kube-apiserver ended with exit status: 1; see `"), "{message}");
    assert!(message.contains("unknown flag: --no-such-flag"), "{message}");
    let directory = message.split('`').nth(1).expect("a path");
    assert!(Path::new(directory).join("kube-apiserver.log").exists());
    fs::remove_dir_all(directory).expect("removed");
}

#[test]
fn without_programs_and_without_go_a_test_is_skipped_aloud() {
    if is_child() {
        assert!(Setup::new().start_or_skip().is_none());
        return;
    }
    let (passed, stderr) = without_go("endings::without_programs_and_without_go_a_test_is_skipped_aloud", "");
    assert!(passed, "{stderr}");
    assert!(stderr.contains("skipped: endings::without_programs_and_without_go_a_test_is_skipped_aloud: `"), "{stderr}");
    assert!(stderr.contains("is absent, and so is the `go` command"), "{stderr}");
}

#[test]
fn what_is_required_is_not_skipped() {
    if is_child() {
        assert!(Setup::new().start_or_skip().is_none());
        return;
    }
    let (passed, stderr) = without_go("endings::what_is_required_is_not_skipped", "1");
    assert!(!passed);
    assert!(stderr.contains("`FARO_REQUIRE_CLUSTER` is 1, and there is no control plane: `"), "{stderr}");
}

/// Runs one test where neither Go nor a cache is found; returns whether it passed, and its stderr.
fn without_go(test: &str, required: &str) -> (bool, String) {
    let empty = tempfile::tempdir().expect("a directory");
    let output = one_test(test)
        .env("PATH", empty.path())
        .env("XDG_CACHE_HOME", empty.path())
        .env("FARO_REQUIRE_CLUSTER", required)
        .output()
        .expect("started");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Tells whether a process with this id is one of the control plane in `directory`: ids are used again.
fn runs_in(pid: u32, directory: &Path) -> bool {
    let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&command).contains(&directory.display().to_string())
}

//! The program as a process: its lines as they come, and how it ends.

use crate::contract::{self, Begun};
use faro_core::record::SCHEMA;
use faro_tests::control_plane::within;
use serde_json::Value;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, LazyLock, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long something may take that happens within a second: many times what a busy machine takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
});

/// A running `faro-cli`; killed when it is dropped.
pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
    /// Every record so far.
    pub(crate) records: Vec<Value>,
    stderr: Arc<Mutex<String>>,
    begun: Begun,
    /// Files that it reads, for as long as it runs.
    pub(crate) files: Option<TempDir>,
    /// Whether nobody reads its output.
    held: Arc<(Mutex<bool>, Condvar)>,
}

impl Program {
    /// Where it is. Cargo says so both when it builds and when it runs; the latter wins, so that a build elsewhere replaces nothing
    /// under a test.
    pub(crate) fn path() -> OsString {
        std::env::var_os("CARGO_BIN_EXE_faro-under-test").unwrap_or_else(|| env!("CARGO_BIN_EXE_faro-under-test").into())
    }

    /// Starts it with a kubeconfig and arguments.
    pub(crate) fn start(kubeconfig: &Path, arguments: &[&str]) -> Self {
        Self::spawn(&mut Self::command(kubeconfig, arguments))
    }

    /// A command that starts it with a kubeconfig and arguments.
    pub(crate) fn command(kubeconfig: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(Self::path());
        command.args(arguments).env("KUBECONFIG", kubeconfig).env_remove("RUST_LOG");
        command
    }

    /// Starts a prepared command.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let resumed = command.get_args().any(|argument| argument == "--checkpoint");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let held = Arc::default();
        let lines = follow(child.stdout.take().unwrap(), Arc::clone(&held));
        let stderr = gather(child.stderr.take().unwrap());
        let begun = if resumed { Begun::Resumed } else { Begun::Fresh };
        Self { child, lines, records: Vec::new(), stderr, begun, files: None, held }
    }

    /// Reads records until one is wanted, and returns it. Every line is checked against the schema.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    let record = self.take(&line);
                    if wanted(&record) {
                        return record;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("{what} does not come; stderr: {}; {} records", self.stderr(), self.records.len()),
                Err(RecvTimeoutError::Disconnected) => panic!("the program ended before {what} came; stderr: {}", self.stderr()),
            }
        }
    }

    /// Reads what comes within a time in which more would come if there were more.
    pub(crate) fn read_for(&mut self, span: Duration) {
        let deadline = Instant::now() + span;
        while let Ok(line) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.take(&line);
        }
    }

    /// Waits until each of these collections is synced; needs `sync` among the records that are printed.
    #[track_caller]
    pub(crate) fn wait_for_sync(&mut self, gvrs: &[&str]) {
        let mut left: Vec<&str> = gvrs.to_vec();
        left.retain(|gvr| !self.records.iter().any(|record| record["record"] == "sync" && record["gvr"] == *gvr));
        while !left.is_empty() {
            let synced = self.wait_for("a sync", |record| record["record"] == "sync");
            left.retain(|gvr| synced["gvr"] != *gvr);
        }
    }

    /// Forgets what was printed so far: what follows is judged as that of a run that goes on.
    pub(crate) fn forget_records(&mut self) {
        self.records.clear();
        self.begun = Begun::Resumed;
    }

    /// What it said on standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Waits until it has said something on standard error.
    #[track_caller]
    pub(crate) fn wait_for_stderr(&self, words: &str) {
        let said = within(PATIENCE, || self.stderr().contains(words).then_some(()));
        assert!(said.is_some(), "`{words}` is not said: {}", self.stderr());
    }

    /// Stops or goes on reading its output.
    pub(crate) fn hold(&self, hold: bool) {
        *self.held.0.lock().unwrap() = hold;
        self.held.1.notify_all();
    }

    /// The memory that it uses, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse().unwrap()
    }

    /// The process's number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM, reads to the end, checks what holds of every run, and returns how it ended.
    #[track_caller]
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        let ended = self.wait();
        contract::check(&self.records, self.begun);
        ended
    }

    /// Sends a signal by its name: `TERM`, `KILL`, `STOP`, `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Reads to the end, and returns how it ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            // A killed program may have torn its last line.
            if line.ends_with('}') {
                self.take(&line);
            }
        }
        self.child.wait().unwrap()
    }

    /// The object and event records of one collection, as `(eventType, name)`.
    pub(crate) fn changes(&self, gvr: &str) -> Vec<(String, String)> {
        let of = |record: &&Value| record["gvr"] == gvr && matches!(record["record"].as_str(), Some("object" | "event"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.records.iter().filter(of).map(|record| (text(&record["eventType"]), text(&record["name"]))).collect()
    }

    #[track_caller]
    fn take(&mut self, line: &str) -> Value {
        let record: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        if let Some(error) = VALIDATOR.iter_errors(&record).next() {
            panic!("{error}: {line}");
        }
        self.records.push(record.clone());
        record
    }
}

/// A running `faro-cli` whose output goes into a file; killed when it is dropped.
pub(crate) struct Background(Child);

impl Background {
    /// Starts a prepared command.
    pub(crate) fn spawn(command: &mut Command, output: File) -> Self {
        Self(command.stdin(Stdio::null()).stdout(output).spawn().unwrap())
    }

    /// Sends SIGTERM, and returns the code that it ends with.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let sent = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(stdout: ChildStdout, held: Arc<(Mutex<bool>, Condvar)>) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            drop(held.1.wait_while(held.0.lock().unwrap(), |held| *held).unwrap());
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn gather(mut stderr: ChildStderr) -> Arc<Mutex<String>> {
    let text = Arc::<Mutex<String>>::default();
    let gathered = Arc::clone(&text);
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = stderr.read(&mut bytes) {
            gathered.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    });
    text
}

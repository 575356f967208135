//! The program as a shell runs it: exit codes, streams, signals, bad input.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "command_line/bad_input.rs"]
mod bad_input;
#[path = "command_line/configuration.rs"]
mod configuration;
#[path = "command_line/inputs.rs"]
mod inputs;
#[path = "command_line/process.rs"]
mod process;
#[path = "command_line/stories.rs"]
mod stories;
#[path = "command_line/usage.rs"]
mod usage;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder of inputs, and the program run in it.
struct Shell {
    folder: TempDir,
}

impl Shell {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_faro-cli"));
        command.current_dir(self.folder.path()).args(args).env_remove("RUST_LOG").stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::new(&self.command(args).output().unwrap())
    }

    fn run_with(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut child = self.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Ran::new(&child.wait_with_output().unwrap())
    }
}

/// What came of a run.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn new(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The records of a run that did its work; each line is one, and the last is the summary.
    #[track_caller]
    fn records(&self) -> Vec<serde_json::Value> {
        assert_eq!(self.code, Some(0), "{self:?}");
        let records: Vec<serde_json::Value> = self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let validator = jsonschema::validator_for(&serde_json::from_str(faro_core::record::SCHEMA).unwrap()).unwrap();
        for record in &records {
            let errors: Vec<String> = validator.iter_errors(record).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{record}: {errors:?}");
        }
        records
    }

    #[track_caller]
    fn summary(&self) -> serde_json::Value {
        let summary = self.records().pop().unwrap();
        assert_eq!(summary["record"], "summary");
        let occurrences = &summary["occurrences"];
        let booked: u64 = ["closed", "open", "evicted", "unproven"].iter().map(|name| occurrences[name].as_u64().unwrap()).sum();
        assert_eq!(occurrences["total"], booked);
        summary
    }

    /// Exit code 1 or 2, nothing but one line on standard error, and that says all of `words`.
    #[track_caller]
    fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(words.iter().all(|word| self.err.contains(word)), "{self:?}");
        assert!(code == 2 || self.err.lines().count() == 1, "{self:?}");
    }
}

/// An Event as `kubectl get events -o json` shows it.
fn event(name: &str, count: u32) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Event","metadata":{{"name":"{name}","namespace":"shop","uid":"{name}"}},"involvedObject":{{"apiVersion":"v1","kind":"Pod","namespace":"shop","name":"web-1","uid":"u1"}},"reason":"BackOff","message":"Back-off restarting failed container app in pod web-1","type":"Warning","count":{count},"firstTimestamp":"2026-03-01T10:00:00Z","lastTimestamp":"2026-03-01T10:04:00Z","source":{{"component":"kubelet","host":"n1"}}}}"#
    )
}

/// The same as a watch delivered it.
fn delivered(name: &str, second: u32) -> String {
    let object = event(name, 1).replace("10:04:00", &format!("10:00:{second:02}"));
    format!(r#"{{"type":"ADDED","receivedAt":"2026-03-01T10:00:{second:02}Z","object":{object}}}"#)
}

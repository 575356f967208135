//! Processes that end with ours, however ours ends.
//!
//! A process that is killed with signal 9 can clean nothing up, and asking the kernel to pass the signal on takes unsafe code. So
//! each child runs under a small shell that reads our end of a pipe: each line is a signal to pass on, and the end of the pipe,
//! which the kernel closes whatever becomes of us, is signal 9. Nobody else has that end: Rust opens pipes so that no later
//! child inherits them.
//!
//! Each shell leads a process group of its own, so that an interrupt typed at a terminal reaches only us and what we started
//! ends in the order we choose.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::poll;

/// `$1` is the log, the rest the command. It prints the process id, and each signal when it was sent. A shell gives its background processes `/dev/null` as input, so the pipe moves to 3.
const SUPERVISE: &str = r#"
exec 3<&0
log=$1
shift
"$@" </dev/null >>"$log" 2>&1 3<&- &
child=$!
echo "$child"
exec 2>/dev/null
{
  while read -r signal <&3; do
    kill -s "$signal" "$child"
    echo "$signal"
  done
  kill -s KILL "$child"
} &
watcher=$!
exec 3<&-
wait "$child"
status=$?
kill "$watcher"
exit "$status"
"#;

/// How long a process may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(20);

/// A signal by its name, as `kill -s` takes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Signal {
    Term,
    Stop,
    Cont,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Term => "TERM",
            Self::Stop => "STOP",
            Self::Cont => "CONT",
        }
    }
}

/// A running program; it is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Supervised {
    shell: Child,
    signals: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pid: u32,
}

impl Supervised {
    /// Starts `program`; what it prints is appended to `log`.
    pub(super) fn start(program: &Path, arguments: &[impl AsRef<OsStr>], log: &Path) -> io::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", SUPERVISE, "sh"])
            .arg(log)
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let signals = shell.stdin.take();
        let mut answers = shell.stdout.take().map(BufReader::new).ok_or_else(|| io::Error::other("the shell has no output"))?;
        let mut line = String::new();
        answers.read_line(&mut line)?;
        let pid = line.trim().parse().map_err(|_| io::Error::other(format!("the shell says `{}` for a process id", line.trim())))?;
        Ok(Self { shell, signals, answers, pid })
    }

    /// Returns the id of the program's process.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Returns how the program ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.shell.try_wait().ok().flatten()
    }

    /// Sends a signal, and returns when it was sent; harmless when the program has ended.
    pub(super) fn signal(&mut self, signal: Signal) {
        if let Some(pipe) = &mut self.signals {
            // A closed pipe, in either direction, means that the program has ended, and with it the shell.
            if writeln!(pipe, "{}", signal.name()).is_ok() {
                drop(self.answers.read_line(&mut String::new()));
            }
        }
    }

    /// Halts the program, and returns when none of its threads runs any more, which takes a moment on a busy machine.
    pub(super) fn halt(&mut self) {
        self.signal(Signal::Stop);
        let _halted = poll::within(GRACE, || self.is_halted().then_some(()));
    }

    /// Tells whether every thread is stopped, where the system says; the state follows the name, which ends with the last `)`.
    fn is_halted(&self) -> bool {
        let Ok(threads) = fs::read_dir(format!("/proc/{}/task", self.pid)) else { return true };
        threads.flatten().all(|thread| {
            // A thread that has ended meanwhile does not run either.
            let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            stat.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with('T'))
        })
    }

    /// Asks the program to end, and insists when it does not.
    pub(super) fn stop(mut self) {
        self.signal(Signal::Term);
        let _ended = poll::within(GRACE, || self.ended());
    }

    /// Returns the memory in use, in bytes, where the system says.
    pub(super) fn memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        resident.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kib| kib * 1024)
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.signals.take());
        drop(self.shell.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::super::directory::Directory;
    use super::*;

    fn start(script: &str, directory: &Directory) -> Supervised {
        Supervised::start(Path::new("sh"), &["-c", script], &directory.path().join("log")).expect("sh starts")
    }

    fn alive(pid: u32) -> bool {
        Path::new(&format!("/proc/{pid}")).exists()
    }

    #[test]
    fn a_dropped_process_is_dead() {
        let directory = Directory::create().expect("created");
        let child = start("exec sleep 600", &directory);
        let pid = child.pid();
        assert!(alive(pid));
        drop(child);
        assert!(!alive(pid));
    }

    #[test]
    fn signals_reach_the_program_and_its_status_comes_back() {
        let directory = Directory::create().expect("created");
        let mut child = start("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done", &directory);
        poll::eventually("the trap is set", || fs::read_to_string(directory.path().join("log")).ok().filter(|log| log.contains("ready")));
        child.signal(Signal::Term);
        let status = poll::eventually("the program ends", || child.ended());
        assert_eq!(status.code(), Some(7));
    }
}

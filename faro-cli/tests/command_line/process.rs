//! Closed pipes, signals, streams that pause.

use super::{Ran, Shell, delivered, event};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

#[test]
fn closed_pipe_is_no_failure() {
    let shell = Shell::new();
    let lines = (0..20_000).fold(String::new(), |mut lines, n| {
        let _ = writeln!(lines, "{}", event(&format!("e{n}"), 1));
        lines
    });
    shell.file("events.ndjson", lines);
    let mut child =
        shell.command(&["replay", "--emit", "event", "events.ndjson"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok());
    let ran = Ran::new(&child.wait_with_output().unwrap());
    assert_eq!((ran.code, &*ran.err), (Some(0), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_is_a_failure() {
    let shell = Shell::new();
    shell.file("events.json", event("a", 1));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = Ran::new(&shell.command(&["replay", "events.json"]).stdout(full).output().unwrap());
    ran.refused(1, &["cannot write to standard output", "No space left"]);
}

#[test]
fn records_of_a_stream_flow_before_it_ends() {
    let shell = Shell::new();
    let mut child = streaming(&shell);
    let mut stdin = child.stdin.take().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    for second in 1..4 {
        writeln!(stdin, "{}", delivered(&format!("e{second}"), second)).unwrap();
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert!(line.contains(&format!(r#""name":"e{second}""#)), "{line}");
    }
    drop(stdin);
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(rest.lines().last().unwrap().starts_with(r#"{"record":"summary""#));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn first_signal_ends_in_order() {
    for signal in ["INT", "TERM"] {
        let shell = Shell::new();
        let mut child = streaming(&shell);
        let mut stdin = child.stdin.take().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        writeln!(stdin, "{}", delivered("e1", 1)).unwrap();
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        assert!(first.contains(r#""record":"event""#));
        kill(&child, signal);
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert!(rest.lines().last().unwrap().starts_with(r#"{"record":"summary""#) && rest.ends_with('\n'), "{rest}");
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn second_signal_ends_at_once() {
    let shell = Shell::new();
    // Nobody reads what it writes: in order it cannot end.
    let lines = (0..20_000).fold(String::new(), |mut lines, n| {
        let _ = writeln!(lines, "{}", event(&format!("e{n}"), 1));
        lines
    });
    shell.file("events.ndjson", lines);
    let mut child = shell.command(&["replay", "--emit", "event", "events.ndjson"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    kill(&child, "TERM");
    // A signal that is not yet taken swallows the next one of its kind.
    while child.try_wait().unwrap().is_none() {
        kill(&child, "INT");
    }
    assert!(matches!(child.wait().unwrap().code(), Some(130 | 143)));
}

fn streaming(shell: &Shell) -> Child {
    let mut command = shell.command(&["replay", "--emit", "event,summary", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

fn kill(child: &Child, signal: &str) {
    // The process may have ended meanwhile.
    Command::new("kill").args(["-s", signal, &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
}

//! Load through the API server, and what it costs Faro: figures for people, too long for the test suite.
//!
//! `cargo run --release -p faro-tests --bin faro-load -- start --events 100000` is the scenario W29.

use std::error::Error;
use std::io::{self, BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};

use clap::{Parser, Subcommand};
use faro_tests::control_plane::{Api, ApiError, ControlPlane, Setup, within};
use serde_json::json;

/// How many requests are under way at once.
const WRITERS: usize = 32;
/// How many Events are about one pod: one for each reason.
const REASONS: [&str; 4] = ["Scheduled", "Pulling", "Unhealthy", "BackOff"];
/// How long the program may take to end when it is asked to.
const END: Duration = Duration::from_secs(60);

/// Makes load on a control plane of its own and measures what it costs Faro.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    load: Load,
}

#[derive(Subcommand)]
enum Load {
    /// The memory of a start where many Events exist (W29); fails when it is more than the limit.
    Start {
        /// How many Events exist.
        #[arg(long, default_value_t = 100_000)]
        events: u32,
        /// The most memory that a start may ever have, in MiB.
        #[arg(long, default_value_t = 60)]
        limit: u64,
        /// Record types to print; each run of several has its own, as in `--emit event --emit group`.
        #[arg(long, default_values = ["event", "group,incident,gap,summary"])]
        emit: Vec<String>,
    },
}

fn main() -> ExitCode {
    let Arguments { load: Load::Start { events, limit, emit } } = Arguments::parse();
    match start(events, limit, &emit) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(err) => {
            say(&format!("faro-load: {err}"));
            ExitCode::FAILURE
        }
    }
}

/// Tells whether every start stayed below the limit.
fn start(events: u32, limit: u64, emits: &[String]) -> Result<bool, Box<dyn Error>> {
    let cluster = Setup::new().start()?;
    let begun = Instant::now();
    fill(cluster.api(), events)?;
    let seconds = begun.elapsed().as_secs_f64();
    say(&format!("{events} Events in {seconds:.1} s, {:.0} a second", f64::from(events) / seconds));
    let mut within_limit = true;
    for emit in emits {
        let begun = Instant::now();
        let (peak, lines) = peak(&cluster, emit)?;
        let seconds = begun.elapsed().as_secs_f64();
        say(&format!("--emit {emit}: {lines} lines in {seconds:.1} s, at most {:.1} MiB", peak as f64 / 1024.0));
        within_limit &= lines >= u64::from(events) && peak < limit * 1024;
    }
    Ok(within_limit)
}

/// Writes Events through the API, of each reason one for each pod.
fn fill(api: &Api, events: u32) -> Result<(), ApiError> {
    let next = AtomicU32::new(0);
    let write = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= events {
                return Ok(());
            }
            let (of_pod, reason) = (number / REASONS.len() as u32, REASONS[number as usize % REASONS.len()]);
            let pod = format!("web-7847f7476f-{of_pod:05}");
            let event = json!({
                "metadata": {"name": format!("{pod}.{number:016x}")},
                "involvedObject": {
                    "apiVersion": "v1", "kind": "Pod", "namespace": "default", "name": pod,
                    "uid": format!("6c1b7b0a-3f0e-4a52-9d5a-{of_pod:012x}"),
                },
                "reason": reason, "type": "Warning", "message": format!("{reason} of container app in pod {pod}: it took {number} ms"),
                "source": {"component": "kubelet", "host": "node-1"}, "count": 3,
                "firstTimestamp": "2026-01-02T03:04:05Z", "lastTimestamp": "2026-01-02T03:05:05Z",
            });
            api.create("/api/v1/namespaces/default/events", &event)?;
        }
    };
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(write)).collect();
        writers.into_iter().try_for_each(|writer| writer.join().expect("a writer does not panic"))
    })
}

/// Watches until everything that exists was printed; returns the most memory it ever had, in KiB, and the number of lines.
fn peak(cluster: &ControlPlane, emit: &str) -> Result<(u64, u64), Box<dyn Error>> {
    let mut command = Command::new(program()?);
    command.args(["watch", "--gvr", "v1/events", "--emit", &format!("{emit},sync")]).env("KUBECONFIG", cluster.kubeconfig());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut out = BufReader::new(child.stdout.take().ok_or("no output")?);
    // Everything that exists is printed by then, but for groups: these come when the list has ended, and again when the run does.
    let (mut lines, mut line) = (0, String::new());
    while out.read_line(&mut line)? > 0 && !line.contains("\"record\":\"sync\"") {
        lines += 1;
        line.clear();
    }
    let status = Command::new("kill").arg(child.id().to_string()).status();
    let mut peak = memory(child.id()).unwrap_or(0);
    while out.read_line(&mut line)? > 0 {
        // While the pipe is full, the program waits for us, and is there to be asked.
        if lines % 256 == 0 {
            peak = memory(child.id()).unwrap_or(0).max(peak);
        }
        lines += 1;
        line.clear();
    }
    if !status?.success() {
        return Err("cannot stop the program".into());
    }
    let ended = within(END, || child.try_wait().transpose()).ok_or("the program does not end")??;
    if ended.success() { Ok((peak, lines)) } else { Err(format!("the program ended with {ended}").into()) }
}

/// The most memory that a process ever had, in KiB.
fn memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().trim_end_matches("kB").trim().parse().ok()
}

/// The program under test, beside this one.
fn program() -> io::Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name("faro-under-test"))
}

#[expect(clippy::print_stdout, reason = "figures for people")]
fn say(text: &str) {
    println!("{text}");
}

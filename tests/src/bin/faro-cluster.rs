//! Runs a control plane on this machine, to try Faro on, until it is interrupted.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use faro_tests::control_plane::{Binaries, ControlPlane, Setup, StartError, kubernetes_version};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// A Kubernetes control plane on this machine, with nodes and pods that kwok simulates. It runs until Ctrl-C and leaves nothing.
#[derive(Debug, Parser)]
#[command(name = "faro-cluster")]
struct Arguments {
    /// How many simulated nodes; with 0 and `--no-controllers`, etcd and kube-apiserver are all there is.
    #[arg(long, value_name = "N", default_value_t = 3)]
    nodes: usize,
    /// Leaves out kube-controller-manager, kube-scheduler and the nodes.
    #[arg(long, conflicts_with = "nodes")]
    no_controllers: bool,
    /// How long Events live, as in `30s`, `10m` or `1h`; no less than 2s.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    event_ttl: Option<Duration>,
    /// A feature gate of kube-apiserver, as in `WatchList=false`; may be repeated.
    #[arg(long, value_name = "GATE=BOOL")]
    feature_gate: Vec<String>,
    /// A flag of kube-apiserver, as in `--api-server-flag=--watch-cache=false`; may be repeated.
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    api_server_flag: Vec<String>,
    /// Builds the programs when they are absent, and ends.
    #[arg(long)]
    build: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = if arguments.build { build() } else { run(arguments) };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("faro-cluster: {err}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), Box<dyn std::error::Error>> {
    let binaries = Binaries::ensure().map_err(StartError::from)?;
    writeln!(io::stdout(), "{}", binaries.directory().display())?;
    Ok(())
}

fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    // Taken before anything is started, so that an interrupted start cleans up too: the components end with this process.
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let mut setup = Setup::new();
    if !arguments.no_controllers {
        setup = setup.controllers().nodes(arguments.nodes);
    }
    if let Some(ttl) = arguments.event_ttl {
        setup = setup.event_ttl(ttl);
    }
    setup = arguments.feature_gate.into_iter().fold(setup, Setup::feature_gate);
    setup = arguments.api_server_flag.into_iter().fold(setup, Setup::api_server_flag);
    let begun = Instant::now();
    let starting = std::thread::spawn(move || setup.start());
    while !starting.is_finished() {
        if signals.pending().next().is_some() {
            return Ok(());
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let control_plane = starting.join().map_err(|_| "the start panicked")??;
    welcome(&control_plane, begun.elapsed())?;
    signals.forever().next();
    eprintln!("faro-cluster: stopping");
    Ok(())
}

fn welcome(control_plane: &ControlPlane, took: Duration) -> io::Result<()> {
    eprintln!("faro-cluster: Kubernetes {} is ready after {:.1} s", kubernetes_version(), took.as_secs_f64());
    for (component, pid, memory) in control_plane.usage() {
        eprintln!("faro-cluster: {:<24} process {pid:<8} {:>4} MiB", component.program(), memory >> 20);
    }
    let mut out = io::stdout().lock();
    writeln!(out, "# Type this in another terminal; Ctrl-C here stops everything.")?;
    writeln!(out, "export KUBECONFIG={}", control_plane.kubeconfig().display())?;
    writeln!(out, "export PATH={}:$PATH", control_plane.programs().display())?;
    writeln!(out, "kubectl create deployment web --image=web --replicas=3")?;
    writeln!(out, "kubectl events")?;
    out.flush()
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| format!("`{text}` is no time such as 30s, 10m or 1h"))?;
    let seconds = match &text[digits.len()..] {
        "s" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3_600),
        _ => None,
    };
    seconds.map(Duration::from_secs).ok_or_else(|| format!("`{text}` is no time such as 30s, 10m or 1h"))
}

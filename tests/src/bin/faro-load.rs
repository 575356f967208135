//! Real load through a real API server: what watching it costs, beside `kubectl` in the same run.
//!
//! `cargo run --release -p faro-tests --bin faro-load -- --program target/release/faro-cli events 100000`

use clap::{Parser, Subcommand};
use faro_tests::control_plane::{ControlPlane, Patch, Setup};
use faro_tests::load::{Measured, Usage, crowd};
use serde_json::{Value, json};
use std::error::Error;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// How many requests are under way at once.
const THREADS: usize = 16;

/// Creates load through a real API server and measures `faro-cli` and `kubectl` on it.
#[derive(Debug, Parser)]
#[command(name = "faro-load")]
struct Arguments {
    /// The program that is measured.
    #[arg(long, value_name = "FILE", default_value = "target/release/faro-cli")]
    program: PathBuf,
    #[command(subcommand)]
    load: Load,
}

#[derive(Debug, Subcommand)]
enum Load {
    /// Events that exist when the watch begins, then changes of them.
    Events {
        /// How many exist.
        existing: usize,
        /// How many changes follow.
        #[arg(long, default_value_t = 20_000)]
        changes: usize,
    },
    /// Pods that exist when the watch begins, then changes of them.
    Pods {
        /// How many exist.
        existing: usize,
        /// How many changes follow.
        #[arg(long, default_value_t = 20_000)]
        changes: usize,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.load {
        Load::Events { existing, changes } => events(&arguments.program, existing, changes),
        Load::Pods { existing, changes } => pods(&arguments.program, existing, changes),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("faro-load: {err}");
            ExitCode::FAILURE
        }
    }
}

type Outcome = Result<(), Box<dyn Error>>;

fn events(program: &Path, existing: usize, changes: usize) -> Outcome {
    let cluster = Setup::new().start()?;
    let path = |index: usize| format!("/api/v1/namespaces/default/events/pod-{index}.17a");
    crowd("create Events", THREADS, existing, |index| cluster.api().create("/api/v1/namespaces/default/events", &event(index)).map(drop))?;
    let lists = [
        ("faro-cli watch --once", faro(program, &cluster, &["--gvr", "v1/events", "--once"])),
        ("faro-cli watch --once --emit event", faro(program, &cluster, &["--gvr", "v1/events", "--once", "--emit", "event"])),
        ("kubectl get events -A -o json", kubectl(&cluster, &["get", "events", "-A", "-o", "json"])),
    ];
    for (name, command) in lists {
        Measured::start(command, name)?.to_its_end()?.print(&format!("list of {existing} Events"))?;
    }
    let watches = vec![
        Measured::start(faro(program, &cluster, &["--gvr", "v1/events", "--emit", "event"]), "faro-cli watch --emit event")?,
        Measured::start(faro(program, &cluster, &["--gvr", "v1/events"]), "faro-cli watch")?,
        Measured::start(kubectl(&cluster, &["get", "events", "-A", "-w", "-o", "json"]), "kubectl get events -A -w -o json")?,
    ];
    let patch = |change: usize| {
        let index = change * 7_919 % existing;
        let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).format("%Y-%m-%dT%H:%M:%SZ").to_string();
        cluster.api().patch(&path(index), Patch::Merge, &json!({"count": 2 + change / existing, "lastTimestamp": now})).map(drop)
    };
    follow(watches, "notifications", changes, patch)
}

fn pods(program: &Path, existing: usize, changes: usize) -> Outcome {
    // Without controllers no namespace has a service account.
    let cluster = Setup::new().api_server_flag("--disable-admission-plugins=ServiceAccount").start()?;
    crowd("create pods", THREADS, existing, |index| cluster.api().create("/api/v1/namespaces/default/pods", &pod(index)).map(drop))?;
    let watches = vec![
        Measured::start(faro(program, &cluster, &["--gvr", "v1/pods", "--emit", "object"]), "faro-cli watch --emit object")?,
        Measured::start(kubectl(&cluster, &["get", "pods", "-A", "-w", "-o", "json"]), "kubectl get pods -A -w -o json")?,
    ];
    let patch = |change: usize| {
        let index = change * 7_919 % existing;
        let status = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": if change.is_multiple_of(2) { "True" } else { "False" }}]}});
        cluster.api().patch(&format!("/api/v1/namespaces/default/pods/pod-{index}/status"), Patch::Merge, &status).map(drop)
    };
    follow(watches, "changes of pods", changes, patch)
}

/// Waits until the lists are over, makes the changes, and measures what following them costs.
fn follow(
    watches: Vec<Measured>,
    what: &str,
    changes: usize,
    change: impl Fn(usize) -> Result<(), faro_tests::control_plane::ApiError> + Sync,
) -> Outcome {
    let begun: Vec<Usage> = watches.iter().map(Measured::when_quiet).collect::<io::Result<_>>()?;
    crowd(what, THREADS, changes, change)?;
    for (watch, before) in watches.into_iter().zip(begun) {
        let after = watch.when_quiet()?;
        let spent = after.since(before);
        writeln!(
            io::stdout(),
            "{:<40} {:>7.2} s CPU for each 100,000 {what}, peak {} MiB ({} lines out in all)",
            watch.name(),
            spent.as_secs_f64() * 100_000.0 / changes as f64,
            after.peak >> 20,
            watch.lines()?
        )?;
        watch.stop()?;
    }
    Ok(())
}

fn faro(program: &Path, cluster: &ControlPlane, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.arg("watch").args(arguments).env("KUBECONFIG", cluster.kubeconfig()).stderr(Stdio::inherit());
    command
}

fn kubectl(cluster: &ControlPlane, arguments: &[&str]) -> Command {
    let mut command = cluster.kubectl();
    command.args(arguments).stderr(Stdio::inherit());
    command
}

fn event(index: usize) -> Value {
    let (name, owner) = (format!("pod-{index}"), index / 10);
    json!({
        "metadata": {"name": format!("{name}.17a")},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "default", "name": name, "uid": format!("6c1b7b0a-3f0e-4a52-9d5a-{index:012x}")},
        "reason": "BackOff", "type": "Warning", "count": 1, "source": {"component": "kubelet", "host": format!("node-{}", index % 200)},
        "message": format!("Back-off restarting failed container app in pod {name}_default(6c1b7b0a-3f0e-4a52-9d5a-{index:012x})"),
        "firstTimestamp": "2026-01-02T03:04:05Z", "lastTimestamp": "2026-01-02T03:04:05Z", "reportingComponent": "kubelet",
        "reportingInstance": format!("web-{owner}"),
    })
}

fn pod(index: usize) -> Value {
    let owner = index / 10;
    let reference = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("web-{owner}"), "uid": format!("7c1b7b0a-3f0e-4a52-9d5a-{owner:012x}"), "controller": true});
    json!({
        "metadata": {"name": format!("pod-{index}"), "labels": {"app": format!("web-{owner}"), "pod-template-hash": "5d4f8"}, "ownerReferences": [reference]},
        "spec": {"containers": [{
            "name": "app", "image": format!("registry.example.com/shop/web:{}", owner % 50),
            "ports": [{"containerPort": 8080}], "env": [{"name": "LOG_LEVEL", "value": "info"}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 10},
        }]},
    })
}

//! Real load through a real API server: what watching it costs, beside `kubectl` in the same run.
//!
//! `cargo run --release -p faro-tests --bin faro-load -- --program target/release/faro-cli events 100000`

use clap::{Parser, Subcommand};
use faro_tests::control_plane::{ApiError, ControlPlane, Patch, Setup};
use faro_tests::load::{Measured, Usage, crowd};
use faro_tests::proxy::Proxy;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

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
        /// Leaves `kubectl` out, which holds every one of them in memory (17 KB each).
        #[arg(long)]
        without_kubectl: bool,
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
    /// How long a change of a pod takes from a proxy in front of the API server to the printed line.
    Latency {
        /// How many changes a second.
        #[arg(long, default_value_t = 1_000)]
        rate: u32,
        /// How many changes in all.
        #[arg(long, default_value_t = 30_000)]
        changes: usize,
    },
    /// What a watch holds in memory while pods come and go, each with an Event.
    Soak {
        /// For how long, in minutes.
        #[arg(long, default_value_t = 15)]
        minutes: u64,
        /// How many pods come, and how many go, in a second.
        #[arg(long, default_value_t = 50)]
        rate: u32,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.load {
        Load::Events { existing, without_kubectl, changes } => events(&arguments.program, existing, !without_kubectl, changes),
        Load::Pods { existing, changes } => pods(&arguments.program, existing, changes),
        Load::Soak { minutes, rate } => soak(&arguments.program, Duration::from_secs(60 * minutes), rate),
        Load::Latency { rate, changes } => latency(&arguments.program, rate, changes),
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

fn events(program: &Path, existing: usize, beside_kubectl: bool, changes: usize) -> Outcome {
    let cluster = Setup::new().start()?;
    let path = |index: usize| format!("/api/v1/namespaces/default/events/pod-{index}.17a");
    crowd("create Events", THREADS, existing, |index| cluster.api().create("/api/v1/namespaces/default/events", &event(index)).map(drop))?;
    let mut lists = vec![
        ("faro-cli watch --once", faro(program, &cluster, &["--gvr", "v1/events", "--once"])),
        ("faro-cli watch --once --emit event", faro(program, &cluster, &["--gvr", "v1/events", "--once", "--emit", "event"])),
    ];
    if beside_kubectl {
        lists.push(("kubectl get events -A -o json", kubectl(&cluster, &["get", "events", "-A", "-o", "json"])));
    }
    for (name, command) in lists {
        Measured::start(command, name)?.to_its_end()?.print(&format!("list of {existing} Events"))?;
    }
    let mut watches = vec![
        Measured::start(faro(program, &cluster, &["--gvr", "v1/events", "--emit", "event"]), "faro-cli watch --emit event")?,
        Measured::start(faro(program, &cluster, &["--gvr", "v1/events"]), "faro-cli watch")?,
    ];
    if beside_kubectl {
        watches.push(Measured::start(kubectl(&cluster, &["get", "events", "-A", "-w", "-o", "json"]), "kubectl get events -A -w -o json")?);
    }
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

fn soak(program: &Path, span: Duration, rate: u32) -> Outcome {
    /// So many live at any time.
    const LIVE: usize = 1_000;
    let ttl = Duration::from_secs(60);
    let cluster = Setup::new().event_ttl(ttl).api_server_flag("--disable-admission-plugins=ServiceAccount").start()?;
    let emit = "object,event,group,gap,summary";
    let watch = Measured::start(faro(program, &cluster, &["--gvr", "v1/pods,v1/events", "--emit", emit]), "faro-cli watch")?;
    let (api, pods) = (cluster.api(), "/api/v1/namespaces/default/pods");
    let count = usize::try_from(span.as_secs() * u64::from(rate))?;
    let begun = Instant::now();
    let turn = |index: usize| {
        thread::sleep(
            (begun + Duration::from_secs(1) * u32::try_from(index).unwrap_or(u32::MAX) / rate).saturating_duration_since(Instant::now()),
        );
        api.create(pods, &pod(index))?;
        api.create("/api/v1/namespaces/default/events", &event(index))?;
        let Some(old) = index.checked_sub(LIVE) else { return Ok(()) };
        api.delete(&format!("{pods}/pod-{old}?gracePeriodSeconds=0")).map(drop)
    };
    thread::scope(|scope| {
        let load = scope.spawn(|| crowd("pods that come and go", THREADS, count, turn).map_err(|error| error.to_string()));
        while !load.is_finished() {
            thread::sleep(Duration::from_secs(1));
            if begun.elapsed().as_secs().is_multiple_of(60) {
                let usage = watch.usage()?;
                writeln!(
                    io::stdout(),
                    "{:>3} min: {} KiB resident, {:.1} s CPU",
                    begun.elapsed().as_secs() / 60,
                    usage.resident >> 10,
                    usage.cpu.as_secs_f64()
                )?;
            }
        }
        load.join().map_err(|_| "the load panicked")?.map_err(Box::<dyn Error>::from)
    })?;
    let usage = watch.when_quiet()?;
    writeln!(io::stdout(), "in the end: {} KiB resident, peak {} KiB, {} lines", usage.resident >> 10, usage.peak >> 10, watch.lines()?)?;
    Ok(watch.stop()?)
}

fn latency(program: &Path, rate: u32, changes: usize) -> Outcome {
    const PODS: usize = 1_000;
    let cluster = Setup::new().api_server_flag("--disable-admission-plugins=ServiceAccount").start()?;
    crowd("create pods", THREADS, PODS, |index| cluster.api().create("/api/v1/namespaces/default/pods", &pod(index)).map(drop))?;
    let (proxy, journey) = (Proxy::reading(&cluster), Arc::new(Journey::default()));
    let (passing, tail) = (Arc::clone(&journey), Mutex::new(Vec::new()));
    proxy.on_answer(move |bytes| passing.saw(&passing.passed, bytes, &mut tail.lock().unwrap_or_else(PoisonError::into_inner)));
    let mut watch = faro(program, &cluster, &["--gvr", "v1/pods", "--emit", "object,sync"]);
    let mut watch = watch.env("KUBECONFIG", proxy.kubeconfig()).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(watch.stdout.take().ok_or("no output")?).lines();
    lines.by_ref().find(|line| line.as_ref().is_ok_and(|line| line.contains(r#""record":"sync""#))).ok_or("no initial state")??;
    let printed = Arc::clone(&journey);
    let reader =
        thread::spawn(move || lines.map_while(Result::ok).take(changes).for_each(|line| printed.mark(&printed.printed, line.as_bytes())));
    let begun = Instant::now();
    crowd("changes of pods", THREADS, changes, |change| {
        thread::sleep(
            (begun + Duration::from_secs(1) * u32::try_from(change).unwrap_or(u32::MAX) / rate).saturating_duration_since(Instant::now()),
        );
        let status = json!({"status": {"phase": "Running", "message": format!("change {change}")}});
        let path = format!("/api/v1/namespaces/default/pods/pod-{}/status", change % PODS);
        let answer = cluster.api().patch(&path, Patch::Merge, &status)?;
        journey.mark(&journey.written, answer.to_string().as_bytes());
        Ok::<(), ApiError>(())
    })?;
    reader.join().map_err(|_| "the reader panicked")?;
    watch.kill()?;
    watch.wait()?;
    journey.print("from the proxy to the line", &journey.passed)?;
    journey.print("from the write's answer to the line", &journey.written)
}

/// When each version of an object was where.
#[derive(Default)]
struct Journey {
    written: Moments,
    passed: Moments,
    printed: Moments,
}

type Moments = Mutex<HashMap<u64, Instant>>;

impl Journey {
    /// Notes the versions on the lines that are whole with these bytes; the rest is for the next time.
    fn saw(&self, at: &Moments, bytes: &[u8], tail: &mut Vec<u8>) {
        tail.extend_from_slice(bytes);
        while let Some(end) = tail.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = tail.drain(..=end).collect();
            self.mark(at, &line);
        }
    }

    /// Notes the version on a line, if there is one.
    fn mark(&self, at: &Moments, line: &[u8]) {
        const FIELD: &[u8] = br#""resourceVersion":""#;
        let now = Instant::now();
        let Some(start) = line.windows(FIELD.len()).position(|bytes| bytes == FIELD) else { return };
        let digits = line[start + FIELD.len()..].iter().take_while(|byte| byte.is_ascii_digit());
        let version = digits.fold(0_u64, |version, digit| version * 10 + u64::from(digit - b'0'));
        at.lock().unwrap_or_else(PoisonError::into_inner).entry(version).or_insert(now);
    }

    /// Prints how long it was from there to the printed line.
    fn print(&self, what: &str, from: &Moments) -> Outcome {
        let (from, printed) = (from.lock().map_err(|_| "poisoned")?, self.printed.lock().map_err(|_| "poisoned")?);
        let mut took: Vec<Duration> =
            printed.iter().filter_map(|(version, end)| Some(end.saturating_duration_since(*from.get(version)?))).collect();
        took.sort_unstable();
        let at = |share: usize| took.get((took.len() * share / 1_000).min(took.len().saturating_sub(1))).copied().unwrap_or_default();
        let (half, most, nearly_all, last) = (at(500), at(990), at(999), at(1_000));
        writeln!(io::stdout(), "{what}: p50 {half:.2?}, p99 {most:.2?}, p99.9 {nearly_all:.2?}, most {last:.2?} ({} changes)", took.len())?;
        Ok(())
    }
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

//! `watch` and `record`: live clusters through the engine.

mod clock;
mod complaints;
mod delivery;
mod entries;
mod live;
mod monitor;
mod recording;
mod standby;
mod store;
mod wanted;

pub(crate) use entries::KEYS;
pub(crate) use monitor::Tally;

use crate::args::{ClusterArgs, Emitted, LeaseName, Program, RecordArgs, RotationArgs, RunArgs, WatchArgs};
use crate::failure::Failure;
use crate::output::{Output, Style};
use crate::{replay, settings, signals};
use entries::Entry;
use faro_core::{Emit, EngineConfig, Limits};
use faro_watch::Cluster;
use live::{Job, Live};
use monitor::{Listener, Monitor, Watched};
use recording::{Recording, Rotation};
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use wanted::Wanted;

/// Runs `watch`.
pub(crate) fn run(program: Program, args: &WatchArgs) -> Result<(), Failure> {
    let mut config = settings::engine(&args.output, &args.selection, &args.grouping, Some(clock::now()))?;
    let events = settings::emits(&args.output.emit, Emitted::Event);
    if args.run.listen.is_some() {
        // What occurs is counted, whether it is printed or not.
        let emit = Emit { event: true, ..settings::emit(&args.output.emit) };
        config = config.emit(emit);
    }
    if !prints_groups(&args.output.emit) {
        config = without_groups(config);
    }
    let whole =
        [Emitted::Object, Emitted::Incident].into_iter().any(|one| settings::emits(&args.output.emit, one)) || args.record.is_some();
    let entries = read_entries(args.config.as_deref())?;
    let wanted = Wanted::new(entries, &args.selection.gvr, &args.selection.namespace, whole);
    let clusters = clusters(&args.cluster, args.grouping.cluster.as_deref())?;
    let (listener, monitor) = listen(&args.run)?;
    let recording = args.record.as_deref().map(|path| Recording::to_file(path, rotation(&args.rotation), clock::now())).transpose()?;
    let stdout = Watched::new(std::io::stdout(), &monitor);
    let mut output = Output::new(Box::new(stdout) as Box<dyn Write>, replay::style(program, args.output.output));
    if listener.is_some() {
        output = output.counted(Tally::new(&monitor));
    }
    if !events {
        output = output.without_events();
    }
    if args.output.only_final {
        output = output.only_last();
    }
    if !settings::emits(&args.output.emit, Emitted::Summary) {
        output = output.without_summary();
    }
    let run = Run { args: &args.run, lease: args.leader_elect.as_ref(), listener, monitor };
    run.follow(config, clusters, wanted, output, recording)
}

fn prints_groups(list: &[Emitted]) -> bool {
    [Emitted::Group, Emitted::Incident, Emitted::Object].into_iter().any(|one| settings::emits(list, one))
}

/// Of groups that nobody sees, only those that may still escalate are worth their memory; what is left are the counters.
fn without_groups(config: EngineConfig) -> EngineConfig {
    let of = |number: usize| NonZeroUsize::MIN.saturating_add(number - 1);
    config.group_limit(of(20_000)).limits(Limits { events: of(250_000), ..Limits::default() })
}

/// Runs `record`.
pub(crate) fn record(args: &RecordArgs) -> Result<(), Failure> {
    let entries = read_entries(args.config.as_deref())?;
    let wanted = Wanted::new(entries, &args.selection.gvr, &args.selection.namespace, true);
    let clusters = clusters(&args.cluster, None)?;
    let (listener, monitor) = listen(&args.run)?;
    let recording = match &args.file {
        Some(path) if path.as_os_str() != "-" => Recording::to_file(path, rotation(&args.rotation), clock::now())?,
        Some(_) | None => Recording::to_stdout(Box::new(Watched::new(std::io::stdout(), &monitor))),
    };
    let run = Run { args: &args.run, lease: None, listener, monitor };
    run.follow(silent(), clusters, wanted, nowhere(), Some(recording))
}

/// Records the state of the cluster as it is now into a file.
pub(crate) fn snapshot(cluster: &ClusterArgs, namespaces: &[String], name: Option<&str>, path: &Path) -> Result<(), Failure> {
    let wanted = Wanted::new(Vec::new(), &[], namespaces, true);
    let clusters = clusters(cluster, name)?;
    let recording = Recording::to_file(path, Rotation::default(), clock::now())?;
    let args = RunArgs { checkpoint: None, once: true, duration: None, listen: None };
    let run = Run { args: &args, lease: None, listener: None, monitor: Monitor::new() };
    run.follow(silent(), clusters, wanted, nowhere(), Some(recording))
}

/// An engine that says nothing; what it remembers is what each file of a recording begins with.
fn silent() -> EngineConfig {
    EngineConfig::default().emit(Emit { object: true, event: true, ..Emit::default() })
}

fn nowhere() -> Output<Box<dyn Write>> {
    Output::new(Box::new(std::io::sink()), Style::Json)
}

/// Takes the port before anything is watched or written.
fn listen(args: &RunArgs) -> Result<(Option<Listener>, Arc<Monitor>), Failure> {
    let listener = args.listen.as_deref().map(Listener::bind).transpose()?;
    Ok((listener, Monitor::new()))
}

/// How a run is begun, looked at and ended.
struct Run<'a> {
    args: &'a RunArgs,
    lease: Option<&'a LeaseName>,
    listener: Option<Listener>,
    monitor: Arc<Monitor>,
}

impl Run<'_> {
    fn follow(
        self,
        config: EngineConfig,
        clusters: Vec<Cluster>,
        wanted: Wanted,
        output: Output<Box<dyn Write>>,
        recording: Option<Recording>,
    ) -> Result<(), Failure> {
        // The engine and what it prints have this thread for themselves, so that a slow reader never holds up a connection.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| Failure::failed(format!("cannot start a thread: {error}")))?;
        let Self { args, lease, listener, monitor } = self;
        let asked = Arc::new(Notify::new());
        let told = Arc::clone(&asked);
        signals::listen(move || told.notify_one()).map_err(|error| Failure::failed(format!("cannot listen for signals: {error}")))?;
        let ended = runtime.block_on(async {
            if let Some(listener) = listener {
                listener.serve(Arc::clone(&monitor))?;
            }
            let leadership = match lease {
                None => None,
                Some(lease) => {
                    let mut leadership = standby::stand(lease, &clusters).await?;
                    monitor.stands(leadership.place(), leadership.watch());
                    let patience = args.duration.map(|span| Duration::from_nanos(u64::try_from(span.0).unwrap_or_default()));
                    match standby::wait(&mut leadership, &asked, patience).await? {
                        standby::Ended::Leading => Some(leadership),
                        standby::Ended::Stopped => {
                            leadership.release().await;
                            return Ok(());
                        }
                    }
                }
            };
            let job = Job {
                config,
                clusters,
                wanted,
                checkpoint: args.checkpoint.clone(),
                once: args.once,
                duration: args.duration,
                asked: Arc::clone(&asked),
                monitor,
                lease: leadership.as_ref().map(|leadership| (leadership.place().to_owned(), leadership.watch())),
            };
            let ended = tokio::select! {
                // Whoever is asked to stop while it looks for its clusters has nothing to end.
                biased;
                () = asked.notified() => Ok(()),
                begun = Live::begin(job, output, recording) => match begun {
                    Ok(live) => live.run().await,
                    Err(failure) => Err(failure),
                },
            };
            // All is printed and stored: the next one goes on from there, and need not wait.
            if let Some(leadership) = leadership {
                leadership.release().await;
            }
            ended
        });
        runtime.shutdown_background();
        ended
    }
}

fn rotation(args: &RotationArgs) -> Rotation {
    Rotation { size: args.rotate_size, age: args.rotate_age }
}

fn read_entries(file: Option<&Path>) -> Result<Vec<Entry>, Failure> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let text = std::fs::read_to_string(file).map_err(|error| Failure::usage(format!("cannot read `{}`: {error}", file.display())))?;
    let mut entries = entries::read(&text).map_err(|wrong| Failure::usage(format!("{}:{}: {}", file.display(), wrong.line, wrong.what)))?;
    entries.iter_mut().for_each(|entry| entry.file = file.display().to_string());
    Ok(entries)
}

fn clusters(args: &ClusterArgs, name: Option<&str>) -> Result<Vec<Cluster>, Failure> {
    let find = |context: Option<&str>| Cluster::find(args.kubeconfig.clone(), context).map_err(Failure::failed);
    if args.context.is_empty() {
        let found = find(None)?;
        return Ok(vec![name.map_or_else(|| found.clone(), |name| found.clone().named(name))]);
    }
    if let (Some(_), [_, _, ..]) = (name, args.context.as_slice()) {
        return Err(Failure::usage("`--cluster` names one cluster, and `--context` several"));
    }
    let mut clusters = Vec::new();
    for context in &args.context {
        let found = find(Some(context))?;
        clusters.push(name.map_or_else(|| found.clone(), |name| found.clone().named(name)));
    }
    Ok(clusters)
}

//! `watch` and `record`: live clusters through the engine.

mod clock;
mod entries;
mod live;
mod recording;
mod store;
mod wanted;

pub(crate) use entries::KEYS;

use crate::args::{ClusterArgs, Emitted, Program, RecordArgs, RotationArgs, RunArgs, WatchArgs};
use crate::failure::Failure;
use crate::output::{Output, Style};
use crate::{replay, settings};
use entries::Entry;
use faro_core::{Emit, EngineConfig};
use faro_watch::Cluster;
use live::{Job, Live};
use recording::{Recording, Rotation};
use std::io::Write;
use std::path::Path;
use wanted::Wanted;

/// Runs `watch`.
pub(crate) fn run(program: Program, args: &WatchArgs) -> Result<(), Failure> {
    let config = settings::engine(&args.output, &args.selection, &args.grouping, None)?;
    let whole =
        [Emitted::Object, Emitted::Incident].into_iter().any(|one| settings::emits(&args.output.emit, one)) || args.record.is_some();
    let entries = read_entries(args.config.as_deref())?;
    let wanted = Wanted::new(entries, &args.selection.gvr, &args.selection.namespace, whole);
    let clusters = clusters(&args.cluster, args.grouping.cluster.as_deref())?;
    let recording = args.record.as_deref().map(|path| Recording::to_file(path, rotation(&args.rotation), clock::now())).transpose()?;
    let mut output = Output::new(Box::new(std::io::stdout()) as Box<dyn Write>, replay::style(program, args.output.output));
    if args.output.only_final {
        output = output.only_last();
    }
    if !settings::emits(&args.output.emit, Emitted::Summary) {
        output = output.without_summary();
    }
    follow(&args.run, config, clusters, wanted, output, recording)
}

/// Runs `record`.
pub(crate) fn record(args: &RecordArgs) -> Result<(), Failure> {
    let entries = read_entries(args.config.as_deref())?;
    let wanted = Wanted::new(entries, &args.selection.gvr, &args.selection.namespace, true);
    let clusters = clusters(&args.cluster, None)?;
    let recording = match &args.file {
        Some(path) if path.as_os_str() != "-" => Recording::to_file(path, rotation(&args.rotation), clock::now())?,
        Some(_) | None => Recording::to_stdout(),
    };
    // The engine says nothing; what it remembers is what each file of the recording begins with.
    let config = EngineConfig::default().emit(Emit { object: true, event: true, ..Emit::default() });
    let output = Output::new(Box::new(std::io::sink()) as Box<dyn Write>, Style::Json);
    follow(&args.run, config, clusters, wanted, output, Some(recording))
}

fn follow(
    run: &RunArgs,
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
    let job = Job { config, clusters, wanted, checkpoint: run.checkpoint.clone(), once: run.once, duration: run.duration };
    let ended = runtime.block_on(async { Live::begin(job, output, recording).await?.run().await });
    runtime.shutdown_background();
    ended
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

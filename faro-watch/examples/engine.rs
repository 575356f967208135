//! The engine fed from a watch, with own output: one line for each group of similar events, worst things first to be seen.
//!
//! ```text
//! cargo run -p faro-watch --example engine
//! ```

use chrono::{DateTime, Utc};
use faro_core::{Engine, EngineConfig, Record, input};
use faro_watch::checkpoint::{Checkpoint, FileStore, Store as _};
use faro_watch::{Cluster, Output, Selection, Watcher};
use std::io::Write as _;
use std::time::{Duration, SystemTime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut store = FileStore::open(std::env::temp_dir().join("faro-example-checkpoint"))?;
    let (mut engine, progress) = match store.load().await? {
        Some(Checkpoint { progress, engine: Some(engine) }) => {
            (Engine::restore(EngineConfig::default(), serde_json::from_str(engine.get())?)?, progress)
        }
        Some(Checkpoint { engine: None, .. }) | None => (Engine::new(EngineConfig::default()), Default::default()),
    };
    let mut out = std::io::stdout();
    let mut print = |record: &Record<'_>| {
        if let Record::Group(group) = record {
            let name = group.resource.as_ref().map_or("-", |resource| resource.name);
            // A reader that has left is noticed at the next line of its own accord.
            let _ = writeln!(out, "{:<8} {name}: {}", group.severity, group.summary);
        }
    };

    let selections = [Selection::new("v1/events"), Selection::new("v1/pods"), Selection::new("apps/v1/replicasets").metadata_only()];
    let mut watcher = Watcher::builder().cluster(Cluster::find(None, None)?, selections).resume(progress).start().await?;
    let mut every = tokio::time::interval(Duration::from_secs(1));
    loop {
        let now: DateTime<Utc> = SystemTime::now().into();
        let due = engine.next_deadline().map_or(Duration::from_mins(1), |due| (due - now).to_std().unwrap_or_default());
        tokio::select! {
            // What is due closes before newer records can reopen it.
            biased;
            () = tokio::time::sleep(due) => engine.tick(SystemTime::now().into(), &mut print),
            _ = every.tick() => watcher.mark(),
            output = watcher.next() => match output {
                Some(Output::Feed(feed)) => match input::read(feed.line()) {
                    Ok(item) => engine.ingest(item, feed.received_at(), &mut print),
                    Err(malformed) => engine.malformed(&malformed),
                },
                // Everything before it has been printed.
                Some(Output::Progress(progress)) => {
                    let engine = Some(serde_json::value::to_raw_value(&engine.snapshot())?);
                    store.save(&Checkpoint { progress, engine }).await?;
                }
                None => return Ok(()),
            },
        }
    }
}

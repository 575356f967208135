//! Recorded inputs through an engine, with progress, signals and what is wrong with them.

use crate::failure::Failure;
use crate::notice;
use crate::progress::Progress;
use crate::read::{Input, Merge, Parsed, Pool, Receiver, expand};
use crate::signals;
use faro_core::input::{Cause, Malformed};
use faro_core::{EngineConfig, Nanos, Replay, Sink};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Where records go, and whether more of them are wanted.
pub(crate) trait Consumer: Sink {
    /// Whether nothing more can be taken.
    fn failed(&self) -> bool {
        false
    }

    /// No input for now: what was taken is due.
    fn idle(&mut self) {}
}

/// Feeds all inputs, in order. What was taken before a failure stays taken.
pub(crate) fn drive<C: Consumer>(
    paths: &[PathBuf],
    config: EngineConfig,
    now: Option<Nanos>,
    strict: bool,
    consumer: C,
) -> Result<(Replay, C), (C, Failure)> {
    let inputs = match expand(paths) {
        Ok(inputs) => inputs,
        Err(failure) => return Err((consumer, failure)),
    };
    let read = Arc::new(AtomicU64::new(0));
    let total = inputs.iter().map(Input::size).sum::<Option<u64>>();
    let pool = match Pool::new(&inputs, &read) {
        Ok(pool) => pool,
        Err(error) => return Err((consumer, Failure::failed(format!("cannot start a thread: {error}")))),
    };
    let stopper = pool.stopper();
    if let Err(error) = signals::listen(move || stopper.stop()) {
        return Err((consumer, Failure::failed(format!("cannot listen for signals: {error}"))));
    }
    let mut run = Run {
        // Only an input without any time asks what time it is.
        replay: Replay::new(config, now).fallback(Nanos::from(std::time::SystemTime::now())),
        consumer,
        inputs: &inputs,
        strict,
        fatal: None,
        told: BTreeSet::new(),
        values: 0,
        progress: Progress::new(total, read),
    };
    let merged = Merge::run(&pool, &inputs, &mut run);
    run.progress.clear();
    let Run { replay, consumer, fatal, .. } = run;
    match fatal.or(merged.err()) {
        Some(failure) => Err((consumer, failure)),
        None => Ok((replay, consumer)),
    }
}

struct Run<'a, C> {
    replay: Replay,
    consumer: C,
    inputs: &'a [Input],
    strict: bool,
    fatal: Option<Failure>,
    /// The causes of which an example was given.
    told: BTreeSet<Cause>,
    values: u64,
    progress: Progress,
}

impl<C: Consumer> Run<'_, C> {
    fn malformed(&mut self, input: usize, malformed: &Malformed) {
        self.replay.malformed(malformed);
        if !self.strict && !self.told.insert(malformed.cause) {
            return;
        }
        let example = format!("{}:{}:{}: {malformed}", self.inputs[input].name(), malformed.line, malformed.column);
        if self.strict {
            self.fatal = Some(Failure::failed(example));
        } else {
            self.progress.clear();
            notice::warn(&example);
        }
    }
}

impl<C: Consumer> Receiver for Run<'_, C> {
    fn value(&mut self, input: usize, value: Parsed<'_>) {
        if self.fatal.is_some() {
            return;
        }
        self.values += 1;
        match value {
            Ok(item) => self.replay.feed(item, &mut self.consumer),
            Err(malformed) => self.malformed(input, &malformed),
        }
    }

    fn values(&mut self, input: usize, values: &mut dyn Iterator<Item = Parsed<'_>>) {
        let mut broken = None;
        while self.fatal.is_none() {
            let understood = std::iter::from_fn(|| match values.next()? {
                Ok(item) => Some(item),
                Err(malformed) => {
                    broken = Some(malformed);
                    None
                }
            });
            let mut count = 0;
            self.replay.feed_all(understood.inspect(|_| count += 1), &mut self.consumer);
            self.values += count;
            let Some(malformed) = broken.take() else { return };
            self.values += 1;
            self.malformed(input, &malformed);
        }
    }

    fn pause(&mut self) -> ControlFlow<()> {
        self.progress.tick(self.values);
        if self.fatal.is_some() || self.consumer.failed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn idle(&mut self) {
        self.consumer.idle();
    }
}

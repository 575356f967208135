//! `replay`: recorded input through the engine.

use crate::args::{Emitted, Format, Program, ReplayArgs};
use crate::failure::Failure;
use crate::notice;
use crate::output::{Look, Output, Style};
use crate::progress::Progress;
use crate::read::{Input, Merge, Parsed, Pool, Receiver, expand};
use crate::{settings, signals};
use faro_core::Replay;
use faro_core::input::{Cause, Malformed};
use std::collections::BTreeSet;
use std::io::{IsTerminal, StdoutLock};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Runs it.
pub(crate) fn run(program: Program, args: &ReplayArgs) -> Result<(), Failure> {
    let config = settings::engine(&args.output, &args.selection, &args.grouping, args.now)?;
    let inputs = expand(&args.inputs)?;
    let read = Arc::new(AtomicU64::new(0));
    let total = inputs.iter().map(Input::size).sum::<Option<u64>>();
    let mut output = Output::new(std::io::stdout().lock(), style(program, args.output.output));
    if args.output.only_final {
        output = output.only_last();
    }
    if !settings::emits(&args.output.emit, Emitted::Summary) {
        output = output.without_summary();
    }
    let pool = Pool::new(&inputs, &read).map_err(|error| Failure::failed(format!("cannot start a thread: {error}")))?;
    let stopper = pool.stopper();
    signals::listen(move || stopper.stop()).map_err(|error| Failure::failed(format!("cannot listen for signals: {error}")))?;
    let mut run = Run {
        // Only an input without any time asks what time it is.
        replay: Replay::new(config, args.now).fallback(faro_core::Nanos::from(std::time::SystemTime::now())),
        output,
        inputs: &inputs,
        strict: args.strict,
        fatal: None,
        told: BTreeSet::new(),
        values: 0,
        progress: Progress::new(total, read),
    };
    let merged = Merge::run(&pool, &inputs, &mut run);
    run.progress.clear();
    let Run { mut replay, mut output, fatal, .. } = run;
    if let Some(failure) = fatal.or(merged.err()) {
        // What is known stays printed, and nothing pretends that the run was whole.
        output.flush();
        return Err(failure);
    }
    let summary = replay.finish(&mut output);
    notice::info(&format!("{} records, {} occurrences, {} groups", summary.records.total, summary.occurrences.total, summary.groups.total));
    output.finish()
}

pub(crate) fn style(program: Program, format: Option<Format>) -> Style {
    let text = match (format, program) {
        (Some(Format::Json), _) | (None, Program::FaroCli) => false,
        (Some(Format::Text), _) => true,
        (None, Program::KubectlFaro) => std::io::stdout().is_terminal(),
    };
    if text { Style::Text(Look::of_stdout()) } else { Style::Json }
}

struct Run<'a> {
    replay: Replay,
    output: Output<StdoutLock<'static>>,
    inputs: &'a [Input],
    strict: bool,
    fatal: Option<Failure>,
    /// The causes of which an example was given.
    told: BTreeSet<Cause>,
    values: u64,
    progress: Progress,
}

impl Run<'_> {
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

impl Receiver for Run<'_> {
    fn value(&mut self, input: usize, value: Parsed<'_>) {
        if self.fatal.is_some() {
            return;
        }
        self.values += 1;
        match value {
            Ok(item) => self.replay.feed(item, &mut self.output),
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
            self.replay.feed_all(understood.inspect(|_| count += 1), &mut self.output);
            self.values += count;
            let Some(malformed) = broken.take() else { return };
            self.values += 1;
            self.malformed(input, &malformed);
        }
    }

    fn pause(&mut self) -> ControlFlow<()> {
        self.progress.tick(self.values);
        if self.fatal.is_some() || self.output.failed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn idle(&mut self) {
        self.output.flush();
    }
}

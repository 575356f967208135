//! `replay`: recorded input through the engine.

use crate::args::{Emitted, Format, Program, ReplayArgs};
use crate::drive::{Consumer, drive};
use crate::failure::Failure;
use crate::output::{Look, Output, Style};
use crate::{notice, settings};
use std::io::{IsTerminal, Write};

/// Runs it.
pub(crate) fn run(program: Program, args: &ReplayArgs) -> Result<(), Failure> {
    let config = settings::engine(&args.output, &args.selection, &args.grouping, args.now)?;
    let mut output = Output::new(std::io::stdout().lock(), style(program, args.output.output));
    if args.output.only_final {
        output = output.only_last();
    }
    if !settings::emits(&args.output.emit, Emitted::Summary) {
        output = output.without_summary();
    }
    match drive(&args.inputs, config, args.now, args.strict, output) {
        Ok((mut replay, mut output)) => {
            let summary = replay.finish(&mut output);
            let (records, occurrences, groups) = (summary.records.total, summary.occurrences.total, summary.groups.total);
            notice::info(&format!("{records} records, {occurrences} occurrences, {groups} groups"));
            output.finish()
        }
        Err((mut output, failure)) => {
            // What is known stays printed, and nothing pretends that the run was whole.
            output.flush();
            Err(failure)
        }
    }
}

impl<W: Write> Consumer for Output<W> {
    fn failed(&self) -> bool {
        self.failed()
    }

    fn idle(&mut self) {
        self.flush();
    }
}

pub(crate) fn style(program: Program, format: Option<Format>) -> Style {
    let text = match (format, program) {
        (Some(Format::Json), _) | (None, Program::FaroCli) => false,
        (Some(Format::Text), _) => true,
        (None, Program::KubectlFaro) => std::io::stdout().is_terminal(),
    };
    if text { Style::Text(Look::of_stdout()) } else { Style::Json }
}

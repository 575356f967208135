//! `explain`: one object's story.

mod text;

use crate::args::{ExplainArgs, Program};
use crate::drive::{Consumer, drive};
use crate::failure::Failure;
use crate::output::Style;
use crate::source::Source;
use crate::{replay, settings};
use faro_core::story::{Question, Story};
use faro_core::{Emit, Record, Sink};

/// Runs it.
pub(crate) fn run(program: Program, args: &ExplainArgs) -> Result<(), Failure> {
    let config = settings::grouped(&args.grouping)?.emit(Emit::ALL);
    let (kind, name) = args.object.clone();
    let question = Question {
        kind,
        name,
        namespaces: args.selection.namespace.clone(),
        emit: settings::emit(&args.emit),
        filter: settings::filter(&args.selection, args.source.now)?,
        window: args.grouping.window,
    };
    // A story is about an object wherever its pods' nodes are: all of the cluster is looked at.
    let source = Source::open(&args.source, &[], args.grouping.cluster.as_deref())?;
    let driven = drive(&source.inputs, config, args.source.now, args.source.strict, Telling(Story::new(question)));
    let (mut replay, mut story) = driven.map_err(|(_, failure)| failure)?;
    replay.finish(&mut story);
    let lines = story.0.tell(replay.engine()).map_err(Failure::failed)?;
    let mut out = Vec::new();
    match replay::style(program, args.output) {
        Style::Json => {
            for line in &lines {
                serde_json::to_writer(&mut out, line).map_err(Failure::failed)?;
                out.push(b'\n');
            }
        }
        Style::Text(look) => out.extend_from_slice(text::render(&lines, look).as_bytes()),
    }
    crate::print(out.trim_ascii_end())
}

struct Telling(Story);

impl Sink for Telling {
    fn record(&mut self, record: &Record<'_>) {
        self.0.record(record);
    }
}

impl Consumer for Telling {}

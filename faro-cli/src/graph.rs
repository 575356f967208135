//! `graph`: nodes and edges.

use crate::args::{Emitted, GraphArgs, GraphFormat};
use crate::drive::{Consumer, drive};
use crate::failure::Failure;
use crate::settings;
use crate::source::Source;
use faro_core::graph::cypher::Cypher;
use faro_core::graph::{Element, Graph, Parts, dot};
use faro_core::{Emit, Record, Sink};
use std::io::{self, Write};

/// So much is written at once.
const FULL: usize = 256 << 10;

/// Runs it.
pub(crate) fn run(args: &GraphArgs) -> Result<(), Failure> {
    let config = settings::grouped(&args.grouping)?.emit(Emit::ALL).filter(settings::filter(&args.selection, args.source.now)?);
    let parts = Parts {
        object: settings::emits(&args.emit, Emitted::Object),
        event: settings::emits(&args.emit, Emitted::Event),
        group: settings::emits(&args.emit, Emitted::Group),
        incident: settings::emits(&args.emit, Emitted::Incident),
    };
    let source = Source::open(&args.source, &args.selection.namespace, args.grouping.cluster.as_deref())?;
    let text = if args.output == GraphFormat::Dot { dot::BEGIN.to_owned() } else { String::new() };
    let writer = Writer { out: Box::new(io::stdout().lock()), text, language: Language::new(args.output), error: None };
    let drawing = Drawing { graph: Graph::new(parts), writer };
    let driven = drive(&source.inputs, config, args.source.now, args.source.strict, drawing);
    let (mut replay, mut drawing) = match driven {
        Ok(done) => done,
        Err((mut drawing, failure)) => {
            drawing.writer.flush();
            return Err(failure);
        }
    };
    replay.finish(&mut drawing);
    let Drawing { graph, mut writer } = drawing;
    graph.finish(replay.engine(), &mut |element| writer.element(element));
    writer.finish()
}

/// Records on their way into a graph.
struct Drawing {
    graph: Graph,
    writer: Writer,
}

impl Sink for Drawing {
    fn record(&mut self, record: &Record<'_>) {
        let Self { graph, writer } = self;
        graph.record(record, &mut |element| writer.element(element));
    }
}

impl Consumer for Drawing {
    fn failed(&self) -> bool {
        self.writer.error.is_some()
    }
}

/// How elements become text.
enum Language {
    Json,
    Dot,
    Cypher(Cypher),
}

impl Language {
    fn new(format: GraphFormat) -> Self {
        match format {
            GraphFormat::Json => Self::Json,
            GraphFormat::Dot => Self::Dot,
            GraphFormat::Cypher => Self::Cypher(Cypher::default()),
        }
    }
}

struct Writer {
    out: Box<dyn Write>,
    text: String,
    language: Language,
    error: Option<Failure>,
}

impl Writer {
    fn element(&mut self, element: Element) {
        match &mut self.language {
            Language::Json => match serde_json::to_string(&element) {
                Ok(line) => {
                    self.text.push_str(&line);
                    self.text.push('\n');
                }
                Err(error) => self.error = Some(Failure::failed(error)),
            },
            Language::Dot => {
                dot::write(&element, &mut self.text);
            }
            Language::Cypher(cypher) => cypher.write(element, &mut self.text),
        }
        if self.text.len() >= FULL {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.error.is_none()
            && let Err(error) = self.out.write_all(self.text.as_bytes()).and_then(|()| self.out.flush())
        {
            self.error = Some(Failure::output(&error));
        }
        self.text.clear();
    }

    fn finish(mut self) -> Result<(), Failure> {
        match std::mem::replace(&mut self.language, Language::Json) {
            Language::Json => {}
            Language::Dot => self.text.push_str(dot::END),
            Language::Cypher(cypher) => cypher.finish(&mut self.text),
        }
        self.flush();
        self.error.map_or(Ok(()), Err)
    }
}

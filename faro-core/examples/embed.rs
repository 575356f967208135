//! Embeds the engine: a recording on standard input, groups and the books as JSON Lines on standard output.
//!
//! `zcat tests/samples/cilium-night.ndjson.gz | cargo run -p faro-core --example embed`

use faro_core::{EngineConfig, Record, Replay, input};
use std::io::{self, BufRead, BufWriter, Write};

fn main() -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut written = Ok(());
    // A sink cannot fail: it keeps the first error for the end.
    let mut sink = |record: &Record<'_>| {
        if written.is_ok() {
            written = print(&mut out, record);
        }
    };
    let mut replay = Replay::new(EngineConfig::default(), None);
    for line in io::stdin().lock().lines() {
        match input::read(&line?) {
            Ok(item) => replay.feed(item, &mut sink),
            Err(malformed) => replay.malformed(&malformed),
        }
    }
    replay.finish(&mut sink);
    written?;
    out.flush()
}

fn print(out: &mut impl Write, record: &Record<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    out.write_all(b"\n")
}

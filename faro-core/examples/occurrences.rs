//! Uses one stage alone: how many occurrences each Event on standard input adds to what is known.
//!
//! `zcat tests/samples/cilium-night.ndjson.gz | cargo run -p faro-core --example occurrences`

use faro_core::input::{self, Body, Change};
use faro_core::{Nanos, News, Occurrences, Report};
use std::io::{self, BufRead, BufWriter, Write};
use std::num::NonZeroUsize;

fn main() -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    // A million counters; beyond that the least recently seen is forgotten, and what it would have told is unproven.
    let mut occurrences = Occurrences::new(NonZeroUsize::MIN.saturating_add(999_999));
    let (mut latest, mut total, mut unproven) = (Nanos(0), 0_u64, 0_u64);
    for line in io::stdin().lock().lines() {
        let line = line?;
        // Objects, lists and control lines say nothing about one Event, and a deletion is no occurrence.
        let Ok(item) = input::read(&line) else { continue };
        let (change, observed) = (item.change, item.observed);
        let Body::Event(event) = item.body else { continue };
        if change == Change::Deleted {
            continue;
        }
        latest = observed.or(event.newest_time()).unwrap_or(latest).max(latest);
        let report = Report::new(event, change, latest);
        let counter = occurrences.key("", &report);
        match occurrences.observe(counter, &report) {
            News::Nothing => {}
            News::Unproven { count } => unproven += u64::from(count),
            news @ (News::FirstSight { .. } | News::More { .. }) => {
                total += u64::from(news.count());
                let involved = report.involved();
                let (count, reason, kind, name) = (news.count(), report.reason(), involved.kind(), involved.name());
                writeln!(out, "{count:>4} new of {:>4}  {reason} {kind} {name}", report.count)?;
            }
        }
    }
    writeln!(out, "{total} occurrences, {unproven} unproven, {} counters", occurrences.len())?;
    out.flush()
}

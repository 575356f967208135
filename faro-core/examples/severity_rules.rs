//! Judges Events by rules of one's own: which of those on standard input they see differently than the catalogue.
//!
//! `zcat tests/samples/cilium-night.ndjson.gz | cargo run -p faro-core --example severity_rules`

use faro_core::input::{self, Body};
use faro_core::severity::{Rules, UserRules};
use faro_core::{Nanos, Report};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufWriter, Write};

/// The first rule that matches decides; what it leaves out stays as the catalogue has it.
const RULES: &str = r"
rules:
  - name: batch-can-wait
    match: {family: crash-loop, namespace: [identity, ops]}
    severity: medium
    examples:
      - event: {reason: BackOff, message: Back-off restarting failed container sync in pod sync-1, involvedObject: {kind: Pod, name: sync-1, namespace: ops}}
        severity: medium
  - name: gpu-is-scarce
    match: {reason: FailedScheduling, message: '.*Insufficient nvidia\.com/gpu.*'}
    when: event.count < 20
    severity: low
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // An error says the line, the column, and what may have been meant.
    let user = UserRules::parse(RULES)?;
    if let Some(failed) = user.run_examples().iter().find(|example| !example.ok) {
        return Err(format!("line {}: expected {}, got {}", failed.line, failed.expected, failed.got).into());
    }
    let (catalogue, rules) = (Rules::builtin(), Rules::with_user(user));

    let mut changed = BTreeMap::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let Ok(item) = input::read(&line) else { continue };
        let (change, observed) = (item.change, item.observed.unwrap_or(Nanos::MAX));
        let Body::Event(event) = item.body else { continue };
        let report = Report::new(event, change, observed);
        let (before, after) = (catalogue.judge(&report), rules.judge(&report));
        if before.severity != after.severity {
            *changed.entry((report.reason().to_owned(), before.severity, after.severity)).or_insert(0_u32) += 1;
        }
    }
    let mut out = BufWriter::new(io::stdout().lock());
    for ((reason, before, after), count) in changed {
        writeln!(out, "{count:>4} x {reason}: {before}, now {after}")?;
    }
    Ok(out.flush()?)
}

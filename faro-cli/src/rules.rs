//! Files of rules: severity, and causes of incidents.

use crate::failure::Failure;
use faro_core::severity::{Rules, UserRules};
use serde_json::json;
use std::path::Path;

/// Reads a file of rules, to be used before the catalogues.
pub(crate) fn load(file: &Path) -> Result<Rules, Failure> {
    parse(file).map(Rules::with_user)
}

/// `check-config`: compiles a file of rules and runs its examples, a line for each.
pub(crate) fn run(file: &Path) -> Result<(), Failure> {
    let outcomes = parse(file)?.run_examples();
    let mut lines = String::new();
    for outcome in &outcomes {
        let line = json!({"name": outcome.name, "line": outcome.line, "ok": outcome.ok, "expected": outcome.expected, "got": outcome.got});
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    if !lines.is_empty() {
        crate::print(lines.trim_end().as_bytes())?;
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.ok);
    let Some(first) = failed.clone().next() else { return Ok(()) };
    let what = format!("expected {}, got {}", first.expected, first.got);
    Err(Failure::failed(format!("{}:{}: {} of {} examples fail: {what}", file.display(), first.line, failed.count(), outcomes.len())))
}

fn parse(file: &Path) -> Result<UserRules, Failure> {
    // A file that the command line names and that is not there is a wrong command line.
    let text = std::fs::read_to_string(file).map_err(|error| Failure::usage(Failure::io("cannot read", file, &error)))?;
    UserRules::parse(&text).map_err(|error| Failure::usage(format!("{}:{}:{}: {}", file.display(), error.line, error.column, error.cause)))
}

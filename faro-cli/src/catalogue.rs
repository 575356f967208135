//! `reasons` and `causes`: what is known about the reasons of events, and about what is behind incidents.

use crate::failure::Failure;
use faro_core::causes::CauseEntry;
use faro_core::severity::{Catalogue, Entry, Rules};
use serde::Serialize;
use std::path::Path;

/// Prints the entries of one reason, or all of them.
pub(crate) fn run(reason: Option<&str>) -> Result<(), Failure> {
    print(
        "reason",
        reason,
        Catalogue::builtin().entries().map(|entry| (entry.reason(), entry)),
        Catalogue::builtin().entries().map(Entry::reason),
    )
}

/// Prints one cause, or all of them; those of a file first.
pub(crate) fn causes(code: Option<&str>, file: Option<&Path>) -> Result<(), Failure> {
    let rules = file.map_or_else(|| Ok(Rules::builtin()), crate::rules::load)?;
    let causes = rules.causes();
    print("cause", code, causes.entries().map(|entry| (entry.code(), entry)), causes.entries().map(CauseEntry::code))
}

fn print<'a, T: Serialize + 'a>(
    what: &str,
    wanted: Option<&str>,
    entries: impl Iterator<Item = (&'a str, &'a T)>,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for (_, entry) in entries.filter(|(name, _)| wanted.is_none_or(|wanted| *name == wanted)) {
        serde_json::to_writer(&mut lines, entry).map_err(Failure::failed)?;
        lines.push(b'\n');
    }
    match wanted {
        Some(wanted) if lines.is_empty() => Err(Failure::failed(format!("unknown {what} `{wanted}`{}", near(wanted, names)))),
        Some(_) | None => crate::print(lines.trim_ascii_end()),
    }
}

/// The known name that may have been meant.
fn near<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> String {
    let scored = names.map(|known| {
        let same_letters = known.eq_ignore_ascii_case(wanted);
        (if same_letters { 1.0 } else { strsim::jaro_winkler(known, wanted) }, known)
    });
    let best = scored.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or_else(String::new, |(_, known)| format!(", did you mean `{known}`?"))
}

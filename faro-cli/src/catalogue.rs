//! `reasons`: what is known about the reasons of events.

use crate::failure::Failure;
use faro_core::severity::{Catalogue, Entry};

/// Prints the entries of one reason, or all of them.
pub(crate) fn run(reason: Option<&str>) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for entry in Catalogue::builtin().entries().filter(|entry| reason.is_none_or(|reason| entry.reason() == reason)) {
        serde_json::to_writer(&mut lines, entry).map_err(Failure::failed)?;
        lines.push(b'\n');
    }
    match reason {
        Some(reason) if lines.is_empty() => Err(Failure::failed(format!("unknown reason `{reason}`{}", near(reason)))),
        Some(_) | None => crate::print(lines.trim_ascii_end()),
    }
}

/// The known reason that may have been meant.
fn near(reason: &str) -> String {
    let scored = Catalogue::builtin().entries().map(Entry::reason).map(|known| {
        let same_letters = known.eq_ignore_ascii_case(reason);
        (if same_letters { 1.0 } else { strsim::jaro_winkler(known, reason) }, known)
    });
    let best = scored.filter(|(score, _)| *score > 0.85).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or_else(String::new, |(_, known)| format!(", did you mean `{known}`?"))
}

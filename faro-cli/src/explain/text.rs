//! A story for people.

use crate::notice::shown;
use crate::output::Look;
use faro_core::story::{Entry, Head, Line, Part, Role, Stream};
use std::fmt::Write;

/// So many columns stand before what an entry says.
const MARGIN: usize = 22;

/// Renders a story, line by line.
pub(super) fn render(lines: &[Line], look: Look) -> String {
    let (mut text, mut why) = (String::new(), "");
    for line in lines {
        match line {
            Line::Story(head) => text.push_str(&of_head(head)),
            Line::Entry(entry) => {
                text.push_str(&of_entry(entry, why));
                why = &entry.why;
            }
        }
    }
    let width = look.width.unwrap_or(usize::MAX);
    let mut cut = String::new();
    for line in text.lines() {
        cut.extend(shown(line).chars().take(width));
        cut.push('\n');
    }
    cut
}

// Writing to a String does not fail.
fn of_head(head: &Head) -> String {
    let mut text = String::new();
    let place = if head.namespace.is_empty() { String::new() } else { format!(" in {}", head.namespace) };
    let _ = write!(text, "{} {}{place} ({})", head.kind, head.name, head.state);
    if let Some(workload) = head.workload.as_ref().filter(|workload| workload.name != head.name || workload.kind != head.kind) {
        let _ = write!(text, ", of {} {}", workload.kind, workload.name);
    }
    let _ = writeln!(text, ": {} changes, {} reports of {} occurrences", head.changes, head.events, head.occurrences);
    for related in &head.depends_on {
        let _ = writeln!(text, "  {} {}", related.relation, related.link);
    }
    if head.dependents > 0 {
        let named = head.needed_by.iter().take(3).map(|related| related.link.as_str()).collect::<Vec<_>>().join(", ");
        let more = if head.dependents > 3 { ", ..." } else { "" };
        let _ = writeln!(text, "  needed by {}: {named}{more}", head.dependents);
    }
    if head.incidents.is_empty() {
        text.push_str("  part of no incident\n");
    }
    head.incidents.iter().for_each(|part| of_part(part, &mut text));
    text
}

fn of_part(part: &Part, text: &mut String) {
    let role = match part.role {
        Role::Root => "is the root of",
        Role::Symptom => "is a symptom of",
    };
    let sure = part.cause.confidence * 100.0;
    let _ = writeln!(text, "  {role} incident {} ({}): {} [{}, {sure:.0} % sure]", part.id, part.state, part.title, part.cause.code);
    let _ = writeln!(text, "    {}", part.cause.explanation);
    for step in &part.path {
        let _ = writeln!(text, "    {} {} {}", step.from, step.relation, step.to);
    }
}

/// One entry, and why it is shown or not unless that was just said.
fn of_entry(entry: &Entry, said: &str) -> String {
    let mut text = String::new();
    let word = entry.severity.filter(|_| entry.stream == Stream::Operational).map_or("object", |severity| severity.name());
    let what = match (entry.stream, entry.reason.as_str()) {
        (Stream::Operational, reason) if !reason.is_empty() => reason.to_owned(),
        (Stream::Operational | Stream::Lifecycle, _) => format!("{:?}", entry.event_type).to_lowercase(),
    };
    let count = entry.occurrences.filter(|count| *count > 1).map_or_else(String::new, |count| format!(" {count}x"));
    let name = entry.link.rsplit_once(':').map_or(entry.link.as_str(), |(_, name)| name);
    let _ = writeln!(text, "{:.19}Z  {word:<8}  {name}  {what}{count}  {}", entry.timestamp.to_string(), entry.text.replace('\n', " "));
    // That changes are not asked for says nothing about each of them.
    if entry.why != said && (entry.stream == Stream::Operational || entry.shown) {
        let sign = if entry.shown { "shown" } else { "not shown" };
        let _ = writeln!(text, "{:MARGIN$}{sign}: {}", "", entry.why);
    }
    text
}

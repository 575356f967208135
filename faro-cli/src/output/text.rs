//! One line for people for each record.

use crate::notice::push_shown;
use faro_core::record::{
    EventRecord, EventType, GapRecord, GroupRecord, GroupState, IncidentRecord, IncidentState, Lost, ObjectRecord, Position, Summary,
    SyncRecord,
};
use faro_core::{Nanos, Record, Severity};
use std::fmt::Write;

/// What the terminal takes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    /// Where lines are cut; nowhere when unknown.
    pub(crate) width: Option<usize>,
    /// Whether severities are coloured.
    pub(crate) colour: bool,
}

impl Look {
    /// What standard output takes: a terminal's width, and colours unless `NO_COLOR` says no.
    pub(crate) fn of_stdout() -> Self {
        let terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
        let width = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { width: width.filter(|&width| terminal && width >= 40), colour: terminal && !no_colour && !dumb }
    }
}

/// Renders a record without the end of the line.
pub(crate) fn line(record: &Record<'_>, look: Look) -> String {
    match record {
        Record::Group(group) => of_group(group, look),
        Record::Event(event) => of_event(event, look),
        Record::Object(object) => of_object(object, look),
        Record::Incident(incident) => of_incident(incident, look),
        Record::Gap(gap) => of_gap(gap),
        Record::Sync(sync) => of_sync(sync),
        Record::Summary(summary) => of_summary(summary),
    }
}

/// The columns of a line.
struct Columns<'a> {
    time: Nanos,
    word: &'a str,
    severity: Option<Severity>,
    count: String,
    state: &'a str,
    object: String,
    reason: &'a str,
    message: &'a str,
}

fn of_group(group: &GroupRecord<'_>, look: Look) -> String {
    let object = match (&group.resource, &group.workload) {
        (Some(resource), _) => named(resource.kind, resource.namespace, resource.name),
        (None, Some(workload)) => named(&workload.kind, &workload.namespace, &workload.name),
        (None, None) => group.objects.map_or_else(String::new, |objects| match objects {
            1 => "1 object".to_owned(),
            objects => format!("{objects} objects"),
        }),
    };
    let state = match group.state {
        GroupState::Open => "open",
        GroupState::Update => "update",
        GroupState::Close => "close",
    };
    Columns {
        time: group.last_seen,
        word: group.severity.name(),
        severity: Some(group.severity),
        count: counted(group.count, group.last_seen.since(group.first_seen)),
        state,
        object,
        reason: group.reason,
        message: group.message,
    }
    .render(look)
}

fn of_event(event: &EventRecord<'_>, look: Look) -> String {
    let involved = event.involved_object;
    let object = if involved.is_empty() {
        named("Event", event.namespace, event.name)
    } else {
        named(involved.kind(), involved.namespace(), involved.name())
    };
    let (first, last) = (event.first_seen.unwrap_or(event.timestamp), event.last_seen.unwrap_or(event.timestamp));
    Columns {
        time: last,
        word: event.severity.unwrap_or_default().name(),
        severity: event.severity,
        count: counted(event.count.unwrap_or(1).into(), last.since(first)),
        state: changed(event.event_type),
        object,
        reason: event.reason,
        message: event.message,
    }
    .render(look)
}

fn of_object(object: &ObjectRecord<'_>, look: Look) -> String {
    let mut message = String::new();
    for change in &object.changes {
        let (from, to) = (change.from.as_deref().unwrap_or("none"), change.to.as_deref().unwrap_or("none"));
        let _ = write!(message, "{}{}: {from} -> {to}", if message.is_empty() { "" } else { ", " }, change.path);
    }
    Columns {
        time: object.timestamp,
        word: "object",
        severity: None,
        count: String::new(),
        state: if object.initial { "existed" } else { changed(object.event_type) },
        object: named(object.kind, object.namespace, object.name),
        reason: "",
        message: &message,
    }
    .render(look)
}

/// The cause and what it hits; the first thing to do stands on a line of its own.
fn of_incident(incident: &IncidentRecord, look: Look) -> String {
    let object = incident.root_cause.as_ref().map_or_else(String::new, |root| named(&root.kind, &root.namespace, &root.name));
    let percent = format!("{:.0} % sure", incident.cause.confidence * 100.0);
    let message = format!("{}: {} {}", incident.title, incident.cause.explanation, incident.impact);
    let mut text = Columns {
        time: incident.last_seen,
        word: incident.severity.name(),
        severity: Some(incident.severity),
        count: percent,
        state: match incident.state {
            IncidentState::Open => "INCIDENT",
            IncidentState::Update => "INCIDENT",
            IncidentState::Resolved => "resolved",
        },
        object,
        reason: &incident.cause.code,
        message: &message,
    }
    .render(look);
    if let Some(action) = incident.actions.iter().find(|action| !action.command.is_empty())
        && incident.state != IncidentState::Resolved
    {
        let mut room = look.width.unwrap_or(usize::MAX);
        text.push('\n');
        cut(&format!("{:>24}{}: {}", "", action.title, action.command), &mut room, &mut text);
    }
    text
}

fn of_gap(gap: &GapRecord<'_>) -> String {
    let time = |position: &Position<'_>| position.timestamp.map_or_else(|| "unknown".to_owned(), |time| time.to_string());
    let mut text = format!("gap {}{}: from {} to {}: ", gap.gvr, in_namespace(gap.namespace), time(&gap.from), time(&gap.to));
    gap.cause.chars().for_each(|c| push_shown(&mut text, c));
    if let Some(recovered) = gap.recovered {
        let _ = write!(text, ", {recovered} changes recovered");
    }
    match gap.lost {
        Some(Lost::IntermediateVersions) => text.push_str(", versions in between may be missing"),
        Some(Lost::ShortLivedObjects) => text.push_str(", short-lived objects may be missing"),
        None => {}
    }
    text
}

fn of_sync(sync: &SyncRecord<'_>) -> String {
    format!("synced {}{}: {} objects", sync.gvr, in_namespace(sync.namespace), sync.objects)
}

fn in_namespace(namespace: &str) -> String {
    if namespace.is_empty() { String::new() } else { format!(" in {namespace}") }
}

fn of_summary(summary: &Summary) -> String {
    let mut text = format!(
        "{} records in ({} events, {} objects), {} occurrences in {} groups, {} of them open",
        summary.records.total,
        summary.records.event,
        summary.records.object,
        summary.occurrences.total,
        summary.groups.total,
        summary.groups.open
    );
    let malformed: u64 = summary.malformed.values().sum();
    let more = [
        (summary.groups.hidden, "groups hidden by filters"),
        (summary.occurrences.unproven, "occurrences unproven"),
        (summary.groups.evicted, "groups evicted"),
        (summary.late, "late"),
        (summary.clamped, "clamped"),
        (summary.gaps, "gaps"),
        (malformed, "malformed"),
    ];
    for (count, what) in more.into_iter().filter(|(count, _)| *count > 0) {
        let _ = write!(text, ", {count} {what}");
    }
    text
}

impl Columns<'_> {
    fn render(&self, look: Look) -> String {
        let mut text = String::new();
        let head = format!("{:.19}Z  ", self.time.to_string());
        let tail = format!("  {:>17}  {:<7}  {:<44}  {:<22}  {}", self.count, self.state, self.object, self.reason, self.message);
        let word = format!("{:<8}", self.word);
        // The width is counted before the colours, which take no room.
        let mut room = look.width.unwrap_or(usize::MAX);
        cut(&head, &mut room, &mut text);
        let colour = self.severity.filter(|_| look.colour).map(|severity| match severity {
            Severity::Critical => "\x1b[1;31m",
            Severity::High => "\x1b[31m",
            Severity::Medium => "\x1b[33m",
            Severity::Low => "\x1b[36m",
            Severity::Info => "\x1b[2m",
        });
        text.push_str(colour.unwrap_or_default());
        cut(&word, &mut room, &mut text);
        text.push_str(if colour.is_some() { "\x1b[0m" } else { "" });
        cut(tail.trim_end(), &mut room, &mut text);
        text
    }
}

/// Appends as much as there is room for, escaped.
fn cut(text: &str, room: &mut usize, to: &mut String) {
    let mut escaped = String::new();
    for c in text.chars() {
        escaped.clear();
        push_shown(&mut escaped, c);
        let length = escaped.chars().count();
        if length > *room {
            *room = 0;
            return;
        }
        *room -= length;
        to.push_str(&escaped);
    }
}

const fn changed(event_type: EventType) -> &'static str {
    match event_type {
        EventType::Added => "added",
        EventType::Updated => "updated",
        EventType::Deleted => "deleted",
    }
}

fn named(kind: &str, namespace: &str, name: &str) -> String {
    if namespace.is_empty() { format!("{kind} {name}") } else { format!("{kind} {namespace}/{name}") }
}

/// `566x over 2h13m`.
fn counted(count: u64, span: i64) -> String {
    if count == 1 { "1x".to_owned() } else { format!("{count}x over {}", age(span)) }
}

/// A span in its two largest units.
fn age(span: i64) -> String {
    let seconds = span / 1_000_000_000;
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h{}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_two_units() {
        for (seconds, want) in [(0, "0s"), (59, "59s"), (61, "1m1s"), (7_980, "2h13m"), (90_000, "1d1h")] {
            assert_eq!(age(seconds * 1_000_000_000), want);
        }
    }

    #[test]
    fn lines_are_cut_and_escaped() {
        let columns = Columns {
            time: Nanos(0),
            word: "high",
            severity: Some(Severity::High),
            count: String::new(),
            state: "open",
            object: "Pod a/\u{1b}b".to_owned(),
            reason: "R",
            message: "m\u{7}\n",
        };
        let whole = columns.render(Look::default());
        assert!(whole.contains("Pod a/\\u{1b}b") && whole.ends_with("m\\u{7}"), "{whole}");
        assert_eq!(columns.render(Look { width: Some(40), colour: false }).len(), 40);
        assert!(columns.render(Look { width: None, colour: true }).contains("\x1b[31mhigh    \x1b[0m"));
    }
}

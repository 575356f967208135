//! What has to hold of a cause that a user writes.

use super::entry::CauseEntry;
use super::template::{Template, names};
use crate::suggestion::Suggestion;

/// What fills a place besides what patterns extract.
pub(super) const PLACES: [&str; 21] = [
    "agent",
    "change",
    "container",
    "detail",
    "job",
    "kind",
    "name",
    "namespace",
    "near",
    "node",
    "others",
    "pod",
    "registry",
    "rollout",
    "rootKind",
    "rootName",
    "rootNamespace",
    "rootWorkload",
    "rootWorkloadKind",
    "workload",
    "workloadKind",
];

/// Tells which key of a user's cause is wrong, and what is wrong with it.
pub(crate) fn check(entry: &CauseEntry) -> Result<(), (&'static str, String)> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if entry.code.is_empty() || !entry.code.bytes().all(plain) {
        return Err(("code", format!("`{}` is no name of lower-case letters, digits and hyphens", entry.code.escape_debug())));
    }
    if !(0.0..=1.0).contains(&entry.confidence) {
        return Err(("confidence", format!("{} is not between 0 and 1", entry.confidence)));
    }
    if entry.events.is_empty() && entry.states.is_empty() && entry.changes.is_empty() {
        return Err(("code", "nothing shows it: it has neither `events` nor `states` nor `changes`".to_owned()));
    }
    match entry.templates().find_map(|template| Some((template, template.fault()?))) {
        Some((bad, fault)) => Err(("message", format!("`{bad}` cannot be read: {fault}"))),
        None => check_places(entry),
    }
}

/// Nothing would ever fill a place that has no known name.
fn check_places(entry: &CauseEntry) -> Result<(), (&'static str, String)> {
    let known: Vec<&str> = PLACES.into_iter().chain(entry.templates().flat_map(Template::names)).collect();
    let own = [("title", entry.title()), ("explanation", entry.explanation())];
    let actions = entry.actions().iter().flat_map(|action| [&action.title, &action.command, &action.why]);
    for (key, text) in own.into_iter().chain(actions.map(|text| ("actions", &**text))) {
        if let Some(name) = names(text).find(|name| !known.contains(name)) {
            let near = Suggestion::of(name, known.iter().copied());
            let of = name.escape_debug();
            return Err((key, format!("nothing is known as `{{{of}}}`{near}; a brace is written `{{{{`")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::severity::UserRules;

    #[test]
    fn cause_of_a_user_is_checked_when_it_is_read() {
        check("", "events: [{reason: [Stalled], message: ['{detail...}']}]", None);
        check("", "events: [{reason: [Stalled]}]", None);
        check("code: Bad Name", "events: [{reason: [Stalled]}]", Some("`code`"));
        check("confidence: 1.5", "events: [{reason: [Stalled]}]", Some("`confidence`"));
        check("", "", Some("nothing shows it"));
        check("", "events: [{reason: [Stalled], message: ['{a} {a}']}]", Some("cannot be read"));
        check("", "events: [{reason: [Stalled], message: ['{a...}*']}]", Some("one character"));
        check("title: Queue {queue}", "events: [{reason: [Stalled], message: ['queue {queue}']}]", None);
        check("title: Queue {queue}", "events: [{reason: [Stalled]}]", Some("nothing is known as `{queue}`"));
        let action = |command: &str| {
            format!("actions: [{{title: t, command: '{command}', why: w, readOnly: true}}]\n    events: [{{reason: [Stalled]}}]")
        };
        check("", &action("get pod {pod} {-n namespace} -o jsonpath={{.spec}"), None);
        check("", &action("get pod {pods}"), Some("did you mean `pod`?"));
        check("", "events: [{reasons: [Stalled]}]", Some("unknown key `reasons`"));
        check("category: networks", "events: [{reason: [Stalled]}]", Some("unknown value `networks`"));
    }

    #[test]
    fn two_causes_of_one_code_are_refused() {
        let one = "{code: queue-stalled, category: load, title: t, explanation: e, root: self, severity: high, confidence: 0.9, events: [{reason: [Stalled]}]}";
        let error = UserRules::parse(&format!("causes:\n  - {one}\n  - {one}\n")).unwrap_err();
        assert_eq!(error.line, 3);
        assert!(error.to_string().contains("queue-stalled"));
    }

    /// `changed` replaces the line of its key.
    #[track_caller]
    fn check(changed: &str, shows: &str, wrong: Option<&str>) {
        let lines =
            ["code: queue-stalled", "category: load", "title: t", "explanation: e", "root: self", "severity: high", "confidence: 0.9"];
        let key = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
        let lines = lines.iter().map(|line| if !changed.is_empty() && key(line) == key(changed) { changed } else { *line }).chain([shows]);
        let written: Vec<String> = lines.filter(|line| !line.is_empty()).map(|line| format!("    {line}")).collect();
        let text = format!("causes:\n  -\n{}\n", written.join("\n"));
        match (UserRules::parse(&text), wrong) {
            (Ok(_), None) => {}
            (Err(error), Some(wrong)) => assert!(error.to_string().contains(wrong), "{error}\n{text}"),
            (other, _) => panic!("{other:?}\n{text}"),
        }
    }
}

//! Examples in a file of rules: an event, and what the rules are to say about it.

use super::UserRules;
use super::file::{RuleError, WrittenExample};
use crate::input::{self, Body, Item};
use crate::report::Report;
use crate::severity::rules::by_catalogue;
use crate::severity::{Catalogue, Family, Severity};
use crate::time::Nanos;

/// What became of one example.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExampleOutcome {
    /// The name of the rule that the example belongs to.
    pub name: String,
    /// The line of the example's event.
    pub line: usize,
    /// What the example asks for, in words.
    pub expected: String,
    /// What the rules say, in words.
    pub got: String,
    /// Whether the rules say what the example asks for.
    pub ok: bool,
}

/// An example that was read.
#[derive(Debug)]
pub(super) struct Example {
    rule: u16,
    line: usize,
    // The event as JSON: a report borrows from it.
    event: String,
    severity: Option<Severity>,
    family: Option<Family>,
    matches: Option<bool>,
}

impl Example {
    /// Reads an example of the rule of that number; what identifies an Event is filled in.
    pub(super) fn new(rule: u16, written: WrittenExample) -> Result<Self, RuleError> {
        let place = written.event.referenced;
        let mut event = written.event.value;
        let metadata = event.entry("metadata").or_insert_with(|| serde_json::json!({}));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.entry("name").or_insert_with(|| "example".into());
        }
        event.entry("kind").or_insert_with(|| "Event".into());
        let event = serde_json::Value::Object(event).to_string();
        let line = usize::try_from(place.line()).unwrap_or(usize::MAX);
        let made = Self { rule, line, event, severity: written.severity, family: written.family, matches: written.matches };
        match input::read_event(&made.event) {
            Ok(Item { body: Body::Event(_), .. }) => Ok(made),
            Ok(_) => Err(RuleError::bad(place, "event", &"not an Event")),
            Err(error) => Err(RuleError::bad(place, "event", &error)),
        }
    }

    /// Judges the event and compares.
    pub(super) fn run(&self, rules: &UserRules) -> ExampleOutcome {
        let name_of = |number: usize| rules.rules.get(number).map_or("", |rule| &rule.name);
        let name = name_of(usize::from(self.rule));
        let expected = words(
            self.severity,
            self.family,
            self.matches.map(|matches| if matches { format!("rule {name}") } else { format!("not rule {name}") }),
        );
        let Ok(Item { body: Body::Event(event), change, .. }) = input::read_event(&self.event) else {
            return ExampleOutcome { name: name.to_owned(), line: self.line, expected, got: "no event".to_owned(), ok: false };
        };
        let observed = event.newest_time().unwrap_or(Nanos(0));
        let report = Report::new(event, change, observed);
        let base = by_catalogue(Catalogue::builtin(), &report);
        let decided = rules.decide(&report, base.family);
        let (severity, family) = decided.map_or((None, None), |number| rules.outcome(number));
        let (severity, family) = (severity.unwrap_or(base.severity), family.unwrap_or(base.family));
        let by = decided.map_or("no rule of this file".to_owned(), |number| format!("rule {}", name_of(number)));
        ExampleOutcome {
            name: name.to_owned(),
            line: self.line,
            expected,
            got: words(Some(severity), Some(family), Some(by)),
            ok: self.severity.is_none_or(|wanted| wanted == severity)
                && self.family.is_none_or(|wanted| wanted == family)
                && self.matches.is_none_or(|wanted| wanted == (decided == Some(usize::from(self.rule)))),
        }
    }
}

fn words(severity: Option<Severity>, family: Option<Family>, rule: Option<String>) -> String {
    let parts = [
        severity.map(|severity| format!("severity {severity}")),
        family.map(|family| format!("family {family}")),
        rule.map(|rule| format!("by {rule}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

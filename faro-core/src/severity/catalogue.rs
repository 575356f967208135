//! What the components of Kubernetes and its add-ons report, and what it means: data that ships with the engine.

use super::{Escalation, Family, Pattern, Severity};
use crate::report::Report;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// The catalogue as it is shipped.
pub(super) const TEXT: &str = include_str!("catalogue.yaml");

/// What one reason means, under the conditions that the entry names.
///
/// Of the entries of a reason the first one in file order decides whose conditions all hold.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Entry {
    reason: Box<str>,
    component: Box<[Pattern]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    kind: Box<[Box<str>]>,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    type_: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    message: Box<[Pattern]>,
    #[serde(default)]
    exclusive: bool,
    family: Family,
    severity: Severity,
    explanation: Box<str>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    check: Box<[Box<str>]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    escalate: Box<[Escalation]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opposite: Option<Box<str>>,
}

impl Entry {
    /// The exact reason that the entry is about.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Who emits it.
    #[must_use]
    pub fn component(&self) -> &[Pattern] {
        &self.component
    }

    /// Whether the entry is void for events that name another component.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        self.exclusive
    }

    /// The kinds of involved object that it is about; empty for all.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kind.iter().map(|kind| &**kind)
    }

    /// The only event type that it is about.
    #[must_use]
    pub fn type_(&self) -> Option<&str> {
        self.type_.as_deref()
    }

    /// The messages that it is about, any of them; empty for all.
    #[must_use]
    pub fn message(&self) -> &[Pattern] {
        &self.message
    }

    /// What happened.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What it means, in a sentence.
    #[must_use]
    pub fn explanation(&self) -> &str {
        &self.explanation
    }

    /// What to look at and do, in order; `{name}`, `{namespace}` and the like stand for those of the object.
    pub fn check(&self) -> impl Iterator<Item = &str> {
        self.check.iter().map(|step| &**step)
    }

    /// When evidence makes it worse.
    #[must_use]
    pub fn escalations(&self) -> &[Escalation] {
        &self.escalate
    }

    /// The reason that ends the state which this one reports.
    #[must_use]
    pub fn opposite(&self) -> Option<&str> {
        self.opposite.as_deref()
    }

    /// Tells whether every condition holds for a report of the same reason.
    fn applies(&self, report: &Report<'_>) -> bool {
        (!self.exclusive || names(&self.component, report.component()))
            && (self.kind.is_empty() || self.kind.iter().any(|kind| **kind == *report.involved().kind()))
            && self.type_.as_deref().is_none_or(|type_| type_ == report.type_())
            && (self.message.is_empty() || self.message.iter().any(|pattern| pattern.matches(report.message())))
    }
}

/// Tells whether `component` may be one of those; an event that names none may come from any.
fn names(components: &[Pattern], component: &str) -> bool {
    component.is_empty() || components.iter().any(|pattern| pattern.matches(component))
}

/// Every entry, found by its reason.
///
/// Reading all of it takes longer than a command line may take to start, so only the reasons are read at first; an entry is read
/// when its reason is first asked for.
///
/// # Memory
///
/// The text is part of the program; each entry that was read adds about a kilobyte.
///
/// # Example
///
/// ```
/// use faro_core::severity::{Catalogue, Severity};
///
/// let entry = Catalogue::builtin().of_reason("FailedCreatePodSandBox").next().ok_or("unknown")?;
/// assert_eq!(entry.severity(), Severity::Critical);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug)]
pub struct Catalogue {
    slots: Vec<Slot>,
    // Per reason its first and its last place.
    index: HashMap<&'static str, (u16, u16)>,
}

/// One entry and the text that it is read from.
#[derive(Debug)]
struct Slot {
    text: &'static str,
    // The next place of the same reason.
    next: Option<u16>,
    entry: OnceLock<Option<Entry>>,
}

/// How every entry begins.
const BEGIN: &str = "- reason: ";

impl Catalogue {
    /// The catalogue that ships with the engine.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Catalogue> = OnceLock::new();
        BUILTIN.get_or_init(|| Self::new(TEXT))
    }

    fn new(text: &'static str) -> Self {
        let first = if text.starts_with(BEGIN) { Some(0) } else { None };
        let later = text.match_indices("\n- reason: ").map(|(at, _)| at + 1);
        let begins: Vec<usize> = first.into_iter().chain(later).collect();
        let ends = begins.iter().skip(1).copied().chain([text.len()]);
        let mut slots = Vec::with_capacity(begins.len());
        let mut index: HashMap<&'static str, (u16, u16)> = HashMap::with_capacity(begins.len());
        // Ids are 16 bits, and one is the default's.
        for (place, (&begin, end)) in (0..u16::MAX - 1).zip(begins.iter().zip(ends)) {
            let slot = Slot { text: &text[begin..end], next: None, entry: OnceLock::new() };
            index
                .entry(slot.reason())
                .and_modify(|(_, last)| {
                    let before: &mut Slot = &mut slots[usize::from(*last)];
                    before.next = Some(place);
                    *last = place;
                })
                .or_insert((place, place));
            slots.push(slot);
        }
        Self { slots, index }
    }

    /// Every entry, in file order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.slots.iter().filter_map(Slot::entry)
    }

    /// The entries of one reason, in file order.
    pub fn of_reason(&self, reason: &str) -> impl Iterator<Item = &Entry> {
        self.places(reason).filter_map(|place| self.entry(place))
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> u16 {
        u16::try_from(self.slots.len()).unwrap_or(u16::MAX)
    }

    /// The entry that decides, and its place.
    pub(super) fn find(&self, report: &Report<'_>) -> Option<(u16, &Entry)> {
        let places = self.places(report.reason());
        places.filter_map(|place| self.entry(place).map(|entry| (place, entry))).find(|(_, entry)| entry.applies(report))
    }

    /// The entry in that place.
    pub(super) fn entry(&self, place: u16) -> Option<&Entry> {
        self.slots.get(usize::from(place))?.entry()
    }

    /// The lines of an entry that say what its escalations and its opposite are, unread: same lines, same meaning.
    pub(super) fn remainder(&self, place: u16) -> (&'static str, &'static str) {
        let text = self.slots.get(usize::from(place)).map_or("", |slot| slot.text);
        let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap_or("");
        (line("  escalate: "), line("  opposite: "))
    }

    fn places(&self, reason: &str) -> impl Iterator<Item = u16> {
        let first = self.index.get(reason).map(|&(first, _)| first);
        std::iter::successors(first, |&place| self.slots.get(usize::from(place))?.next)
    }
}

impl Slot {
    fn reason(&self) -> &'static str {
        let line = self.text.lines().next().unwrap_or("");
        line.strip_prefix(BEGIN).unwrap_or("").trim().trim_matches('"')
    }

    fn entry(&self) -> Option<&Entry> {
        // A test reads every entry; one that could not be read would leave its reason to the default.
        self.entry.get_or_init(|| read(self.text).ok()?.pop()).as_ref()
    }
}

fn read(text: &str) -> Result<Vec<Entry>, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        budget: None,
        // The entries refuse a key given twice by themselves.
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::PassThrough,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_entry_reads_alone_as_it_does_in_the_file() {
        let whole = read(TEXT).unwrap();
        let catalogue = Catalogue::builtin();
        assert_eq!(catalogue.entries().collect::<Vec<_>>(), whole.iter().collect::<Vec<_>>());
        assert_eq!(usize::from(catalogue.len()), whole.len());
        for (place, entry) in (0..).zip(&whole) {
            assert_eq!(catalogue.slots[place].reason(), &*entry.reason);
        }
    }

    #[test]
    fn no_entry_hides_behind_an_earlier_one() {
        let mut seen = BTreeSet::new();
        for entry in Catalogue::builtin().entries() {
            let components: &[Pattern] = if entry.exclusive { &entry.component } else { &[] };
            assert!(seen.insert((&entry.reason, components, &entry.kind, &entry.type_, &entry.message)), "{entry:?}");
        }
    }

    #[test]
    fn same_remaining_lines_are_the_same_escalations_and_opposite() {
        let catalogue = Catalogue::builtin();
        for (place, entry) in (0..).zip(catalogue.entries()) {
            let (escalate, opposite) = catalogue.remainder(place);
            let read: Vec<Escalation> = match escalate.split_once(':') {
                Some((_, list)) => serde_saphyr::from_str(list).unwrap(),
                None => Vec::new(),
            };
            assert_eq!(&*entry.escalate, read, "{entry:?}");
            assert_eq!(entry.opposite(), opposite.split_once(':').map(|(_, reason)| reason.trim()), "{entry:?}");
        }
    }

    #[test]
    fn escalations_go_up() {
        for entry in Catalogue::builtin().entries() {
            assert!(entry.escalate.iter().all(|step| step.to > entry.severity), "{entry:?}");
        }
    }

    #[test]
    fn printed_entry_names_what_it_has() {
        let entry =
            &read("- {reason: A, component: [kube*], family: oom, severity: high, explanation: E., opposite: B, type: Normal}").unwrap()[0];
        let json = r#"{"reason":"A","component":["kube*"],"type":"Normal","exclusive":false,"family":"oom","severity":"high","explanation":"E.","opposite":"B"}"#;
        assert_eq!(serde_json::to_string(entry).unwrap(), json);
    }

    #[test]
    fn unknown_key_is_refused() {
        let error = read("- {reason: A, component: [], family: oom, severity: high, explanation: E., messages: []}").unwrap_err();
        assert!(error.to_string().contains("`messages`"), "{error}");
    }
}

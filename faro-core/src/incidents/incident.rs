//! Incidents: objects with one cause in common.

use super::diagnosis::Diagnosis;
use super::{Incidents, PAST};
use crate::hash::Fingerprint;
use crate::record::{IncidentRecord, IncidentState};
use crate::severity::Severity;
use crate::time::Nanos;
use crate::topology::Slot;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// So often something has to be reported before it counts where no object tells its state: less is a hiccup.
pub(super) const PERSISTENT: u64 = 5;

/// When an incident that changed is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum When {
    /// Once the interval is over; also when it only grew.
    Due,
    /// Now, for nothing follows; also when it only went on.
    AtLast,
}

/// Objects that one cause explains.
#[derive(Clone, Debug, Default)]
pub(super) struct Incident {
    pub(super) members: BTreeSet<Slot>,
    /// What was printed; nothing before it opened.
    pub(super) shown: Option<Shown>,
    /// The latest print.
    pub(super) last: Option<Box<IncidentRecord>>,
    /// The incident that the last member to leave went to.
    pub(super) moved_to: Option<String>,
    /// The latest evidence of members that left.
    pub(super) last_of_left: Option<Nanos>,
}

/// The identity of an open incident, and its latest print.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Shown {
    pub(super) id: u64,
    pub(super) version: u32,
    /// Whether a version passed the filters.
    pub(super) passed: bool,
    pub(super) at: i64,
    pub(super) code: String,
    pub(super) severity: Severity,
    pub(super) members: u64,
    pub(super) reopened: bool,
    pub(super) follows: Option<u64>,
}

/// An incident that has ended.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Past {
    pub(super) id: u64,
    pub(super) version: u32,
    pub(super) passed: bool,
    pub(super) ended: i64,
}

impl Incidents {
    /// Takes the judgement of an object: it leaves one incident and joins another.
    pub(super) fn assign(&mut self, slot: Slot, diagnosis: Option<Diagnosis>) {
        if let (Some(before), Some(now)) = (self.judged.get_mut(&slot), &diagnosis)
            && (&before.key, before.root) == (&now.key, now.root)
        {
            self.changed.insert(now.key.clone());
            before.clone_from(now);
            return;
        }
        if let Some(before) = self.judged.remove(&slot) {
            if let Some(incident) = self.incidents.get_mut(&before.key) {
                incident.members.remove(&slot);
                incident.last_of_left = incident.last_of_left.max(Some(before.last));
                incident.moved_to = diagnosis.as_ref().map(|now| now.key.clone());
            }
            self.changed.insert(before.key);
            let root = self.topology.entity_mut(before.root);
            root.pins = root.pins.saturating_sub(1);
            if before.root != slot && diagnosis.as_ref().is_none_or(|now| now.root != before.root) {
                self.topology.forget(before.root);
            }
        }
        if let Some(now) = diagnosis {
            self.topology.entity_mut(now.root).pins += 1;
            self.incidents.entry(now.key.clone()).or_default().members.insert(slot);
            self.changed.insert(now.key.clone());
            self.judged.insert(slot, now);
        }
    }

    /// The member that tells the cause best: the surest that shows it, then the one reported most.
    pub(super) fn spokesman(&self, incident: &Incident) -> Option<(Slot, &Diagnosis)> {
        let judged = incident.members.iter().filter_map(|&slot| Some((slot, self.judged.get(&slot)?)));
        judged.max_by(|a, b| {
            let rank = |one: &Diagnosis| (one.confidence, one.shown);
            let ((x, x_shown), (y, y_shown)) = (rank(a.1), rank(b.1));
            x.total_cmp(&y)
                .then(x_shown.cmp(&y_shown))
                .then(a.1.captures.len().cmp(&b.1.captures.len()))
                .then(a.1.times.cmp(&b.1.times))
                .then_with(|| self.topology.key(b.0).cmp(&self.topology.key(a.0)))
        })
    }

    /// Whether there is more to it than a hiccup: some object's state bears it out, or it was reported again and again.
    fn is_proven(&self, incident: &Incident) -> bool {
        let judged = || incident.members.iter().filter_map(|slot| self.judged.get(slot));
        judged().any(|one| one.stated) || judged().map(|one| one.times).fold(0, u64::saturating_add) >= PERSISTENT
    }

    /// Prints each incident whose members changed, as it is due.
    pub(super) fn print_changed(&mut self, print: &mut impl FnMut(IncidentRecord) -> bool) {
        self.hand_over();
        for key in std::mem::take(&mut self.changed) {
            self.print_one(&key, When::Due, print);
        }
    }

    /// Later facts revise an incident: what goes on under another cause is the same incident.
    fn hand_over(&mut self) {
        for key in self.changed.clone() {
            let Some(left) = self.incidents.get(&key).filter(|left| left.members.is_empty() && left.shown.is_some()) else { continue };
            let Some(next) = left.moved_to.clone().filter(|next| *next != key) else { continue };
            if !self.incidents.get(&next).is_some_and(|next| next.shown.is_none() && !next.members.is_empty() && self.is_proven(next)) {
                continue;
            }
            let Some(mut left) = self.incidents.remove(&key) else { continue };
            self.wait_no_more(&key, left.shown.as_ref());
            if let Some(next) = self.incidents.get_mut(&next) {
                (next.shown, next.last) = (left.shown.take(), left.last.take());
            }
        }
    }

    /// Prints the last version of each incident that goes on, where it says anything new.
    pub(super) fn print_last(&mut self, print: &mut impl FnMut(IncidentRecord) -> bool) {
        self.hand_over();
        self.changed.extend(self.incidents.keys().cloned());
        for key in std::mem::take(&mut self.changed) {
            self.print_one(&key, When::AtLast, print);
        }
    }

    /// The latest evidence of what an incident explains.
    fn last_seen(&self, incident: &Incident) -> Option<Nanos> {
        incident.members.iter().filter_map(|slot| Some(self.judged.get(slot)?.last)).max()
    }

    fn print_one(&mut self, key: &str, when: When, print: &mut impl FnMut(IncidentRecord) -> bool) {
        let Some(incident) = self.incidents.get(key) else { return };
        if incident.members.is_empty() || !self.is_proven(incident) {
            self.resolve(key, print);
            return;
        }
        let Some((_, spokesman)) = self.spokesman(incident) else { return };
        let entry = self.causes.entry(spokesman.cause);
        let code = entry.code().to_owned();
        let members = u64::try_from(incident.members.len()).unwrap_or(u64::MAX);
        let known = incident.shown.clone();
        if let Some(shown) = &known {
            let urgent = shown.code != code || entry.severity() > shown.severity;
            let news = urgent || shown.members != members;
            let lasts = || when == When::AtLast && self.last_seen(incident) > incident.last.as_ref().map(|last| last.last_seen);
            if !news && !lasts() {
                return;
            }
            let due = Nanos(shown.at).plus(self.config.update_interval);
            if !urgent && when == When::Due && due > self.now {
                self.prints.insert((due, key.to_owned()));
                return;
            }
        }
        // Thousands of members are looked through only for what is printed.
        let Some(mut record) = self.describe(incident) else { return };
        let shown = match known {
            None => self.open(key, &record),
            Some(shown) => {
                record.state = IncidentState::Update;
                shown
            }
        };
        record.id = shown.id;
        record.version = shown.version + 1;
        record.shown_before = shown.passed;
        (record.reopened, record.follows) = (shown.reopened, shown.follows);
        record.severity = record.severity.max(shown.severity);
        let severity = record.severity;
        let version = record.version;
        let last = Some(Box::new(record.clone()));
        let passed = print(record) || shown.passed;
        let at = self.now.0;
        if let Some(incident) = self.incidents.get_mut(key) {
            incident.last = last;
            incident.shown = Some(Shown { version, passed, at, code, severity, members, ..shown });
        }
    }

    /// The identity of an incident that opens: the same one when it was here a moment ago.
    fn open(&mut self, key: &str, record: &IncidentRecord) -> Shown {
        let mut shown = Shown {
            id: id_of(key, record),
            version: 0,
            passed: false,
            at: self.now.0,
            code: String::new(),
            severity: Severity::Info,
            members: 0,
            reopened: false,
            follows: None,
        };
        if let Some(past) = self.past.remove(key) {
            self.ended.remove(&(past.ended, key.to_owned()));
            if Nanos(past.ended).plus(self.config.hold) >= self.now {
                (shown.id, shown.version, shown.passed, shown.reopened) = (past.id, past.version, past.passed, true);
            } else {
                shown.follows = Some(past.id);
            }
        }
        shown
    }

    /// A print that waited for its time is not needed any more.
    fn wait_no_more(&mut self, key: &str, shown: Option<&Shown>) {
        if let Some(shown) = shown {
            self.prints.remove(&(Nanos(shown.at).plus(self.config.update_interval), key.to_owned()));
        }
    }

    /// An incident that explains nothing any more has ended; one that never opened leaves no trace.
    fn resolve(&mut self, key: &str, print: &mut impl FnMut(IncidentRecord) -> bool) {
        let Some(incident) = self.incidents.get_mut(key) else { return };
        let left = Incident {
            members: BTreeSet::new(),
            shown: incident.shown.take(),
            last: incident.last.take(),
            moved_to: incident.moved_to.take(),
            last_of_left: incident.last_of_left.take(),
        };
        if incident.members.is_empty() {
            self.incidents.remove(key);
        }
        let Some(shown) = &left.shown else { return };
        self.wait_no_more(key, Some(shown));
        let Some(mut record) = self.last_words(&left, shown) else { return };
        record.absorbed = left.moved_to.as_ref().is_some_and(|next| self.incidents.get(next).is_some_and(|next| !next.members.is_empty()));
        let version = record.version;
        let passed = print(record) || shown.passed;
        if self.past.len() >= PAST
            && let Some((_, oldest)) = self.ended.pop_first()
        {
            self.past.remove(&oldest);
        }
        self.ended.insert((self.now.0, key.to_owned()));
        self.past.insert(key.to_owned(), Past { id: shown.id, version, passed, ended: self.now.0 });
    }
}

/// The same root, cause and first evidence make the same id in every run.
fn id_of(key: &str, record: &IncidentRecord) -> u64 {
    let category = record.cause.category as u64;
    Fingerprint::default().start().text(key).number(category).number(record.first_seen.0.cast_unsigned()).finish()
}

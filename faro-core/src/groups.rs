//! Similar events merged over a window: the fourth stage.
//!
//! An occurrence joins the group of its key when no more than the window lies between them; a longer silence ends the group. Time
//! is the event's own, so the outcome does not depend on the order of arrival: a group is a stretch of time, a late occurrence
//! may widen one, and one that lies between two joins them.

mod chains;
mod evidence;
mod group;
mod lifetime;
mod pattern;
mod print;
mod snapshot;
mod timeline;
mod updates;

pub(crate) use snapshot::GroupsSnapshot;

use crate::deadlines::Deadlines;
use crate::hash::{self, Fingerprint};
use crate::occurrences::{CounterKey, News};
use crate::record::{GroupRecord, Operational, Workload};
use crate::report::Report;
use crate::severity::{Family, Rules, Severity, Verdict};
use crate::slots::Slots;
use crate::time::{Nanos, SECOND};
use group::{Descriptor, Group, NONE, Phase};
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use updates::Updates;

/// What makes events similar, besides type, reason and family.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupBy {
    /// The involved object.
    #[default]
    Object,
    /// The involved object's workload.
    Workload,
    /// Nothing else.
    Reason,
}

/// How groups are made.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct GroupsConfig {
    /// The longest silence within a group; 5 minutes.
    pub window: Nanos,
    /// How long a closed group waits for late occurrences; 10 minutes.
    pub lateness: Nanos,
    /// The shortest time between two prints of a group that only grew; 30 seconds.
    pub update_interval: Nanos,
    /// What makes events similar; the object.
    pub group_by: GroupBy,
    /// How many groups are kept, closed ones included; 1,000,000.
    pub limit: NonZeroUsize,
}

impl Default for GroupsConfig {
    fn default() -> Self {
        Self {
            window: Nanos(300 * SECOND),
            lateness: Nanos(600 * SECOND),
            update_interval: Nanos(30 * SECOND),
            group_by: GroupBy::Object,
            limit: NonZeroUsize::MIN.saturating_add(999_999),
        }
    }
}

/// Identifies the groups of similar events: cluster, object or workload, type, reason, family.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct GroupKey(u128);

/// Occurrences on their way into a group.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence<'a> {
    /// The cluster's name; empty when unknown.
    pub cluster: &'a str,
    /// Who reported what about which object.
    pub report: &'a Report<'a>,
    /// The counter that moved.
    pub counter: CounterKey,
    /// By how much it moved.
    pub news: News,
    /// How bad it is.
    pub verdict: Verdict,
    /// The workload of the involved object, when known; only [`GroupBy::Workload`] looks at it.
    pub workload: Option<&'a Workload<'a>>,
}

/// A span of occurrences that lie closer to one another than the window.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: Nanos,
    to: Nanos,
    count: u64,
}

/// How many hits are looked at ahead: as many reads as are under way at once, with some to spare.
pub const LOOK_AHEAD: usize = 32;

/// How many groups one record may open when its occurrences lie further apart than the window.
const MOST_APART: u32 = 1024;

/// The groups of a stream.
///
/// Methods that can print take a `print` function: it is given a group's figures, may complete them, and answers whether they were
/// shown; a group whose version was never shown is counted as hidden. What prints when: the first version at once, then at most
/// one each [`GroupsConfig::update_interval`] and at once when severity rises, and one at the end. Between
/// [`Groups::begin_list`] and [`Groups::end_list`] nothing prints.
///
/// # Memory
///
/// At most [`GroupsConfig::limit`] groups of about 300 bytes and their latest message. At the limit the least recently seen group
/// closes early.
///
/// # Example
///
/// ```
/// use faro_core::input::{self, Body};
/// use faro_core::severity::Rules;
/// use faro_core::{Groups, GroupsConfig, Nanos, Occurrence, Occurrences, Report};
/// use std::num::NonZeroUsize;
///
/// let (rules, mut occurrences, mut groups) = (Rules::builtin(), Occurrences::new(NonZeroUsize::MAX), Groups::new(GroupsConfig::default()));
/// let mut summaries = Vec::new();
/// for (count, second) in [(1, 10), (566, 50)] {
///     let json = format!(r#"{{"kind":"Event","metadata":{{"name":"web-1.17a"}},"reason":"FailedCreatePodSandBox","count":{count},
///         "firstTimestamp":"2025-09-12T21:54:10Z","lastTimestamp":"2025-09-12T21:54:{second}Z"}}"#);
///     let item = input::read(&json)?;
///     let Body::Event(event) = item.body else { unreachable!() };
///     let report = Report::new(event, item.change, Nanos::MAX);
///     let counter = occurrences.key("", &report);
///     let (news, verdict) = (occurrences.observe(counter, &report), rules.judge(&report));
///     let occurrence = Occurrence { cluster: "", report: &report, counter, news, verdict, workload: None };
///     let (now, key) = (report.last_seen, groups.key("", &report, verdict.family, None));
///     groups.observe(key, &occurrence, &rules, now, &mut |group| { summaries.push(group.summary.to_string()); true });
/// }
/// assert_eq!(summaries, ["1 event", "566 similar events grouped"]);
/// # Ok::<(), input::Malformed>(())
/// ```
#[derive(Debug)]
pub struct Groups {
    config: GroupsConfig,
    groups: Slots<Group>,
    // Key to the newest segment of that key.
    by_key: HashTable<u32>,
    // Object or workload by name to its latest group.
    by_subject: HashTable<u32>,
    descriptors: HashTable<Arc<Descriptor>>,
    closing: Deadlines,
    updates: Updates,
    // When closed groups are forgotten.
    closed: BTreeSet<(Nanos, u64, u32)>,
    // Groups that a list changed.
    touched: Vec<u32>,
    // Groups whose occurrences went to others, still to be printed.
    absorbed: Vec<u32>,
    // Nothing is due before.
    due: Nanos,
    suspended: bool,
    books: GroupBooks,
    scratch: Fingerprint,
}

/// The books of the groups; occurrences are conserved.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct GroupBooks {
    /// Occurrences in groups that go on.
    pub open: u64,
    /// Occurrences in groups that have ended.
    pub closed: u64,
    /// Occurrences in groups that a limit ended.
    pub evicted: u64,
    /// Groups ever opened, less those merged into others.
    pub groups: u64,
    /// Groups shown at least once.
    pub shown: u64,
    /// Groups never shown.
    pub hidden: u64,
    /// Groups that a limit ended.
    pub evicted_groups: u64,
    /// Groups that go on.
    pub open_groups: u64,
    /// Occurrences in groups never shown.
    pub filtered: u64,
}

impl Groups {
    /// Makes the stage.
    #[must_use]
    pub fn new(config: GroupsConfig) -> Self {
        Self {
            config,
            groups: Slots::new(),
            by_key: HashTable::new(),
            by_subject: HashTable::new(),
            descriptors: HashTable::new(),
            closing: Deadlines::default(),
            updates: Updates::default(),
            closed: BTreeSet::new(),
            touched: Vec::new(),
            absorbed: Vec::new(),
            due: Nanos::MAX,
            suspended: false,
            books: GroupBooks::default(),
            scratch: Fingerprint::default(),
        }
    }

    /// How many groups are kept, closed ones included.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.groups.len()
    }

    /// Tells whether no group is kept.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `with` with the latest message of each group, in no particular order.
    pub fn for_each_message(&self, mut with: impl FnMut(&str)) {
        self.slots().for_each(|slot| with(&self.groups[slot].message));
    }

    /// Puts occurrences into their group and returns its severity, or the verdict's when there are none.
    pub fn observe(
        &mut self,
        GroupKey(key): GroupKey,
        occurrence: &Occurrence<'_>,
        rules: &Rules,
        now: Nanos,
        print: &mut impl FnMut(GroupRecord<'_>) -> bool,
    ) -> Severity {
        let stretch = match occurrence.news {
            News::Nothing | News::Unproven { .. } => {
                let known = self.find(key).map(|slot| self.groups[slot].severity);
                return known.unwrap_or_default().max(occurrence.verdict.severity);
            }
            News::FirstSight { count, from, to } => Stretch { from, to, count: u64::from(count) },
            News::More { count, after, to } => match self.spread(count, after, to) {
                Some(stretch) => stretch,
                None => return self.observe_apart(key, occurrence, (count, after, to), rules, now, print),
            },
        };
        let slot = self.join(key, occurrence, stretch, rules, now, print);
        self.groups[slot].severity
    }

    /// Evenly spaced occurrences in `after..=to` as one stretch, unless they lie further apart than the window.
    fn spread(&self, count: u32, after: Nanos, to: Nanos) -> Option<Stretch> {
        let (length, parts) = (to.since(after), i64::from(count.max(1)));
        let together = length <= parts.saturating_mul(self.config.window.0);
        if together {
            let step = if parts == 1 { length } else { length / parts + i64::from(length % parts != 0) };
            return Some(Stretch { from: after.plus(step).min(to), to, count: u64::from(count) });
        }
        (count > MOST_APART).then_some(Stretch { from: to, to, count: u64::from(count) })
    }

    fn observe_apart(
        &mut self,
        key: u128,
        occurrence: &Occurrence<'_>,
        (count, after, to): (u32, Nanos, Nanos),
        rules: &Rules,
        now: Nanos,
        print: &mut impl FnMut(GroupRecord<'_>) -> bool,
    ) -> Severity {
        let length = i128::from(to.0) - i128::from(after.0);
        let mut severity = occurrence.verdict.severity;
        for index in 1..=i128::from(count) {
            let at = after.plus(i64::try_from(length * index / i128::from(count)).unwrap_or(i64::MAX));
            let slot = self.join(key, occurrence, Stretch { from: at, to: at, count: 1 }, rules, now, print);
            severity = self.groups[slot].severity;
        }
        severity
    }

    /// Returns the key of the groups that a report's occurrences belong to. `workload` is that of the involved object, when known;
    /// only [`GroupBy::Workload`] looks at it.
    pub fn key(&mut self, cluster: &str, report: &Report<'_>, family: Family, workload: Option<&Workload<'_>>) -> GroupKey {
        let involved = report.involved();
        let fingerprint = self.scratch.start().text(cluster);
        match (self.config.group_by, workload) {
            (GroupBy::Object, _) => {
                let uid = usable_uid(involved.kind(), involved.name(), involved.uid());
                match uid {
                    "" => fingerprint.text(involved.kind()).text(involved.namespace()).text(involved.name()),
                    uid => fingerprint.text(uid),
                };
            }
            (GroupBy::Workload, Some(workload)) => {
                fingerprint.text(&workload.kind).text(&workload.namespace).text(&workload.name);
            }
            (GroupBy::Workload, None) => {
                fingerprint.text(involved.kind()).text(involved.namespace()).text(involved.name());
            }
            (GroupBy::Reason, _) => {}
        }
        GroupKey(fingerprint.text(report.type_()).text(report.reason()).number(family as u64).finish_wide())
    }

    /// Reads what the groups of these keys will need, so that it is on its way from memory when they are hit. Changes nothing.
    ///
    /// A million groups do not fit a cache, and a hit waits for several reads one after another; the reads of many hits do not wait
    /// for one another.
    pub fn look_ahead(&self, keys: impl Iterator<Item = GroupKey>) {
        let mut slots = [NONE; LOOK_AHEAD];
        for (slot, GroupKey(key)) in slots.iter_mut().zip(keys) {
            *slot = self.find(key).unwrap_or(NONE);
        }
        for &slot in slots.iter().filter(|&&slot| slot != NONE) {
            let group = &self.groups[slot];
            std::hint::black_box((group.last, group.message_hash, group.about.family, group.name.len(), group.next_of_subject));
        }
    }

    fn subject(&mut self, cluster: &str, kind: &str, namespace: &str, name: &str) -> u32 {
        let wide = self.scratch.start().text(cluster).text(kind).text(namespace).text(name).finish();
        // 0 means no subject.
        u32::try_from(wide >> 32).unwrap_or(0).max(1)
    }

    /// Finds the segments that `stretch` joins, makes them one, and adds the occurrences.
    fn join(
        &mut self,
        key: u128,
        occurrence: &Occurrence<'_>,
        stretch: Stretch,
        rules: &Rules,
        now: Nanos,
        print: &mut impl FnMut(GroupRecord<'_>) -> bool,
    ) -> u32 {
        let window = self.config.window.0;
        let reach = |group: &Group| group.first <= stretch.to.plus(window) && group.last.plus(window) >= stretch.from;
        let head = self.find(key);
        let slot = match head {
            Some(head) if reach(&self.groups[head]) => {
                let older = self.groups[head].next_segment;
                if older == NONE || !reach(&self.groups[older]) { head } else { self.bridge(head, stretch) }
            }
            Some(head) => match self.segment_after(head, stretch.from, &reach) {
                (_, Some(found)) => self.bridge(found, stretch),
                (newer, None) => self.open(key, occurrence, stretch, newer, now, print),
            },
            None => self.open(key, occurrence, stretch, None, now, print),
        };
        if stretch.from < self.groups[slot].first && self.groups[slot].version > 0 {
            self.leave_old_id(slot);
        }
        self.add(slot, occurrence, stretch, now);
        Self::look_at_rule(&mut self.groups[slot], occurrence, stretch, rules);
        self.escalate(slot, rules);
        self.changed(slot, now, print);
        self.look_at_opposite(slot, occurrence, rules, now, print);
        slot
    }

    /// Adds occurrences to a group that they join.
    fn add(&mut self, slot: u32, occurrence: &Occurrence<'_>, stretch: Stretch, now: Nanos) {
        let Occurrence { report, counter, verdict, .. } = *occurrence;
        let by_workload = self.config.group_by == GroupBy::Workload;
        if self.groups[slot].phase == Phase::Closed {
            self.leave_closed(slot);
        }
        let group = &mut self.groups[slot];
        group.of_workload |= by_workload && occurrence.workload.is_some();
        let message = report.message();
        let message_hash = hash::of_text(message);
        let of = u32::try_from(counter.short() >> 32).unwrap_or(0);
        group.take_message(stretch.to, of, message_hash, message);
        group.first = group.first.min(stretch.from);
        group.last = group.last.max(stretch.to);
        group.count += stretch.count;
        group.events.insert(counter.short());
        group.messages.insert(message_hash);
        group.severity = group.severity.max(verdict.severity);
        group.take_moment(stretch.to);
        if stretch.from != stretch.to {
            group.take_moment(stretch.from);
        }
        match group.phase {
            Phase::Closed => {
                self.books.closed += stretch.count;
                self.keep_closed(slot);
                self.reopen_if_alive(slot, now);
            }
            Phase::Open | Phase::Absorbed => self.books.open += stretch.count,
        }
        if self.config.group_by != GroupBy::Object {
            let involved = report.involved();
            let object = self.scratch.start().text(involved.kind()).text(involved.namespace()).text(involved.name()).finish();
            let second = u32::try_from(stretch.from.0 / SECOND).unwrap_or(0);
            let extra = self.groups[slot].extra();
            extra.objects.insert(object);
            extra.take_arrival(second, object);
        }
    }

    /// Begins a list: nothing opens, closes or prints until its end.
    pub const fn begin_list(&mut self) {
        self.suspended = true;
    }

    /// Ends the last of all lists: each group that they changed prints once.
    pub fn end_list(&mut self, now: Nanos, print: &mut impl FnMut(GroupRecord<'_>) -> bool) {
        self.suspended = false;
        self.print_absorbed(now, print);
        self.settle(now, print);
        self.print_touched(now, print);
    }

    /// Returns the books as of now.
    #[must_use]
    pub fn books(&self) -> GroupBooks {
        let mut books = self.books;
        for slot in self.slots() {
            let group = &self.groups[slot];
            if group.phase != Phase::Absorbed && !group.shown {
                books.hidden += 1;
                books.filtered += group.count;
            }
            books.open_groups += u64::from(group.phase == Phase::Open);
        }
        books
    }

    /// Returns the open groups about an object, worst first, at most five.
    #[must_use]
    pub fn operational(&mut self, cluster: &str, kind: &str, namespace: &str, name: &str) -> Vec<Operational> {
        let subject = self.subject(cluster, kind, namespace, name);
        let about = |group: &&Group| group.phase == Phase::Open && &*group.name == name && group.about.is_named(cluster, kind, namespace);
        let mut open: Vec<&Group> = self.of_subject(subject).map(|slot| &self.groups[slot]).filter(about).collect();
        open.sort_by_key(|group| (std::cmp::Reverse((group.severity, group.last)), group.id()));
        open.truncate(5);
        open.into_iter().map(print::operational).collect()
    }

    /// Learns that an object has an owner: groups that were printed without it have changed.
    pub(crate) fn owner_known(
        &mut self,
        cluster: &str,
        (kind, namespace, name): (&str, &str, &str),
        now: Nanos,
        print: &mut impl FnMut(GroupRecord<'_>) -> bool,
    ) {
        let subject = self.subject(cluster, kind, namespace, name);
        let printed = |group: &Group| group.phase == Phase::Open && group.printed_at != Nanos(i64::MIN);
        let about = |group: &Group| &*group.name == name && group.about.is_named(cluster, kind, namespace);
        let known = |&slot: &u32| printed(&self.groups[slot]) && about(&self.groups[slot]);
        let mut slots: Vec<u32> = self.of_subject(subject).filter(known).collect();
        // In an order that a restart does not change.
        slots.sort_unstable_by_key(|&slot| self.groups[slot].id());
        for slot in slots {
            self.changed(slot, now, print);
        }
    }

    /// Learns that an object belongs to a workload: what was grouped under the object goes to the workload's groups.
    pub fn adopt(
        &mut self,
        cluster: &str,
        (kind, namespace, name): (&str, &str, &str),
        workload: &Workload<'_>,
        rules: &Rules,
        now: Nanos,
        print: &mut impl FnMut(GroupRecord<'_>) -> bool,
    ) {
        if self.config.group_by != GroupBy::Workload {
            return;
        }
        let old = self.subject(cluster, kind, namespace, name);
        let about =
            |group: &Group| group.phase != Phase::Absorbed && &*group.name == name && group.about.is_named(cluster, kind, namespace);
        let mut slots: Vec<u32> = self.of_subject(old).filter(|&slot| about(&self.groups[slot])).collect();
        // In an order that a restart does not change.
        slots.sort_unstable_by_key(|&slot| self.groups[slot].id());
        for slot in slots {
            self.rekey(slot, cluster, workload, rules, now, print);
        }
    }

    /// All slots in use.
    fn slots(&self) -> impl Iterator<Item = u32> {
        let mut slots: Vec<u32> = self.absorbed.clone();
        for &head in &self.by_key {
            let mut slot = head;
            while slot != NONE {
                slots.push(slot);
                slot = self.groups[slot].next_segment;
            }
        }
        slots.sort_unstable();
        slots.into_iter()
    }
}

/// A uid that tells objects apart. Node events carry an empty uid, the node's name or its real uid, depending on the reporter.
fn usable_uid<'a>(kind: &str, name: &str, uid: &'a str) -> &'a str {
    if uid == name || kind.eq_ignore_ascii_case("Node") { "" } else { uid }
}

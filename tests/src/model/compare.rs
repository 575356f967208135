//! Where engine and oracle are held against each other.

use std::collections::BTreeMap;

use faro_core::GroupBy;
use faro_core::record::Summary;

use super::cluster::{Cluster, Input};
use super::fold::{Fold, Life};
use super::op::Op;
use super::oracle::{Expected, Key, Oracle};
use super::setup::{SECOND, Setup};
use super::system::System;

/// Runs `ops` through engine and oracle under the engine's default settings.
///
/// # Panics
///
/// At the first step where they disagree or an invariant breaks.
///
/// # Example
///
/// ```
/// use faro_tests::model::{Ago, More, Op, Slot, Span, Style, Subject, What, check};
///
/// let event = Slot { subject: Subject::Web, what: What::Sandbox, twin: false };
/// let report = |more| Op::Report { event, more, ago: Ago::Now, style: Style::Core };
/// check(&[report(More::One), Op::Wait { span: Span::Window }, report(More::Leap), Op::Restart, Op::Relist]);
/// ```
#[track_caller]
pub fn check(ops: &[Op]) {
    check_with(Setup::default(), ops);
}

/// Runs `ops` through engine and oracle under these settings.
///
/// # Panics
///
/// At the first step where they disagree or an invariant breaks.
#[track_caller]
pub fn check_with(setup: Setup, ops: &[Op]) {
    let mut comparison = Comparison::new(setup);
    ops.iter().for_each(|op| comparison.play(*op));
    comparison.finish();
}

/// Both sides of a run.
struct Comparison {
    setup: Setup,
    cluster: Cluster,
    oracle: Oracle,
    system: System,
    fold: Fold,
    read: usize,
    // The groups as they were when the list began that is open.
    before_list: Vec<Expected>,
}

impl Comparison {
    fn new(setup: Setup) -> Self {
        Self {
            setup,
            cluster: Cluster::new(setup),
            oracle: Oracle::new(setup),
            system: System::new(setup),
            fold: Fold::new(setup),
            read: 0,
            before_list: Vec::new(),
        }
    }

    fn play(&mut self, op: Op) {
        for (now, input) in self.cluster.play(op) {
            let was_listing = self.oracle.is_listing();
            self.system.settle(now);
            self.oracle.advance(now);
            if matches!(input, Input::Begin(_)) && !was_listing {
                self.before_list = self.oracle.groups();
            }
            self.system.feed(now, &input);
            self.oracle.take(now, &input);
            let quiet = self.oracle.is_listing() && !self.setup.is_tight();
            assert!(!quiet || self.new_lines() == 0, "a group is printed while a list is open");
            self.read_lines();
            if was_listing && !self.oracle.is_listing() {
                self.check_list_end();
            }
            self.system.settle(now);
            self.oracle.advance(now);
            self.read_lines();
            self.check_books(&self.system.stats());
        }
        if !self.oracle.is_listing() && !self.setup.is_tight() {
            self.check_groups();
        }
    }

    fn finish(mut self) {
        let now = self.cluster.now();
        let books = self.system.flush(now);
        self.oracle.take(now, &Input::Tick);
        self.oracle.flush();
        self.read_lines();
        assert_eq!(books, self.system.stats());
        self.check_books(&books);
        self.fold.check_merges();
        if self.setup.is_tight() {
            self.check_sums(&books);
            return;
        }
        for (group, life) in self.pairs() {
            assert_eq!(disagreement(&group, life), None, "in the end {group:?} is printed as {life:?}");
            let open = group.last + self.setup.window_nanos() >= now;
            assert_eq!(life.state != "close", open, "in the end {group:?} is printed as {life:?}");
        }
    }

    fn new_lines(&self) -> usize {
        self.system.printed()[self.read..].iter().filter(|printed| printed.record["record"] == "group").count()
    }

    fn read_lines(&mut self) {
        for printed in &self.system.printed()[self.read..] {
            self.fold.take(printed);
        }
        self.read = self.system.printed().len();
    }

    /// Occurrences in = closed + open + evicted + unproven, and all of them are what the oracle counted.
    fn check_books(&self, books: &Summary) {
        let (occurrences, groups, totals) = (&books.occurrences, &books.groups, self.oracle.totals());
        let placed = occurrences.closed + occurrences.open + occurrences.evicted + occurrences.unproven;
        assert_eq!(occurrences.total, placed, "the books do not balance: {occurrences:?}");
        assert_eq!(groups.total, groups.printed + groups.hidden, "the books do not balance: {groups:?}");
        assert!(groups.open <= self.setup.groups as u64, "more groups are open than the limit allows: {groups:?}");
        assert_eq!((books.records.event, books.records.object), (totals.events, totals.objects), "records by type");
        if self.setup.counters < 1_000 {
            let proven = occurrences.total - occurrences.unproven;
            assert!(proven <= totals.occurrences, "{proven} occurrences are grouped, {} happened", totals.occurrences);
            return;
        }
        assert_eq!((occurrences.total, occurrences.unproven), (totals.occurrences, 0), "occurrences in");
        assert_eq!((books.late, books.clamped), (totals.late, totals.clamped), "late and clamped reports");
        assert_eq!(books.records.repeated, totals.repeated, "repeated records");
    }

    /// Each group that the list changed was printed at its end.
    fn check_list_end(&mut self) {
        if self.setup.is_tight() {
            return;
        }
        let before = std::mem::take(&mut self.before_list);
        for (group, life) in self.pairs().iter().filter(|(group, _)| !before.contains(group)) {
            assert_eq!(disagreement(group, life), None, "after a list {group:?} is printed as {life:?}");
        }
    }

    /// What was printed is what is, or was printed less than an update interval ago.
    fn check_groups(&self) {
        let now = self.cluster.now();
        for (group, life) in self.pairs() {
            let Some(field) = disagreement(&group, life) else { continue };
            let recent = now - life.at < self.setup.update_interval * SECOND;
            assert!(recent && group.severity == life.severity && group.count >= life.count, "{field} of {group:?} is printed as {life:?}");
        }
    }

    /// Every group of the oracle and its last print; same key and start, in the order of their lives.
    fn pairs(&self) -> Vec<(Expected, &Life)> {
        let mut printed: BTreeMap<(Key, i64), Vec<&Life>> = BTreeMap::new();
        for life in self.fold.groups() {
            printed.entry((life.key.clone(), life.first)).or_default().push(life);
        }
        let groups = self.oracle.groups();
        let mut pairs = Vec::new();
        for group in groups {
            let lives = printed.get_mut(&(group.key.clone(), group.first)).filter(|lives| !lives.is_empty());
            let Some(lives) = lives else { panic!("{group:?} is not printed") };
            pairs.push((group, lives.remove(0)));
        }
        let left: Vec<&Life> = printed.into_values().flatten().collect();
        assert!(left.is_empty(), "{left:?} should not be there");
        pairs
    }

    /// Under limits groups end early, but what was printed still adds up.
    fn check_sums(&self, books: &Summary) {
        let grouped: u64 = self.fold.groups().map(|life| life.count).sum();
        assert_eq!(grouped, books.occurrences.total - books.occurrences.unproven, "the printed counts do not add up");
        let evicted: u64 = self.fold.groups().filter(|life| life.evicted).map(|life| life.count).sum();
        assert_eq!(evicted, books.occurrences.evicted, "the printed counts of evicted groups do not add up");
        let ended = self.fold.groups().filter(|life| life.evicted).count();
        assert_eq!(ended as u64, books.groups.evicted, "evicted groups");
        if self.setup.counters < 1_000 || self.setup.group_by == GroupBy::Workload {
            return;
        }
        let mut sums: BTreeMap<Key, (u64, u64)> = BTreeMap::new();
        for group in self.oracle.groups() {
            sums.entry(group.key).or_default().0 += group.count;
        }
        for life in self.fold.groups() {
            sums.entry(life.key.clone()).or_default().1 += life.count;
        }
        for (key, (want, got)) in sums {
            assert_eq!(got, want, "the printed counts of {key:?} do not add up");
        }
    }
}

/// The first field in which a print differs from what it should be.
fn disagreement(group: &Expected, life: &Life) -> Option<&'static str> {
    let figures = [
        ("lastSeen", life.last == group.last),
        ("count", life.count == group.count),
        ("severity", life.severity == group.severity),
        ("events", life.events == group.events as u64),
        ("messages", life.messages == group.messages as u64),
        ("message", group.latest.contains(&life.message)),
    ];
    figures.into_iter().find(|(_, agrees)| !agrees).map(|(field, _)| field)
}

//! What is new: the second stage turns cumulative counts into occurrences.

use crate::deadlines::{Deadlines, Owners};
use crate::hash::{self, Fingerprint};
use crate::report::Report;
use crate::slots::Slots;
use crate::time::Nanos;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;

/// Identifies a reporter's counter: cluster, Event namespace, Event name and the Event's first time.
///
/// Not the Event's uid: when an Event has expired, client-go's recorder creates it anew with the same name and first time and the
/// next count (`recordToSink` in `k8s.io/client-go/tools/record/event.go`).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct CounterKey(u128);

impl CounterKey {
    /// Returns a short form, for counting distinct Event objects.
    pub(crate) const fn short(self) -> u64 {
        hash::low(self.0)
    }
}

/// What a report says that was not known before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum News {
    /// `count` occurrences in one unbroken span from the Event's first to its last time.
    FirstSight {
        /// How many.
        count: u32,
        /// The first occurrence.
        from: Nanos,
        /// The last occurrence.
        to: Nanos,
    },
    /// `count` occurrences, evenly spaced, after `after` and up to `to`.
    More {
        /// How many.
        count: u32,
        /// The last occurrence that was known before.
        after: Nanos,
        /// The last occurrence.
        to: Nanos,
    },
    /// Nothing: a repeat of what is known, or a stale copy.
    Nothing,
    /// `count` occurrences that cannot be told from old ones, because the counter may have been forgotten.
    Unproven {
        /// How many.
        count: u32,
    },
}

impl News {
    /// How many occurrences are new, unproven ones not counted.
    #[must_use]
    pub const fn count(self) -> u32 {
        match self {
            Self::FirstSight { count, .. } | Self::More { count, .. } => count,
            Self::Nothing | Self::Unproven { .. } => 0,
        }
    }
}

/// Remembers the last count of each counter.
///
/// Reporters patch one object over and over, so its count includes everything reported before, and a relist repeats objects
/// unchanged: only the difference is news. 1, 2, 5, 566 are 566 occurrences.
///
/// - A count whose `lastSeen` is earlier than the known one is stale. So is one of the same moment that is not higher; a higher one
///   is news even then, for `lastTimestamp` has whole seconds and a recorder may write twice within one.
/// - A lower count with a later `lastSeen` is a counter that restarted.
/// - Forgetting a counter raises a mark to its `lastSeen`; an unknown counter that may have begun before the mark is unproven,
///   and so is what is added to a copy from before it.
///
/// # Memory
///
/// At most `limit` counters of 32 bytes, about 50 with their indexes. Beyond it the least recently seen one is forgotten.
///
/// # Example
///
/// ```
/// use faro_core::input::{self, Body};
/// use faro_core::{Nanos, Occurrences, Report};
/// use std::num::NonZeroUsize;
///
/// let mut occurrences = Occurrences::new(NonZeroUsize::MAX);
/// let mut total = 0;
/// for (count, second) in [(1, 10), (2, 11), (5, 20), (566, 50)] {
///     let json = format!(r#"{{"kind":"Event","metadata":{{"name":"web-1.17a","namespace":"shop"}},"count":{count},
///         "firstTimestamp":"2025-09-12T21:54:10Z","lastTimestamp":"2025-09-12T21:54:{second}Z"}}"#);
///     let item = input::read(&json)?;
///     let Body::Event(event) = item.body else { unreachable!() };
///     let report = Report::new(event, item.change, Nanos::MAX);
///     let key = occurrences.key("", &report);
///     total += occurrences.observe(key, &report).count();
/// }
/// assert_eq!(total, 566);
/// # Ok::<(), input::Malformed>(())
/// ```
#[derive(Debug)]
pub struct Occurrences {
    limit: NonZeroUsize,
    counters: Slots<Counter>,
    by_key: HashTable<u32>,
    // By last time seen, from the first time that the limit is reached; before that nothing needs it.
    ages: Option<Deadlines>,
    mark: Option<Nanos>,
    scratch: Fingerprint,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Counter {
    key: [u64; 2],
    last_seen: Nanos,
    count: u32,
}

const fn halves(key: CounterKey) -> [u64; 2] {
    [hash::low(key.0), hash::low(key.0 >> 64)]
}

/// By age: least recently seen first.
impl Owners for Slots<Counter> {
    fn due(&self, slot: u32) -> Option<Nanos> {
        Some(self[slot].last_seen)
    }

    fn tie(&self, slot: u32) -> u64 {
        self[slot].key[1]
    }
}

impl Occurrences {
    /// Makes the stage with room for `limit` counters.
    #[must_use]
    pub fn new(limit: NonZeroUsize) -> Self {
        Self { limit, counters: Slots::new(), by_key: HashTable::new(), ages: None, mark: None, scratch: Fingerprint::default() }
    }

    /// Returns the counter that a report speaks of.
    pub fn key(&mut self, cluster: &str, report: &Report<'_>) -> CounterKey {
        let born = report.born().map_or(0, |time| time.0.cast_unsigned());
        CounterKey(self.scratch.start().text(cluster).text(report.namespace()).text(report.name()).number(born).finish_wide())
    }

    /// Reads what the counters of these keys hold, so that it is on its way from memory when they are asked. Changes nothing.
    pub fn look_ahead(&self, keys: impl Iterator<Item = CounterKey>) {
        for key in keys {
            let wide = halves(key);
            std::hint::black_box(self.by_key.find(wide[0], |&slot| self.counters[slot].key == wide));
        }
    }

    /// Returns what is new, and remembers it.
    pub fn observe(&mut self, key: CounterKey, report: &Report<'_>) -> News {
        let wide = halves(key);
        let counters = &mut self.counters;
        if let Some(&slot) = self.by_key.find(wide[0], |&slot| counters[slot].key == wide) {
            let base = counters[slot].last_seen;
            let news = counters[slot].observe(report);
            // Only a copy that came after its counter was forgotten lies before the mark: nobody knows what was counted since.
            let shaky = self.mark.is_some_and(|mark| base < mark);
            return if shaky && news.count() > 0 { News::Unproven { count: news.count() } } else { news };
        }
        let Report { count, first_seen, last_seen, .. } = *report;
        let proven = self.mark.is_none_or(|mark| report.born().is_some() && first_seen > mark);
        self.insert(Counter { key: wide, last_seen, count });
        if proven { News::FirstSight { count, from: first_seen, to: last_seen } } else { News::Unproven { count } }
    }

    fn insert(&mut self, counter: Counter) {
        if self.counters.len() >= self.limit.get() {
            self.forget_least_recent();
        }
        let slot = self.counters.insert(counter);
        let counters = &self.counters;
        self.by_key.insert_unique(counter.key[0], slot, |&slot| counters[slot].key[0]);
        if let Some(ages) = &mut self.ages {
            ages.push(slot, &self.counters);
        }
    }

    fn forget_least_recent(&mut self) {
        let counters = &self.counters;
        let ages = self.ages.get_or_insert_with(|| {
            let mut ages = Deadlines::default();
            self.by_key.iter().for_each(|&slot| ages.push(slot, counters));
            ages
        });
        let Some(((last_seen, _), slot)) = ages.first(counters) else { return };
        ages.remove(slot);
        let counter = self.counters.remove(slot);
        if let Ok(entry) = self.by_key.find_entry(counter.key[0], |&other| other == slot) {
            entry.remove();
        }
        self.mark = self.mark.max(Some(last_seen));
    }

    /// How many counters are remembered.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.counters.len()
    }

    /// Tells whether no counter is remembered.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns everything that is remembered, for [`Occurrences::restore`].
    pub(crate) fn snapshot(&self) -> OccurrencesSnapshot {
        let mut counters: Vec<Counter> = self.by_key.iter().map(|&slot| self.counters[slot]).collect();
        counters.sort_unstable_by_key(|counter| (counter.last_seen, counter.key[1]));
        OccurrencesSnapshot { mark: self.mark, counters }
    }

    pub(crate) fn restore(limit: NonZeroUsize, snapshot: OccurrencesSnapshot) -> Self {
        let mut restored = Self::new(limit);
        restored.mark = snapshot.mark;
        snapshot.counters.into_iter().for_each(|counter| restored.insert(counter));
        restored
    }
}

/// What [`Occurrences`] remembers.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct OccurrencesSnapshot {
    mark: Option<Nanos>,
    counters: Vec<Counter>,
}

impl Counter {
    fn observe(&mut self, report: &Report<'_>) -> News {
        let (after, known) = (self.last_seen, self.count);
        let (to, count) = (report.last_seen, report.count);
        if to < after || (to == after && count <= known) {
            return News::Nothing;
        }
        self.last_seen = to;
        self.count = count;
        match count.checked_sub(known) {
            Some(0) => News::Nothing,
            Some(more) => News::More { count: more, after, to },
            None => News::More { count, after, to },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{self, Body};

    #[test]
    fn cumulative_counts_are_not_summed() {
        check(100, &[("a", 0, 1, 1, 1), ("a", 0, 2, 2, 1), ("a", 0, 5, 5, 3), ("a", 0, 9, 566, 561)]);
    }

    #[test]
    fn relist_adds_nothing() {
        check(100, &[("a", 0, 9, 566, 566), ("a", 0, 9, 566, 0), ("a", 0, 9, 566, 0)]);
    }

    #[test]
    fn stale_copy_adds_nothing() {
        check(100, &[("a", 0, 9, 5, 5), ("a", 0, 3, 2, 0), ("a", 0, 3, 700, 0), ("a", 0, 10, 6, 1)]);
    }

    #[test]
    fn two_writes_within_a_second_both_count() {
        check(100, &[("a", 0, 9, 1, 1), ("a", 0, 9, 2, 1), ("a", 0, 9, 1, 0)]);
    }

    #[test]
    fn lower_count_later_is_a_restarted_counter() {
        check(100, &[("a", 0, 9, 566, 566), ("a", 0, 20, 3, 3)]);
    }

    #[test]
    fn same_name_of_another_first_time_is_another_counter() {
        check(100, &[("a", 0, 9, 4, 4), ("a", 8, 9, 4, 4)]);
    }

    #[test]
    fn forgotten_counters_make_old_events_unproven() {
        check(
            2,
            &[
                ("a", 0, 10, 4, 4),
                ("b", 0, 20, 4, 4),
                ("c", 0, 30, 4, 4),
                ("a", 0, 10, 4, -4),
                ("a", 0, 40, 6, -2),
                ("b", 0, 41, 5, -5),
                ("d", 42, 43, 2, 2),
            ],
        );
    }

    #[test]
    fn restored_stage_goes_on() {
        let mut stage = Occurrences::new(NonZeroUsize::MIN);
        observe(&mut stage, "a", 0, 10, 4);
        observe(&mut stage, "b", 0, 20, 4);
        let mut restored = Occurrences::restore(NonZeroUsize::MIN, stage.snapshot());
        for (name, last, count) in [("b", 20, 4), ("a", 9, 1), ("c", 25, 2)] {
            assert_eq!(observe(&mut restored, name, 0, last, count), observe(&mut stage, name, 0, last, count));
        }
    }

    /// Each step: name, first time, last time, count, and how many are new (negative: unproven).
    #[track_caller]
    fn check(limit: usize, steps: &[(&str, u32, u32, u32, i64)]) {
        let mut stage = Occurrences::new(NonZeroUsize::new(limit).unwrap());
        for &(name, first, last, count, want) in steps {
            let got = match observe(&mut stage, name, first, last, count) {
                News::Unproven { count } => -i64::from(count),
                news @ (News::FirstSight { .. } | News::More { .. } | News::Nothing) => i64::from(news.count()),
            };
            assert_eq!(got, want, "{name} {count} at {last}");
        }
    }

    fn observe(stage: &mut Occurrences, name: &str, first: u32, last: u32, count: u32) -> News {
        let json = format!(
            r#"{{"kind":"Event","metadata":{{"name":"{name}"}},"count":{count},"firstTimestamp":"2025-09-12T21:00:{first:02}Z","lastTimestamp":"2025-09-12T21:00:{last:02}Z"}}"#
        );
        let item = input::read(&json).unwrap();
        let Body::Event(event) = item.body else { panic!("an event") };
        let report = Report::new(event, item.change, Nanos::MAX);
        let key = stage.key("", &report);
        stage.observe(key, &report)
    }
}

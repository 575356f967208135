//! Which occurrences happened when, for rules that ask how many there were within a span.

use crate::time::Nanos;
use serde::{Deserialize, Serialize};

/// How many spans are remembered; of more, the latest.
const LIMIT: usize = 256;

/// The occurrences of a group as evenly filled spans. Kept only for groups under a rule with `within`, and only until that has
/// escalated.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Timeline {
    // Ascending.
    spans: Vec<Span>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
struct Span {
    to: Nanos,
    from: Nanos,
    count: u64,
}

impl Span {
    /// How many of the span's occurrences lie in `from..=to`; the first is at the span's start and the last at its end.
    fn within(self, from: Nanos, to: Nanos) -> u64 {
        if from > self.to || to < self.from {
            return 0;
        }
        let length = i128::from(self.to.0) - i128::from(self.from.0);
        let steps = i128::from(self.count) - 1;
        if steps == 0 || length == 0 {
            // A single occurrence is one at its end.
            return if length == 0 || self.to <= to { self.count } else { 0 };
        }
        let first = ((i128::from(from.0) - i128::from(self.from.0)).max(0) * steps + length - 1) / length;
        let last = (i128::from(to.0.min(self.to.0)) - i128::from(self.from.0)) * steps / length;
        u64::try_from(last - first + 1).unwrap_or(0)
    }
}

impl Timeline {
    pub(super) fn insert(&mut self, from: Nanos, to: Nanos, count: u64) {
        let span = Span { to, from, count };
        let place = self.spans.partition_point(|known| *known < span);
        self.spans.insert(place, span);
        if self.spans.len() > LIMIT {
            self.spans.remove(0);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        other.spans.iter().for_each(|span| self.insert(span.from, span.to, span.count));
    }

    /// Tells whether `count` occurrences lie within a stretch of `span` nanoseconds.
    pub(super) fn reaches(&self, count: u64, span: Nanos) -> bool {
        let held = |from: Nanos, to: Nanos| self.spans.iter().map(|known| known.within(from, to)).sum::<u64>() >= count;
        self.spans.iter().any(|known| held(known.to.minus(span.0), known.to) || held(known.from, known.from.plus(span.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SECOND;

    #[test]
    fn counts_within_a_stretch() {
        check(&[(0, 0, 5), (100, 100, 5)], 10, 100, true);
        check(&[(0, 0, 5), (100, 100, 5)], 10, 99, false);
        check(&[(0, 900, 10)], 4, 300, true);
        check(&[(0, 900, 10)], 5, 300, false);
        check(&[(0, 100, 1)], 1, 1, true);
        check(&[(50, 50, 3), (0, 0, 3), (80, 80, 4)], 7, 30, true);
    }

    #[track_caller]
    fn check(spans: &[(i64, i64, u64)], count: u64, within: i64, want: bool) {
        let mut timeline = Timeline::default();
        for &(from, to, count) in spans {
            timeline.insert(Nanos(from * SECOND), Nanos(to * SECOND), count);
        }
        assert_eq!(timeline.reaches(count, Nanos(within * SECOND)), want);
    }
}

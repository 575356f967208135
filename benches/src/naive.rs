//! What one writes first: a `HashMap` with a formatted key.

use faro_core::{Report, Severity};
use std::collections::HashMap;

/// What the naive version remembers of a group.
#[derive(Clone, Debug, Default)]
pub struct NaiveGroup {
    /// Occurrences.
    pub count: u64,
    /// The earliest occurrence, in nanoseconds since the epoch.
    pub first: i64,
    /// The latest occurrence, in nanoseconds since the epoch.
    pub last: i64,
    /// The worst severity.
    pub severity: Severity,
    /// The latest message.
    pub message: String,
}

/// Groups by a formatted key; without deadlines, eviction, distinct counts or anything that prints.
#[derive(Debug, Default)]
pub struct Naive {
    groups: HashMap<String, NaiveGroup>,
}

impl Naive {
    /// Adds occurrences.
    pub fn observe(&mut self, report: &Report<'_>, count: u32, severity: Severity) {
        let involved = report.involved();
        let key = format!(
            "{}/{}/{}/{}/{}/{}",
            involved.kind(),
            involved.namespace(),
            involved.name(),
            involved.uid(),
            report.type_(),
            report.reason()
        );
        let group = self.groups.entry(key).or_insert_with(|| NaiveGroup { first: report.first_seen.0, ..NaiveGroup::default() });
        group.count += u64::from(count);
        group.last = group.last.max(report.last_seen.0);
        group.severity = group.severity.max(severity);
        group.message.clear();
        group.message.push_str(report.message());
    }

    /// All occurrences.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.groups.values().map(|group| group.count).sum()
    }

    /// How many groups there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Tells whether there is no group.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

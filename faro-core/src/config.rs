//! How an engine is set up.

use crate::filter::Filter;
use crate::groups::{GroupBy, GroupsConfig};
use crate::severity::Rules;
use crate::time::Nanos;
use std::num::NonZeroUsize;

/// Which record types are made. What is not chosen costs nothing and is not printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Emit {
    /// Lifecycle records.
    pub object: bool,
    /// Operational events.
    pub event: bool,
    /// Groups.
    pub group: bool,
    /// Incidents; without them neither topology nor causes are kept.
    pub incident: bool,
    /// Gaps.
    pub gap: bool,
    /// Ends of initial states.
    pub sync: bool,
}

impl Emit {
    /// Every type.
    pub const ALL: Self = Self { object: true, event: true, group: true, incident: true, gap: true, sync: true };
}

impl Default for Emit {
    /// Groups and gaps.
    fn default() -> Self {
        Self { object: false, event: false, group: true, incident: false, gap: true, sync: false }
    }
}

/// How many things each map may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Counters of Events; 4,000,000.
    pub counters: NonZeroUsize,
    /// Event objects whose last version is known; 4,000,000.
    pub events: NonZeroUsize,
    /// Other objects whose last version and content are known; 1,000,000.
    pub objects: NonZeroUsize,
    /// Objects whose controller is known; 1,000,000.
    pub owners: NonZeroUsize,
    /// Objects of the topology; 2,000,000.
    pub topology: NonZeroUsize,
    /// Objects about which reports are kept for the incidents; 500,000.
    pub reported: NonZeroUsize,
}

impl Default for Limits {
    fn default() -> Self {
        let million = NonZeroUsize::MIN.saturating_add(999_999);
        let two = million.saturating_mul(NonZeroUsize::MIN.saturating_add(1));
        let half = NonZeroUsize::MIN.saturating_add(499_999);
        let four = million.saturating_mul(NonZeroUsize::MIN.saturating_add(3));
        Self { counters: four, events: four, objects: million, owners: million, topology: two, reported: half }
    }
}

/// How an engine is set up. Every value has a default.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    pub(crate) groups: GroupsConfig,
    pub(crate) limits: Limits,
    pub(crate) emit: Emit,
    pub(crate) filter: Filter,
    pub(crate) rules: Rules,
    pub(crate) cluster: String,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            groups: GroupsConfig::default(),
            limits: Limits::default(),
            emit: Emit::default(),
            filter: Filter::default(),
            rules: Rules::builtin(),
            cluster: String::new(),
        }
    }
}

impl EngineConfig {
    /// Sets the longest silence within a group; 5 minutes.
    #[must_use]
    pub const fn window(mut self, window: Nanos) -> Self {
        self.groups.window = window;
        self
    }

    /// Sets how long a closed group waits for late occurrences, and when an occurrence counts as late; 10 minutes.
    #[must_use]
    pub const fn lateness(mut self, lateness: Nanos) -> Self {
        self.groups.lateness = lateness;
        self
    }

    /// Sets the shortest time between two prints of a group that only grew; 30 seconds.
    #[must_use]
    pub const fn update_interval(mut self, interval: Nanos) -> Self {
        self.groups.update_interval = interval;
        self
    }

    /// Sets what makes events similar; the object.
    #[must_use]
    pub const fn group_by(mut self, group_by: GroupBy) -> Self {
        self.groups.group_by = group_by;
        self
    }

    /// Sets how many groups are kept, closed ones included; 1,000,000.
    #[must_use]
    pub const fn group_limit(mut self, limit: NonZeroUsize) -> Self {
        self.groups.limit = limit;
        self
    }

    /// Sets how many things each other map may hold.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets which record types are made; groups and gaps.
    #[must_use]
    pub const fn emit(mut self, emit: Emit) -> Self {
        self.emit = emit;
        self
    }

    /// Sets which records are printed; all.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    /// Sets the severity rules; the catalogue.
    #[must_use]
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Sets the cluster's name for records that carry none.
    #[must_use]
    pub fn cluster(mut self, cluster: impl Into<String>) -> Self {
        self.cluster = cluster.into();
        self
    }
}

//! The settings that a model run is made under.

use std::num::NonZeroUsize;

use faro_core::{Emit, EngineConfig, GroupBy, Limits, Nanos};

/// One second in nanoseconds.
pub(super) const SECOND: i64 = 1_000_000_000;

/// The settings of a run, as both sides need them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Setup {
    /// The longest silence within a group, in seconds.
    pub window: i64,
    /// How long closed groups are kept, in seconds.
    pub lateness: i64,
    /// The shortest time between two prints of a group that only grew, in seconds.
    pub update_interval: i64,
    /// What makes events similar.
    pub group_by: GroupBy,
    /// Whether `event` records are made, so that repeats of a known version are recognised as such.
    pub events: bool,
    /// How many groups are kept.
    pub groups: usize,
    /// How many counters are kept.
    pub counters: usize,
}

impl Default for Setup {
    /// The engine's own defaults.
    fn default() -> Self {
        Self {
            window: 300,
            lateness: 600,
            update_interval: 30,
            group_by: GroupBy::Object,
            events: false,
            groups: 1_000_000,
            counters: 1_000_000,
        }
    }
}

impl Setup {
    /// The window in nanoseconds.
    pub(super) const fn window_nanos(&self) -> i64 {
        self.window * SECOND
    }

    /// Whether some limit is so small that groups or counters are given up.
    pub(super) const fn is_tight(&self) -> bool {
        self.groups < 1_000 || self.counters < 1_000
    }

    /// The engine's configuration.
    #[must_use]
    pub fn config(&self) -> EngineConfig {
        let limit = |limit| NonZeroUsize::new(limit).unwrap_or(NonZeroUsize::MIN);
        EngineConfig::default()
            .window(Nanos(self.window_nanos()))
            .lateness(Nanos(self.lateness * SECOND))
            .update_interval(Nanos(self.update_interval * SECOND))
            .group_by(self.group_by)
            .group_limit(limit(self.groups))
            .limits(Limits { counters: limit(self.counters), ..Limits::default() })
            .emit(Emit { event: self.events, ..Emit::default() })
    }
}

//! "The Cilium night": the sample recording of a cluster in which, from one minute to the next, no new pod can start on half of
//! the nodes.
//!
//! An upgrade of Cilium comes with a configuration value that the new agent refuses. The agents of three nodes crash, the
//! rollout stops there, and every pod that is scheduled to these nodes later fails to get a sandbox, until the recording ends
//! with the outage still open. Around it is what every night has: a CronJob, rollouts, autoscaling, two unrelated crash loops,
//! an image that does not exist, a pod that fits no node, failing probes, a node under disk pressure, Events that expire.
//!
//! The recording is NDJSON of watch envelopes, `{"type", "receivedAt", "object"}`, with the control lines of the first lists,
//! `{"control", "gvr", "receivedAt"}`. Events of the namespace `media` come through events.k8s.io/v1, all others through
//! core/v1, as from two watches. All names are made up; the same seed gives the same bytes.

mod api;
mod cluster;
mod controllers;
pub(crate) mod dice;
mod inventory;
mod jobs;
mod kubelet;
mod manifests;
mod night;
mod rollout;
mod story;

use std::collections::BTreeSet;
use std::io;

use chrono::{DateTime, Utc};

/// The seed of the sample recording.
pub const DEFAULT_SEED: u64 = 566;

/// What the recording holds, counted while it is made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Truth {
    /// Occurrences of `FailedCreatePodSandBox`; 566 whatever the seed.
    pub sandbox_failures: u64,
    /// The pods that could not start; 23 whatever the seed.
    pub blocked_pods: usize,
    /// The workloads that these pods belong to; 9 whatever the seed.
    pub blocked_workloads: usize,
    /// The nodes on which the Cilium agent is down; 3 whatever the seed.
    pub nodes: usize,
    /// Occurrences of all Events, those that the first lists show included.
    pub occurrences: u64,
    /// The counters behind them: Events by namespace, name and first time.
    pub counters: usize,
    /// The lines, control lines included.
    pub lines: usize,
    /// When the first lists began.
    pub start: DateTime<Utc>,
    /// The moment that "still open" refers to; no line is observed more than 100 milliseconds later.
    pub end: DateTime<Utc>,
}

/// Writes the recording.
///
/// # Errors
///
/// Fails when `out` does.
///
/// # Example
///
/// ```
/// use faro_tests::cilium_night::{DEFAULT_SEED, write};
///
/// let mut recording = Vec::new();
/// write(&mut recording, DEFAULT_SEED)?;
/// assert!(recording.starts_with(br#"{"control":"listBegin","gvr":"v1/nodes""#));
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write(out: &mut impl io::Write, seed: u64) -> io::Result<()> {
    out.write_all(&story::play(seed).api.lines)
}

/// Returns what the recording of this seed holds.
pub fn truth(seed: u64) -> Truth {
    let night = story::play(seed);
    let nodes: BTreeSet<&str> = night.blocked.values().map(|(node, _)| *node).collect();
    let workloads: BTreeSet<&str> = night.blocked.values().map(|(_, workload)| workload.as_str()).collect();
    Truth {
        sandbox_failures: night.sandbox_failures.into(),
        blocked_pods: night.blocked.len(),
        blocked_workloads: workloads.len(),
        nodes: nodes.len(),
        occurrences: night.counts.values().copied().map(u64::from).sum(),
        counters: night.counts.len(),
        lines: night.api.lines.iter().filter(|byte| **byte == b'\n').count(),
        start: story::START,
        end: story::END,
    }
}

#[cfg(test)]
mod tests;

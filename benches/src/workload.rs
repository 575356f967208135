//! A steady state: a number of live groups, each hit every few minutes, in random order.

use faro_core::input::{self, Body};
use faro_core::severity::{Rules, Verdict};
use faro_core::{CounterKey, Nanos, News, Occurrences, Report};
use std::time::Duration;

/// When the workload begins.
const START: i64 = 1_757_714_051_000_000_000;

/// Of so many hits one is of a group that was never seen, so that a full map has to evict.
const NEWCOMER: u64 = 1024;

/// A record in hand: normalised, counted and judged.
#[derive(Debug)]
pub struct Hit<'a> {
    /// The report.
    pub report: Report<'a>,
    /// Its counter.
    pub counter: CounterKey,
    /// What is new.
    pub news: News,
    /// How bad it is.
    pub verdict: Verdict,
    /// The moment.
    pub now: Nanos,
}

/// A record before it is in hand.
#[derive(Debug)]
pub struct Raw {
    json: String,
    at: Nanos,
    first: bool,
}

/// Makes hits for a number of groups.
#[derive(Debug)]
pub struct Workload {
    groups: u64,
    period: i64,
    rules: Rules,
    counters: Occurrences,
    state: u64,
    hits: u64,
    newcomers: u64,
}

impl Workload {
    /// Makes the workload of so many groups, each of which is hit once a period. One below five minutes keeps all of them live; with
    /// one above the update interval of 30 seconds each hit prints its group.
    #[must_use]
    pub fn new(groups: u64, period: Duration) -> Self {
        let counters = Occurrences::new(std::num::NonZeroUsize::MIN);
        let period = i64::try_from(period.as_nanos()).unwrap_or(i64::MAX);
        Self { groups, period, rules: Rules::builtin(), counters, state: 0x5eed, hits: 0, newcomers: 0 }
    }

    /// The rules that judge.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The hit with which group number `index` opens, still as text.
    pub fn opening(&mut self, index: u64) -> Raw {
        let at = Nanos(START - self.period + self.offset(index));
        Raw { json: self.json(index, at), at, first: true }
    }

    /// The next hit, still as text: of a random known group, or now and then of a new one.
    pub fn next_hit(&mut self) -> Raw {
        self.hits += 1;
        let at = Nanos(START + self.offset(self.hits));
        if self.hits.is_multiple_of(NEWCOMER) {
            self.newcomers += 1;
            return Raw { json: self.json(self.groups + self.newcomers, at), at, first: true };
        }
        // A random walk over all groups: consecutive numbers of a permutation, so that each is hit once a period.
        let index = permute(self.hits, self.groups);
        Raw { json: self.json(index, at), at, first: false }
    }

    /// How long after the beginning of a round hit number `index` comes.
    fn offset(&self, index: u64) -> i64 {
        i64::try_from(i128::from(index) * i128::from(self.period) / i128::from(self.groups)).unwrap_or(0)
    }

    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// Puts a record in hand.
    pub fn in_hand<'a>(&mut self, raw: &'a Raw) -> Hit<'a> {
        let at = raw.at;
        let Ok(item) = input::read(&raw.json) else { unreachable!("the workload writes JSON") };
        let Body::Event(event) = item.body else { unreachable!("the workload writes Events") };
        let report = Report::new(event, item.change, at);
        let counter = self.counters.key("prod", &report);
        let verdict = self.rules.judge(&report);
        let news = if raw.first {
            News::FirstSight { count: 1, from: at, to: at }
        } else {
            News::More { count: 1, after: at.minus(self.period / 2), to: at }
        };
        Hit { report, counter, news, verdict, now: at }
    }

    /// One of six kinds of trouble of one pod; of a sandbox failure each message names another sandbox.
    fn json(&mut self, index: u64, at: Nanos) -> String {
        let pod = index / 2;
        let id = mix(pod);
        let (namespace, app) = (pod % 997, pod / 3 % 4_999);
        let name = format!("checkout-service-{app}-{:08x}-{:05x}", id >> 32, id & 0xf_ffff);
        let uid = format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            id >> 32,
            id >> 16 & 0xffff,
            id >> 4 & 0xfff,
            id & 0xfff,
            id >> 8 & 0xffff_ffff_ffff
        );
        let (reason, kind, message) = match index % 8 {
            0 | 4 => ("BackOff", "Warning", format!("Back-off restarting failed container app in pod {name}_team-{namespace}({uid})")),
            1 | 5 => ("Unhealthy", "Warning", "Readiness probe failed: HTTP probe failed with statuscode: 503".to_owned()),
            2 => ("FailedScheduling", "Warning", "0/214 nodes are available: 3 Insufficient cpu, 211 node(s) didn't match Pod's node affinity/selector. preemption: 0/214 nodes are available: 3 No preemption victims found for incoming pod.".to_owned()),
            3 => ("FailedMount", "Warning", "MountVolume.SetUp failed for volume \\\"config\\\" : configmap \\\"checkout-settings\\\" not found".to_owned()),
            6 => ("Pulled", "Normal", format!("Container image \\\"registry.example.com/shop/checkout:{app}\\\" already present on machine")),
            _ => {
                let sandbox = [self.random(), self.random(), self.random(), self.random()];
                let sandbox: String = sandbox.iter().map(|part| format!("{part:016x}")).collect();
                ("FailedCreatePodSandBox", "Warning", format!("Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox \\\"{sandbox}\\\": plugin type=\\\"cilium-cni\\\" failed (add): unable to connect to Cilium agent"))
            }
        };
        format!(
            r#"{{"apiVersion":"v1","kind":"Event","metadata":{{"name":"{name}.{:016x}","namespace":"team-{namespace}"}},"involvedObject":{{"kind":"Pod","namespace":"team-{namespace}","name":"{name}","uid":"{uid}","apiVersion":"v1"}},"reason":"{reason}","type":"{kind}","message":"{message}","source":{{"component":"kubelet","host":"node-{}"}},"firstTimestamp":"2025-09-12T21:50:11Z","lastTimestamp":"{at}","count":1}}"#,
            mix(index),
            pod % 211,
        )
    }
}

const fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The place of `index` in a fixed random order of `0..size`, the same in every round.
fn permute(index: u64, size: u64) -> u64 {
    // A Feistel network over the next power of four, walked until the value is in range.
    let bits = (u64::BITS - size.max(2).leading_zeros()).div_ceil(2);
    let mask = (1 << bits) - 1;
    let mut value = index % size;
    loop {
        let (mut left, mut right) = (value >> bits, value & mask);
        for round in 0..4 {
            (left, right) = (right, left ^ (mix(right + (round << 40) + 1) & mask));
        }
        value = left << bits | right;
        if value < size {
            return value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_is_hit_once_a_round() {
        let mut seen: Vec<u64> = (0..1000).map(|index| permute(index, 1000)).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..1000).collect::<Vec<u64>>());
    }
}

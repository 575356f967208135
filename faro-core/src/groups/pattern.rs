//! How the occurrences of a group are spread over time and objects.
//!
//! Every judgement is a function of figures that do not depend on the order of arrival.

use super::group::{Group, RECENT};
use crate::record::Pattern;
use crate::time::SECOND;

/// A burst has at least this many occurrences.
const BURST_COUNT: u64 = 10;
/// A burst is over within a minute.
const BURST_SPAN: i64 = 60 * SECOND;
/// A period takes at least this many moments to be seen.
const PERIODIC_MOMENTS: usize = 4;
/// A period is at least this long: below it, recorders' own batching looks periodic.
const PERIODIC_SECONDS: u32 = 10;
/// How far a distance may be from the period, as a share of it: one in this many.
const PERIODIC_TOLERANCE: u32 = 8;
/// Steady is what has at least this many occurrences over [`STEADY_SPAN`].
const STEADY_COUNT: u64 = 10;
/// Steady is what goes on for ten minutes.
const STEADY_SPAN: i64 = 600 * SECOND;
/// A failure that spreads has hit this many objects.
const SPREADING_OBJECTS: usize = 5;
/// And it took at least this long from the first object to the last, so that it moved.
const SPREADING_SECONDS: u32 = 60;
/// A state that flaps was entered and left this often.
const FLAPPING_TURNS: u64 = 3;

/// Judges a group; `opposite` is the group of the reason that ends this state, about the same object.
pub(super) fn judge(group: &Group, opposite: Option<&Group>) -> (Option<Pattern>, Option<f64>) {
    if opposite.is_some_and(|opposite| flaps(group, opposite)) {
        return (Some(Pattern::Flapping), None);
    }
    if spreads(group) {
        return (Some(Pattern::Spreading), None);
    }
    let span = group.last.since(group.first);
    if group.count >= BURST_COUNT && span <= BURST_SPAN {
        return (Some(Pattern::Burst), None);
    }
    if let Some(period) = period(group) {
        return (Some(Pattern::Periodic), Some(period));
    }
    let steady = group.count >= STEADY_COUNT && span >= STEADY_SPAN;
    (steady.then_some(Pattern::Steady), None)
}

/// Components report a change of state when it happens, so two opposite states that lie in one another's span and were entered
/// equally often have taken turns.
fn flaps(group: &Group, opposite: &Group) -> bool {
    let overlap = group.first <= opposite.last && opposite.first <= group.last;
    overlap && group.count.min(opposite.count) >= FLAPPING_TURNS && group.count.abs_diff(opposite.count) <= 1
}

fn spreads(group: &Group) -> bool {
    let Some(extra) = &group.extra else { return false };
    let seconds = extra.arrivals.iter().map(|&(second, _)| second);
    let (Some(earliest), Some(latest)) = (seconds.clone().min(), seconds.max()) else { return false };
    extra.arrivals.len() >= SPREADING_OBJECTS && latest - earliest >= SPREADING_SECONDS
}

fn period(group: &Group) -> Option<f64> {
    let known: &[u32] = &group.recent[group.recent.iter().position(|&second| second != 0)?..];
    if known.len() < PERIODIC_MOMENTS || group.count < known.len() as u64 {
        return None;
    }
    let mut distances = [0; RECENT];
    let distances = &mut distances[..known.len() - 1];
    for (distance, pair) in distances.iter_mut().zip(known.windows(2)) {
        *distance = pair[1] - pair[0];
    }
    distances.sort_unstable();
    let median = distances[distances.len() / 2];
    let slack = median / PERIODIC_TOLERANCE;
    let even = distances.iter().all(|&distance| distance.abs_diff(median) <= slack);
    let mean = f64::from(known[known.len() - 1] - known[0]) / f64::from(u32::try_from(known.len() - 1).ok()?);
    // Few moments with many occurrences each are a recorder's writes, not the occurrences.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let singles = group.last.since(group.first) as f64 / SECOND as f64 >= 0.75 * mean * (group.count - 1) as f64;
    (median >= PERIODIC_SECONDS && even && singles).then_some(mean)
}

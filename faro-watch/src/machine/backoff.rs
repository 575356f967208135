//! How long to wait before asking again.

use super::after;
use faro_core::Nanos;
use std::time::Duration;

/// The longest wait, as in client-go's reflector.
pub const MAX_DELAY: Duration = Duration::from_secs(30);

/// The first wait after something that did not work.
const FIRST_DELAY: Duration = Duration::from_millis(400);

/// How soon after it was opened a stream may be opened again, at least: a server that sends one line and closes is not asked more
/// often than this.
const REOPEN: Duration = Duration::from_millis(800);

/// How long a stream without a line has to last to count as one that works.
pub(super) const PROVEN: Duration = Duration::from_secs(20);

/// A source of numbers that spread the requests of many watches, given by its seed (`SplitMix64`).
#[derive(Clone, Debug)]
pub struct Jitter(u64);

impl Jitter {
    /// Makes a source; the same seed gives the same numbers.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A span between half of `span` and all of it.
    fn spread(&mut self, span: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let share = u32::try_from(mixed >> 32).unwrap_or(0);
        span / 2 + (span / 2).mul_f64(f64::from(share) / f64::from(u32::MAX))
    }
}

/// Exponential waits, which begin anew only when a stream has proven itself.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    jitter: Jitter,
    failures: u32,
}

impl Backoff {
    pub(super) const fn new(jitter: Jitter) -> Self {
        Self { jitter, failures: 0 }
    }

    /// What was asked for works.
    pub(super) const fn proven(&mut self) {
        self.failures = 0;
    }

    /// When to ask again. `opened` is when the stream was opened that ended.
    pub(super) fn next(&mut self, now: Nanos, opened: Option<Nanos>, at_least: Option<Duration>) -> Nanos {
        let wait = match (self.failures, opened) {
            // It worked until now: go on at once, unless it was opened just before.
            (0, Some(opened)) => after(opened, self.jitter.spread(REOPEN)),
            (failures, _) => {
                let delay = FIRST_DELAY.saturating_mul(1 << failures.min(16)).min(MAX_DELAY);
                after(now, self.jitter.spread(delay))
            }
        };
        self.failures += 1;
        let told = at_least.map_or(now, |span| after(now, span));
        wait.max(told).max(now)
    }

    /// When the server is to end a watch: between 5 and 10 minutes, as client-go asks, so that watches do not end all at once.
    pub(super) fn watch_timeout(&mut self) -> Duration {
        self.jitter.spread(Duration::from_mins(10))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_limit_and_begin_anew_when_proven() {
        let mut backoff = Backoff::new(Jitter::new(7));
        let mut spans = Vec::new();
        for _ in 0..12 {
            spans.push(backoff.next(Nanos(0), None, None).0);
        }
        for (index, span) in spans.iter().enumerate() {
            let most = FIRST_DELAY.saturating_mul(1 << index).min(MAX_DELAY);
            assert!(*span >= after(Nanos(0), most / 2).0 && *span <= after(Nanos(0), most).0, "{index}: {span}");
        }
        backoff.proven();
        assert!(backoff.next(Nanos(0), None, None).0 <= after(Nanos(0), FIRST_DELAY).0);
    }

    #[test]
    fn server_may_ask_for_more_patience() {
        let mut backoff = Backoff::new(Jitter::new(7));
        assert_eq!(backoff.next(Nanos(0), None, Some(Duration::from_secs(90))), after(Nanos(0), Duration::from_secs(90)));
    }

    #[test]
    fn stream_that_worked_is_opened_again_at_once() {
        let mut backoff = Backoff::new(Jitter::new(7));
        let now = after(Nanos(0), Duration::from_secs(1));
        assert_eq!(backoff.next(now, Some(Nanos(0)), None), now);
    }
}

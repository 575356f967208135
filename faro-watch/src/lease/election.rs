//! The rules by which one of several candidates leads: those of `k8s.io/client-go/tools/leaderelection`, as a state machine.
//!
//! Every candidate measures by its own clock how long the Lease has not changed; times that stand in the Lease are for people and
//! are never compared. A leader gives up `renew_deadline` after it *sent* its last successful renewal, and nobody else takes the
//! Lease before `lease_duration` after having *seen* that renewal. So two lead at once only if one clock runs faster than the other
//! by more than `lease_duration / renew_deadline` (one and a half), however long requests take and whatever the clocks show.
//!
//! Not covered, as with client-go: somebody deletes the Lease, or a machine sleeps with its monotonic clock halted.

use super::holding::{Holding, Seen};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// How long things take; the defaults of client-go's users.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// After so long without a change the Lease may be taken.
    pub(super) lease_duration: Duration,
    /// After so long without a renewal the leader gives up.
    pub(super) renew_deadline: Duration,
    /// Between two attempts.
    pub(super) retry_period: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { lease_duration: Duration::from_secs(15), renew_deadline: Duration::from_secs(10), retry_period: Duration::from_secs(2) }
    }
}

/// The moment of an input: a clock that never goes back, and the time of day to be written down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) elapsed: Duration,
    pub(super) time: DateTime<Utc>,
}

/// What is to be sent to the API server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Ask {
    Read,
    Create(Holding),
    /// Replace the Lease, provided that it still has this version.
    Replace(String, Holding),
}

/// What came of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Reply {
    /// The Lease as it is now: it was read, or written.
    Done(Seen),
    /// There is none.
    Absent,
    /// Somebody else was faster.
    Conflict,
    /// It is not known what came of it.
    Failed(String),
}

/// What to do next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// Nothing until then.
    Wait(Duration),
    /// Send this, and say what came of it within [`Election::patience`].
    Send(Ask),
    /// Nothing any more: the Lease was lost.
    Over,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Stage {
    Standby,
    /// Until then, unless it is renewed.
    Leading(Duration),
    /// Why.
    Lost(String),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Plan {
    Read,
    Create,
    Replace,
}

/// One candidate.
#[derive(Clone, Debug)]
pub(super) struct Election {
    identity: String,
    timing: Timing,
    stage: Stage,
    /// The Lease as it was last seen, and since when it has been so.
    seen: Option<(Seen, Duration)>,
    plan: Plan,
    next: Duration,
    sent: Duration,
    trouble: Option<String>,
}

impl Election {
    /// `identity` is nobody else's.
    pub(super) fn new(identity: String, timing: Timing) -> Self {
        let (next, sent) = (Duration::ZERO, Duration::ZERO);
        Self { identity, timing, stage: Stage::Standby, seen: None, plan: Plan::Read, next, sent, trouble: None }
    }

    /// Says what is to be done now.
    pub(super) fn poll(&mut self, now: Now) -> Step {
        let mut wait = self.next;
        match &self.stage {
            Stage::Lost(_) => return Step::Over,
            Stage::Leading(until) if now.elapsed >= *until => {
                let seconds = self.timing.renew_deadline.as_secs();
                let trouble = self.trouble.take().map_or_else(String::new, |trouble| format!(": {trouble}"));
                self.stage = Stage::Lost(format!("it could not be renewed for {seconds} s{trouble}"));
                return Step::Over;
            }
            Stage::Leading(until) => wait = wait.min(*until),
            Stage::Standby => {}
        }
        if now.elapsed < self.next {
            return Step::Wait(wait);
        }
        self.sent = now.elapsed;
        Step::Send(match (self.plan, &self.seen) {
            (Plan::Create, _) => Ask::Create(self.own(now)),
            (Plan::Replace, Some((seen, _))) => Ask::Replace(seen.version.clone(), self.own(now)),
            (Plan::Read, _) | (Plan::Replace, None) => Ask::Read,
        })
    }

    /// Takes what came of the last request.
    pub(super) fn answered(&mut self, ask: &Ask, reply: Reply, now: Now) {
        self.trouble = None;
        (self.plan, self.next) = match reply {
            Reply::Done(seen) => {
                let is_mine = *ask != Ask::Read;
                self.observe(seen, now.elapsed);
                if is_mine { self.won(now.elapsed) } else { self.weigh(now.elapsed) }
            }
            Reply::Absent => (Plan::Create, now.elapsed),
            // A leader looks at once who it was; others have time.
            Reply::Conflict if matches!(self.stage, Stage::Leading(_)) => (Plan::Read, now.elapsed),
            Reply::Conflict => (Plan::Read, now.elapsed + self.timing.retry_period),
            Reply::Failed(trouble) => {
                self.trouble = Some(trouble);
                (Plan::Read, now.elapsed + self.timing.retry_period)
            }
        };
    }

    /// How long to wait for an answer: the deadline of a leader is not waited through.
    pub(super) fn patience(&self, now: Now) -> Duration {
        let usual = self.timing.renew_deadline / 2;
        match self.stage {
            Stage::Leading(until) => usual.min(until.saturating_sub(now.elapsed)),
            Stage::Standby | Stage::Lost(_) => usual,
        }
    }

    /// Tells whether this candidate leads.
    pub(super) fn is_leading(&self, elapsed: Duration) -> bool {
        matches!(self.stage, Stage::Leading(until) if elapsed < until)
    }

    /// Why the Lease was lost; `None` when it was not.
    pub(super) fn loss(&self) -> Option<&str> {
        if let Stage::Lost(why) = &self.stage { Some(why) } else { None }
    }

    /// Who holds the Lease as far as is known; empty when nobody does.
    pub(super) fn holder(&self) -> &str {
        self.seen.as_ref().map_or("", |(seen, _)| &seen.holding.holder)
    }

    /// What went wrong with the last request.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// What gives the Lease back, so that nobody need wait; nothing when it is not ours.
    pub(super) fn release(&self, now: Now) -> Option<Ask> {
        let (seen, _) = self.seen.as_ref().filter(|(seen, _)| seen.holding.holder == self.identity)?;
        let holding = Holding {
            holder: String::new(),
            // No less is valid.
            duration: Duration::from_secs(1),
            acquired: Some(now.time),
            renewed: Some(now.time),
            transitions: seen.holding.transitions,
        };
        Some(Ask::Replace(seen.version.clone(), holding))
    }

    fn observe(&mut self, seen: Seen, elapsed: Duration) {
        if self.seen.as_ref().is_none_or(|(before, _)| *before != seen) {
            self.seen = Some((seen, elapsed));
        }
    }

    /// A write arrived. Others saw it no earlier than it was sent.
    fn won(&mut self, elapsed: Duration) -> (Plan, Duration) {
        let until = self.sent + self.timing.renew_deadline;
        if elapsed < until {
            self.stage = Stage::Leading(until);
        }
        (Plan::Replace, (self.sent + self.timing.retry_period).max(elapsed))
    }

    /// The Lease was read: may it be taken?
    fn weigh(&mut self, elapsed: Duration) -> (Plan, Duration) {
        let Some((seen, since)) = &self.seen else { return (Plan::Read, elapsed + self.timing.retry_period) };
        let Holding { holder, duration, .. } = &seen.holding;
        if holder.is_empty() || *holder == self.identity {
            return (Plan::Replace, elapsed);
        }
        if matches!(self.stage, Stage::Leading(_)) {
            self.stage = Stage::Lost(format!("`{holder}` holds it"));
        }
        // Who says nothing about it meant what we mean.
        let duration = if duration.is_zero() { self.timing.lease_duration } else { *duration };
        let free = *since + duration;
        if elapsed >= free { (Plan::Replace, elapsed) } else { (Plan::Read, free.min(elapsed + self.timing.retry_period)) }
    }

    fn own(&self, now: Now) -> Holding {
        let before = self.seen.as_ref().filter(|_| self.plan != Plan::Create).map(|(seen, _)| &seen.holding);
        let kept = before.filter(|before| before.holder == self.identity);
        Holding {
            holder: self.identity.clone(),
            duration: self.timing.lease_duration,
            acquired: kept.and_then(|kept| kept.acquired).or(Some(now.time)),
            renewed: Some(now.time),
            transitions: before.map_or(0, |before| before.transitions + u64::from(kept.is_none())),
        }
    }
}

#[cfg(test)]
mod tests;

//! What is done when something does not work: see "Errors of the server" in [`super`].

use super::{
    Action, ApiStatus, DOUBT, Failure, GapCause, Goal, List, Machine, Nanos, Origin, Phase, REFUSED_RETRY, Relist, State, after, backoff,
};
use std::time::Duration;

impl Machine {
    /// A watch ended as it should: the server's time was up, or it is going away.
    pub(super) fn ended(&mut self, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        match (self.phase, &self.goal) {
            // A stream that lived for a while is proof enough, also without a line.
            (Phase::Open(_, since), Goal::Watch) if after(since, backoff::PROVEN) <= now => {
                self.status.last_alive = Some(now);
                self.backoff.proven();
                self.again(now, None, act);
            }
            (Phase::Open(..), _) if self.lines > 0 => self.again(now, None, act),
            _ => self.failed(&Failure::Connection { message: "the answer ended at once".to_owned() }, now, act),
        }
    }

    /// A request failed, or a stream broke.
    pub(super) fn failed(&mut self, failure: &Failure, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        match failure {
            Failure::Connection { message } => {
                let proven = self.lines > 0 && matches!(self.phase, Phase::Open(..));
                if !proven {
                    self.status.enter(State::Failing, now, || message.clone());
                    self.failing_since.get_or_insert(now);
                }
                self.again(now, None, act);
            }
            Failure::Status { code, reason, message, retry_after } => {
                let ahead = message.starts_with("Too large resource version");
                let status = ApiStatus { code: *code, reason: reason.clone(), message: message.clone(), retry_after: None, ahead };
                self.refused(&status, *retry_after, now, act);
            }
        }
    }

    /// The server answered with an error.
    pub(super) fn refused(&mut self, status: &ApiStatus, retry_after: Option<Duration>, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        let expired = status.code == 410 || matches!(&*status.reason, "Expired" | "Gone");
        if expired {
            self.expired(GapCause::Expired, now, act);
            return;
        }
        if status.ahead {
            self.doubt(GapCause::Rewound, status.message.clone(), now, act);
            return;
        }
        self.failing_since.get_or_insert(now);
        let said = || format!("{} {}: {}", status.code, status.reason, status.message);
        match status.code {
            401 => {
                self.status.enter(State::Unauthorized, now, said);
                act(Action::Reauthenticate);
                self.again(now, retry_after, act);
            }
            403 => {
                self.status.refusals += 1;
                self.status.enter(State::Refused, now, said);
                self.close_list("", 0, act);
                self.again(now, Some(retry_after.unwrap_or(REFUSED_RETRY)), act);
            }
            404 => {
                self.status.enter(State::Missing, now, said);
                self.close_list("", 0, act);
                self.again(now, Some(retry_after.unwrap_or(REFUSED_RETRY)), act);
                act(Action::Missing);
            }
            _ => {
                self.status.enter(State::Failing, now, said);
                self.again(now, retry_after, act);
            }
        }
    }

    /// Something that a position may be the reason of: after a few times it is given up.
    pub(super) fn doubt(&mut self, cause: GapCause, message: String, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        self.doubts += 1;
        if self.doubts > DOUBT && matches!(self.goal, Goal::Watch) {
            self.doubts = 0;
            self.expired(cause, now, act);
            return;
        }
        self.failing_since.get_or_insert(now);
        self.status.enter(State::Failing, now, || message);
        self.again(now, None, act);
    }

    /// The server no longer has what follows the position, or the `continue` token of a list.
    pub(super) fn expired(&mut self, cause: GapCause, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        self.call_off(act);
        self.renewal.candidate = None;
        let bridges = match &mut self.goal {
            Goal::List(list) => list.bridges.take(),
            Goal::Watch => {
                let cause = match self.origin {
                    Origin::Restored if cause == GapCause::Expired => GapCause::CheckpointTooOld,
                    Origin::RestoredPosition => GapCause::CheckpointWithoutObjects,
                    Origin::Restored | Origin::Fresh | Origin::Live => cause,
                };
                self.status.relists += 1;
                Some((cause, self.position.clone(), self.status.last_alive.unwrap_or(now)))
            }
        };
        self.status.enter(State::Listing, now, || "the server's history does not reach back to the position (410)".to_owned());
        // A server whose answers expire at once, time and again, must not be asked without pause.
        let in_vain = matches!(self.goal, Goal::List(_)) || std::mem::replace(&mut self.relist, Relist::InVain) == Relist::InVain;
        self.goal = Goal::List(List { bridges, ..List::default() });
        if in_vain {
            self.again(now, None, act);
        } else {
            self.ask(now, act);
        }
    }

    /// Asks again, after a pause that grows with each time that nothing came of it.
    pub(super) fn again(&mut self, now: Nanos, at_least: Option<Duration>, act: &mut dyn FnMut(Action<'_>)) {
        let opened = match self.phase {
            Phase::Open(_, since) => Some(since),
            Phase::New | Phase::Asked(..) | Phase::Waiting(_) | Phase::Vanished => None,
        };
        if matches!(self.goal, Goal::Watch) {
            self.status.restarts += 1;
        }
        self.call_off(act);
        let until = self.backoff.next(now, opened, at_least);
        self.phase = Phase::Waiting(until);
        if until <= now {
            self.ask(now, act);
        }
    }
}

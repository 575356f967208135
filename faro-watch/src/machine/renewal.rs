//! The successor of a quiet watch: see "Quiet watches" in [`super`].

use super::{ANSWER_TIMEOUT, Action, Failure, Form, GapCause, Keeps, Machine, PAGE, Phase, Position, RENEWAL, Ticket, Version, after};
use crate::line::Page;
use faro_core::Nanos;
use std::time::Duration;

/// How long after its opening a watch is given to show that it has bookmarks: the first comes within a minute.
const FIRST_BOOKMARK: Duration = Duration::from_secs(70);

/// How soon a renewal that failed is tried again.
const RETRY: Duration = Duration::from_secs(15);

/// How far the renewal of a quiet watch is.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    step: Step,
    /// Not before then.
    not_before: Option<Nanos>,
    /// The version of a list that showed nothing later than the position, and when it was asked for.
    pub(super) candidate: Option<Position>,
}

#[derive(Debug, Default)]
enum Step {
    #[default]
    Idle,
    /// Listing, to see whether anything is later than the position.
    Verifying { ticket: Ticket, asked: Nanos, begun: Nanos, version: String, population: u64, verdict: Verdict },
    /// Waiting for the successor to open.
    Opening { ticket: Ticket, asked: Nanos },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    NothingLater,
    Later,
}

impl Machine {
    /// When the renewal has something to do.
    pub(super) fn renewal_due(&self) -> Nanos {
        match self.renewal.step {
            Step::Idle => {
                let aged = |span| self.position.as_ref().map_or(Nanos(i64::MIN), |position| after(position.at, span));
                let grace = match (self.phase, self.keeps) {
                    (Phase::Open(_, since), Keeps::Objects) => after(since, FIRST_BOOKMARK),
                    // Events have none by default, and a position from a checkpoint may be about to expire.
                    (Phase::Open(_, since), Keeps::Nothing) => after(since, FIRST_BOOKMARK).min(aged(RENEWAL * 2)),
                    (Phase::New | Phase::Asked(..) | Phase::Waiting(_) | Phase::Vanished, _) => Nanos(i64::MIN),
                };
                let due = aged(RENEWAL).max(grace);
                let since = self.renewal.candidate.as_ref().map_or(due, |candidate| due.max(after(candidate.at, RENEWAL)));
                since.max(self.renewal.not_before.unwrap_or(since))
            }
            Step::Verifying { asked, .. } | Step::Opening { asked, .. } => after(asked, ANSWER_TIMEOUT),
        }
    }

    pub(super) fn renew(&mut self, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        match &self.renewal.step {
            Step::Idle => {
                // The stream from before it has been open for a whole renewal and silent: it is delivered.
                if let Some(candidate) = self.renewal.candidate.take() {
                    self.position = Some(candidate);
                }
                let ticket = self.ticket();
                self.renewal.step = Step::Verifying {
                    ticket,
                    asked: now,
                    begun: now,
                    version: String::new(),
                    population: 0,
                    verdict: Verdict::NothingLater,
                };
                act(Action::List { ticket, continue_token: "", limit: PAGE, form: Form::Metadata });
            }
            Step::Verifying { .. } | Step::Opening { .. } => {
                self.call_off(act);
                self.renewal.not_before = Some(after(now, RETRY));
            }
        }
    }

    /// A page of the list that verifies the position.
    pub(super) fn verified(&mut self, from: Ticket, body: &str, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        let Step::Verifying { ticket, begun, version, population, verdict, .. } = &self.renewal.step else { return };
        if *ticket != from {
            return;
        }
        let (begun, mut population, mut verdict) = (*begun, *population, *verdict);
        let Some(page) = Page::read(body) else {
            let failure = Failure::Connection { message: "the answer is no list".to_owned() };
            self.renewal_failed(from, Some(&failure), now, act);
            return;
        };
        let version = if version.is_empty() { page.metadata.resource_version.to_string() } else { version.clone() };
        let position = self.position.as_ref().map(|position| Version::new(&position.resource_version));
        let behind = position.as_ref().is_some_and(|position| position.is_later(&Version::new(&version)) == Some(true));
        if behind {
            // Without a watch cache nobody objects to a version that is yet to come: the storage is another one.
            self.renewal.step = Step::Idle;
            self.abandon(act);
            self.expired(GapCause::Rewound, now, act);
            return;
        }
        let later = |object: crate::line::Object<'_>| {
            let version = Version::new(&object.metadata.resource_version);
            // What cannot be compared cannot be proven.
            position.as_ref().is_none_or(|position| version.is_later(position).unwrap_or(true))
        };
        for object in page.items() {
            population += 1;
            if later(object) {
                verdict = Verdict::Later;
            }
        }
        let complete = page.metadata.continue_token.is_empty();
        let before = self.position.as_ref().and_then(|position| position.population);
        if complete && before.is_some_and(|before| before != population) {
            verdict = Verdict::Later;
        }
        let ticket = self.ticket();
        if verdict == Verdict::NothingLater && !complete {
            self.renewal.step = Step::Verifying { ticket, asked: now, begun, version, population, verdict };
            act(Action::List { ticket, continue_token: &page.metadata.continue_token, limit: PAGE, form: Form::Metadata });
            return;
        }
        if verdict == Verdict::NothingLater {
            self.renewal.candidate = Some(Position { resource_version: version, at: begun, population: Some(population) });
        }
        self.renewal.step = Step::Opening { ticket, asked: now };
        let timeout = self.backoff.watch_timeout();
        let resource_version = self.position.as_ref().map_or("0", |position| &position.resource_version);
        self.status.watches += 1;
        act(Action::Watch { ticket, resource_version, timeout });
    }

    pub(super) fn successor_opened(&mut self, from: Ticket, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        if !matches!(self.renewal.step, Step::Opening { ticket, .. } if ticket == from) {
            return;
        }
        self.renewal.step = Step::Idle;
        self.renewal.not_before = Some(after(now, RENEWAL));
        self.status.renewals += 1;
        self.status.last_alive = Some(now);
        self.abandon(act);
        self.phase = Phase::Open(from, now);
        self.lines = 0;
    }

    /// The old stream lives, or is gone: no successor is needed.
    pub(super) fn call_off(&mut self, act: &mut dyn FnMut(Action<'_>)) {
        match std::mem::take(&mut self.renewal.step) {
            Step::Idle => {}
            Step::Verifying { ticket, .. } | Step::Opening { ticket, .. } => {
                self.renewal.candidate = None;
                act(Action::Close(ticket));
            }
        }
        self.renewal.not_before = None;
    }

    /// A request of the renewal failed. The old stream goes on.
    pub(super) fn renewal_failed(&mut self, from: Ticket, failure: Option<&Failure>, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        let opening = match self.renewal.step {
            Step::Verifying { ticket, .. } if ticket == from => false,
            Step::Opening { ticket, .. } if ticket == from => true,
            Step::Idle | Step::Verifying { .. } | Step::Opening { .. } => return,
        };
        if matches!(failure, Some(Failure::Status { code: 401, .. })) {
            act(Action::Reauthenticate);
        }
        let expired = matches!(failure, Some(Failure::Status { code: 410, .. }));
        self.renewal.step = Step::Idle;
        self.renewal.candidate = None;
        if expired && opening {
            // The position is lost: the old stream, should it live, cannot prove what lies between.
            self.abandon(act);
            self.expired(GapCause::Expired, now, act);
            return;
        }
        self.renewal.not_before = Some(after(now, RETRY));
    }
}

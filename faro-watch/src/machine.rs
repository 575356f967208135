//! The list and watch of one collection, as a pure state machine: no I/O, no clock, no async.
//!
//! It is told what the API server answered and what time it is, and says through a callback what to ask next and what to deliver.
//! Whoever drives it carries out [`Action`]s; [`Machine::next_deadline`] says when to call it with [`Input::Tick`].
//!
//! # How nothing is lost
//!
//! A list gives the state at one `resourceVersion`, and a watch from there every change after it, in order, or the answer 410 when
//! the server no longer has them (Kubernetes API concepts, "Efficient detection of changes"). So a position, the version of the last
//! thing that was delivered, is all that has to be kept: after any disconnect the watch goes on from there. 410 is the only way to
//! lose something: then the list is compared with what is known, the differences are delivered, and a [`Gap`] says so.
//!
//! # Quiet watches
//!
//! Most watches are served from the API server's watch cache and get a bookmark about every minute, which moves the position though
//! nothing changed (KEP-956). A watch that had bookmarks and then no line for [`SILENCE`] is taken for dead and opened anew.
//!
//! Events bypass that cache by default (`--watch-cache-sizes`, `events#0`): no bookmarks, a silent stream may be well or dead, and
//! the position grows old, while etcd is compacted every 5 minutes (`--etcd-compaction-interval`), so that a version is gone after 5 to
//! 10 minutes. What is done about it does not ask what collection it is; it is done wherever no bookmark has been seen. After
//! [`RENEWAL`] without a line, and while the old stream goes on:
//!
//! 1. The collection is listed, metadata only, page by page: the state at a version R. If nothing in it is later than the position L,
//!    nothing that is there was created or changed in between; if it holds as many objects as there were at L (which lines are
//!    counted for), nothing was deleted either. Order between versions is what KEP-5504 promises; without it, this step proves
//!    nothing and R is not used.
//! 2. A successor is opened **from L**, not from R. It replays every change after L, deletions too, or answers 410, whatever the old
//!    stream did or did not deliver. Only when it is open the old one is closed; a line of the old one, at any moment before that,
//!    shows that it lives, moves the position and calls the successor off. So the two never overlap and nothing has to be
//!    deduplicated.
//! 3. R is remembered. When the successor in turn has been silent for [`RENEWAL`], R becomes the position: the state at R shows that
//!    there is nothing between L and R, but for an object that was created and deleted in between, and a stream that was opened
//!    after R from L has had that long to replay even that.
//!
//! A position is therefore never older than two renewals, 4 minutes, and never moved on the evidence of silence alone. What stays
//! unproven is an object that lived and died between L and R while two streams in turn, both accepted and neither broken, said
//! nothing. Opening the successor from R instead would leave every change up to R to the old stream, which in its silence proves none.
//! The list is cheap where it is needed: every Event that exists is deleted within `--event-ttl`, which is a line, so a collection of
//! Events that is silent for minutes is small.
//!
//! # Errors of the server
//!
//! | answer | what is done |
//! |---|---|
//! | 410, as a status or as an `ERROR` line | list and compare, deliver the differences and a gap |
//! | 410 in the middle of a list (the `continue` token expired) | that list begins anew; what was delivered is not repeated |
//! | 401 | [`Action::Reauthenticate`], then again |
//! | 403 | reported with the right that is missing, again every [`REFUSED_RETRY`] |
//! | 404 | [`Action::Missing`]; the caller discovers, and calls [`Machine::vanish`] when the collection is gone |
//! | 429, 503 with `Retry-After` | waits as told |
//! | anything else | waits: jittered and exponential up to [`MAX_DELAY`](backoff::MAX_DELAY), until a stream has proven itself by a line |
//!
//! # Memory
//!
//! What is [`Known`], nothing else that grows. Of Events nothing is known: their counts are cumulative, so a relist delivers all of
//! them and whoever counts finds what is new.

pub mod backoff;
mod comparison;
mod delivery;
mod exchange;
mod recovery;
mod renewal;
mod status;

pub use delivery::{Change, Changed, Delivery, Evidence, Gap, GapCause, Lost};
pub use exchange::{Action, Failure, Form, Input, Ticket};
pub use status::{State, Status};

use crate::known::{Known, Version};
use crate::line::{self, LineType};
use crate::selection::Choice;
use backoff::{Backoff, Jitter};
use faro_core::Nanos;
use renewal::Renewal;
use std::time::Duration;

pub(crate) use crate::line::Status as ApiStatus;

/// How long a watch with bookmarks may be silent: two bookmarks are missing by then (`bookmarkFrequency`, one minute, in
/// `k8s.io/apiserver/pkg/storage/cacher`).
pub const SILENCE: Duration = Duration::from_secs(180);

/// How old the position of a watch without bookmarks may become before it is renewed: two such spans stay below the 5 minutes that
/// etcd keeps at least.
pub const RENEWAL: Duration = Duration::from_secs(120);

/// How often a refused request is repeated.
pub const REFUSED_RETRY: Duration = Duration::from_secs(30);

/// How long the beginning of an answer is waited for.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a list that was begun may fail before its end is reported, so that it does not hold up the lists of other collections.
pub const LIST_PATIENCE: Duration = Duration::from_secs(30);

/// How many objects are asked for at once.
pub const PAGE: u32 = 500;

/// How many unreadable lines, or answers that the version lies ahead, are taken before the position itself is doubted.
const DOUBT: u32 = 3;

/// What is remembered of the objects.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Keeps {
    /// Each object, so that a list can be compared.
    Objects,
    /// Nothing: Events, whose counts are cumulative.
    Nothing,
}

/// Where a watch stands, for a checkpoint.
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// The version that everything up to has been delivered.
    pub resource_version: String,
    /// When it was known to be current.
    pub at: Nanos,
    /// How many objects the server sent were there then; `None` when that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub population: Option<u64>,
}

/// What the main request is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    /// Nothing has been asked yet.
    New,
    /// Waiting for the answer since then.
    Asked(Ticket, Nanos),
    /// A watch is open since then.
    Open(Ticket, Nanos),
    /// Waiting until then before asking again.
    Waiting(Nanos),
    /// The collection is gone.
    Vanished,
}

/// What is asked for.
#[derive(Clone, Debug)]
enum Goal {
    List(List),
    Watch,
}

/// A list that is under way.
#[derive(Clone, Debug, Default)]
struct List {
    continue_token: String,
    /// Of its first page.
    version: String,
    since: Option<Nanos>,
    /// That were sent, and how many of them are selected.
    population: u64,
    objects: u64,
    recovered: u64,
    /// What it bridges, when it is no first list.
    bridges: Option<(GapCause, Option<Position>, Nanos)>,
}

/// Whether the server sends bookmarks; see the module's description.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Bookmarks {
    Unseen,
    Seen,
}

/// Whether a line came after the last list that was made because of a 410.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Relist {
    Fruitful,
    InVain,
}

/// Whether what is known is all there was at the position.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Origin {
    /// Nothing was there yet: the first list is to come.
    Fresh,
    /// From the checkpoint: position and objects.
    Restored,
    /// From the checkpoint: only the position. It stays so until a list is complete.
    RestoredPosition,
    /// A list was completed, or a line delivered.
    Live,
}

/// Lists and watches one collection; see the module's description.
#[derive(Debug)]
pub struct Machine {
    choice: Choice,
    keeps: Keeps,
    known: Known,
    origin: Origin,
    position: Option<Position>,
    phase: Phase,
    goal: Goal,
    renewal: Renewal,
    bookmarks: Bookmarks,
    // Whether a `listBegin` was delivered that has no end yet.
    list_open: bool,
    lines: u64,
    relist: Relist,
    doubts: u32,
    failing_since: Option<Nanos>,
    backoff: Backoff,
    tickets: u64,
    status: Status,
}

impl Machine {
    /// Makes a machine that has seen nothing.
    #[must_use]
    pub fn new(choice: Choice, keeps: Keeps, jitter: Jitter) -> Self {
        Self {
            choice,
            keeps,
            known: Known::default(),
            origin: Origin::Fresh,
            position: None,
            phase: Phase::New,
            goal: Goal::List(List::default()),
            renewal: Renewal::default(),
            bookmarks: Bookmarks::Unseen,
            list_open: false,
            lines: 0,
            relist: Relist::Fruitful,
            doubts: 0,
            failing_since: None,
            backoff: Backoff::new(jitter),
            tickets: 0,
            status: Status::default(),
        }
    }

    /// Goes on from a position and, where the checkpoint has them, the objects that were known there.
    #[must_use]
    pub fn resume(mut self, position: Position, known: Option<Known>) -> Self {
        self.origin = if known.is_some() || self.keeps == Keeps::Nothing { Origin::Restored } else { Origin::RestoredPosition };
        self.known = known.unwrap_or_default();
        self.status.last_alive = Some(position.at);
        self.position = Some(position);
        self.goal = Goal::Watch;
        self
    }

    /// What is known of the objects.
    #[must_use]
    pub const fn known(&self) -> &Known {
        &self.known
    }

    /// Where the watch stands; `None` until the first list is complete.
    #[must_use]
    pub const fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    /// How it goes.
    #[must_use]
    pub const fn status(&self) -> &Status {
        &self.status
    }

    /// Begins: announces the first list, and asks for nothing yet. [`Input::Tick`] does.
    pub fn begin(&mut self, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        self.status.since.get_or_insert(now);
        if matches!(self.goal, Goal::List(_)) {
            self.open_list(act);
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input<'_>, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        match input {
            Input::Tick => self.tick(now, act),
            Input::Opened(ticket) if matches!(self.phase, Phase::Asked(asked, _) if asked == ticket) => self.opened(ticket, now),
            Input::Opened(ticket) => self.successor_opened(ticket, now, act),
            Input::Page(ticket, body) if self.is_current(ticket) => self.page(body, now, act),
            Input::Page(ticket, body) => self.verified(ticket, body, now, act),
            Input::Line(ticket, text) if self.is_current(ticket) => self.line(text, now, act),
            Input::Line(_, _) => {}
            Input::Ended(ticket) if self.is_current(ticket) => self.ended(now, act),
            Input::Failed(ticket, failure) if self.is_current(ticket) => self.failed(&failure, now, act),
            Input::Ended(ticket) => self.renewal_failed(ticket, None, now, act),
            Input::Failed(ticket, failure) => self.renewal_failed(ticket, Some(&failure), now, act),
        }
    }

    /// Ends: the collection no longer exists. What was known is delivered as deleted.
    pub fn vanish(&mut self, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        self.abandon(act);
        self.call_off(act);
        self.known.begin_round();
        for object in self.known.end_round() {
            act(Action::Deliver(Delivery::Missing(&object)));
        }
        self.close_list("", 0, act);
        self.position = None;
        self.phase = Phase::Vanished;
        self.status.enter(State::Vanished, now, || "the server does not serve this collection".to_owned());
    }

    /// When [`Input::Tick`] is due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Nanos> {
        let main = match self.phase {
            Phase::New => Some(Nanos(i64::MIN)),
            Phase::Waiting(until) => Some(until),
            Phase::Asked(_, since) => Some(after(since, ANSWER_TIMEOUT)),
            Phase::Open(_, since) => Some(match self.bookmarks {
                Bookmarks::Seen => after(self.alive_since(since), SILENCE),
                Bookmarks::Unseen => self.renewal_due(),
            }),
            Phase::Vanished => None,
        };
        let patience = self.failing_since.filter(|_| self.list_open).map(|since| after(since, LIST_PATIENCE));
        [main, patience].into_iter().flatten().min()
    }

    fn tick(&mut self, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        if self.list_open && self.failing_since.is_some_and(|since| after(since, LIST_PATIENCE) <= now) {
            self.close_list("", 0, act);
        }
        match self.phase {
            Phase::New => self.ask(now, act),
            Phase::Waiting(until) if until <= now => self.ask(now, act),
            Phase::Asked(_, since) if after(since, ANSWER_TIMEOUT) <= now => {
                self.abandon(act);
                self.failed(&Failure::Connection { message: format!("no answer within {} s", ANSWER_TIMEOUT.as_secs()) }, now, act);
            }
            Phase::Open(_, since) => match self.bookmarks {
                Bookmarks::Seen if after(self.alive_since(since), SILENCE) <= now => {
                    self.abandon(act);
                    self.status.silences += 1;
                    self.failed(&Failure::Connection { message: format!("silent for {} s", SILENCE.as_secs()) }, now, act);
                }
                Bookmarks::Unseen if self.renewal_due() <= now => self.renew(now, act),
                Bookmarks::Seen | Bookmarks::Unseen => {}
            },
            Phase::Waiting(_) | Phase::Asked(..) | Phase::Vanished => {}
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn is_current(&self, ticket: Ticket) -> bool {
        matches!(self.phase, Phase::Asked(current, _) | Phase::Open(current, _) if current == ticket)
    }

    /// When the open stream was last heard of.
    fn alive_since(&self, opened: Nanos) -> Nanos {
        self.status.last_line.map_or(opened, |line| line.max(opened))
    }

    /// Asks for what is wanted next.
    fn ask(&mut self, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        let ticket = self.ticket();
        self.phase = Phase::Asked(ticket, now);
        match &self.goal {
            Goal::List(list) => {
                act(Action::List { ticket, continue_token: &list.continue_token, limit: PAGE, form: Form::Selected });
            }
            Goal::Watch => {
                let resource_version = self.position.as_ref().map_or("0", |position| &position.resource_version);
                let timeout = self.backoff.watch_timeout();
                self.status.watches += 1;
                act(Action::Watch { ticket, resource_version, timeout });
            }
        }
    }

    fn opened(&mut self, ticket: Ticket, now: Nanos) {
        if matches!(self.goal, Goal::Watch) {
            self.phase = Phase::Open(ticket, now);
            self.lines = 0;
            self.status.enter(State::Watching, now, String::new);
            // What was asked for right after a list is as current as that list.
            self.status.synced = true;
            self.failing_since = None;
        }
    }

    fn line(&mut self, text: &str, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        let Some((kind, object)) = line::read(text) else {
            let shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
            self.abandon(act);
            self.doubt(GapCause::Unreadable, format!("what was sent is no watch event: `{shown}`"), now, act);
            return;
        };
        if let Phase::Asked(ticket, _) = self.phase {
            self.opened(ticket, now);
        }
        match kind {
            LineType::Error => {
                let status = object.status();
                self.abandon(act);
                self.refused(&status, status.retry_after.map(Duration::from_secs), now, act);
                return;
            }
            LineType::Bookmark => {
                self.bookmarks = Bookmarks::Seen;
                self.status.last_bookmark = Some(now);
            }
            LineType::Added => self.changed(Change::Added, &object, act),
            LineType::Modified => self.changed(Change::Modified, &object, act),
            LineType::Deleted => self.changed(Change::Deleted, &object, act),
        }
        self.moved(kind, &object.metadata.resource_version, now, act);
    }

    /// Everything up to a version has been delivered.
    fn moved(&mut self, kind: LineType, version: &str, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        self.lines += 1;
        self.doubts = 0;
        self.relist = Relist::Fruitful;
        if self.origin != Origin::RestoredPosition {
            self.origin = Origin::Live;
        }
        self.status.last_line = Some(now);
        self.status.last_alive = Some(now);
        self.backoff.proven();
        self.call_off(act);
        self.renewal.candidate = None;
        if version.is_empty() {
            return;
        }
        match &mut self.position {
            Some(position) => {
                position.resource_version.clear();
                position.resource_version.push_str(version);
                position.at = now;
                position.population = position.population.map(|population| match kind {
                    LineType::Added => population.saturating_add(1),
                    LineType::Deleted => population.saturating_sub(1),
                    LineType::Modified | LineType::Bookmark | LineType::Error => population,
                });
            }
            None => self.position = Some(Position { resource_version: version.to_owned(), at: now, population: None }),
        }
    }

    /// Closes the main request.
    fn abandon(&mut self, act: &mut dyn FnMut(Action<'_>)) {
        if let Phase::Asked(ticket, _) | Phase::Open(ticket, _) = self.phase {
            act(Action::Close(ticket));
        }
    }

    fn open_list(&mut self, act: &mut dyn FnMut(Action<'_>)) {
        if !self.list_open {
            self.list_open = true;
            act(Action::Deliver(Delivery::ListBegin));
        }
    }

    fn close_list(&mut self, resource_version: &str, objects: u64, act: &mut dyn FnMut(Action<'_>)) {
        if self.list_open {
            self.list_open = false;
            act(Action::Deliver(Delivery::ListEnd { resource_version, objects }));
        }
    }
}

/// A moment and a span later.
fn after(moment: Nanos, span: Duration) -> Nanos {
    moment.plus(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

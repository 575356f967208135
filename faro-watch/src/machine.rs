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
mod renewal;
mod status;

pub use status::{State, Status};

use crate::known::{Known, Version};
use crate::line::{self, LineType, Object};
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

/// One request, and the answer that belongs to it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket(u64);

/// In which form objects are asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// As the selection wants them.
    Selected,
    /// Only their metadata.
    Metadata,
}

/// What the machine is told.
#[derive(Debug)]
pub enum Input<'a> {
    /// Time has passed.
    Tick,
    /// A watch was accepted: status 200 and its headers.
    Opened(Ticket),
    /// The whole body of one page of a list.
    Page(Ticket, &'a str),
    /// One line of a watch.
    Line(Ticket, &'a str),
    /// The server ended a watch, without an error.
    Ended(Ticket),
    /// A request failed, or a watch broke.
    Failed(Ticket, Failure),
}

/// Why a request failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Failure {
    /// No answer, or it broke off: no connection, TLS, a reset.
    Connection {
        /// What happened, in one line.
        message: String,
    },
    /// The server answered something else than 200.
    Status {
        /// The HTTP status.
        code: u16,
        /// `Status.reason` where the server sent one: `Expired`, `Forbidden`.
        reason: String,
        /// `Status.message`, else what was wrong with the answer.
        message: String,
        /// How long to wait (`Retry-After`).
        retry_after: Option<Duration>,
    },
}

/// What the machine asks for.
#[derive(Debug)]
pub enum Action<'a> {
    /// Ask for one page of the collection.
    List {
        /// What the answer is to be given back with.
        ticket: Ticket,
        /// Continues an earlier page; empty for the first.
        continue_token: &'a str,
        /// How many objects at most.
        limit: u32,
        /// How much of each.
        form: Form,
    },
    /// Open a watch, with `allowWatchBookmarks=true`.
    Watch {
        /// What its lines are to be given back with.
        ticket: Ticket,
        /// The position that it begins after.
        resource_version: &'a str,
        /// `timeoutSeconds`: when the server is to end it.
        timeout: Duration,
    },
    /// Abandon a request; what still comes of it is ignored.
    Close(Ticket),
    /// Read the credentials anew before the next request.
    Reauthenticate,
    /// The server does not know the collection: discover again.
    Missing,
    /// Deliver this.
    Deliver(Delivery<'a>),
}

/// What is delivered.
#[derive(Debug)]
pub enum Delivery<'a> {
    /// A list begins: what follows until its end is state.
    ListBegin,
    /// A list has ended.
    ListEnd {
        /// Its `resourceVersion`; empty when the list could not be had.
        resource_version: &'a str,
        /// How many objects it held.
        objects: u64,
    },
    /// An object as the server sent it.
    Object(Changed<'a>),
    /// An object that a list no longer shows.
    Missing(&'a crate::known::KnownObject<'a>),
    /// A span in which something may have been missed.
    Gap(Gap),
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// It is there now.
    Added,
    /// It is another version.
    Modified,
    /// It is gone.
    Deleted,
}

/// How it is known that something happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Evidence {
    /// The server reported it, or the first list showed it.
    Reported,
    /// A list, compared with what was known, shows it; no watch line carried it.
    Compared,
    /// The object still exists but is no longer selected.
    LeftSelector,
    /// Both.
    ComparedLeftSelector,
}

/// An object as the server sent it, and what happened to it.
#[derive(Debug)]
pub struct Changed<'a> {
    /// What happened.
    pub change: Change,
    /// How that is known.
    pub evidence: Evidence,
    pub(crate) object: &'a Object<'a>,
}

impl<'a> Changed<'a> {
    /// The object's JSON text.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.object.text
    }
}

/// A span in which something may have been missed: the server had no history for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Gap {
    /// The position that was lost.
    pub from_version: String,
    /// When the stream was last known to be alive.
    pub from_time: Nanos,
    /// The version of the list that bridged it.
    pub to_version: String,
    /// When that list was complete.
    pub to_time: Nanos,
    /// Why.
    pub cause: GapCause,
    /// How many changes the list brought back.
    pub recovered: u64,
    /// What can be missing.
    pub lost: Lost,
}

/// Why there is a gap.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GapCause {
    /// The position of a watch that was alive expired (410).
    Expired,
    /// The position of the checkpoint had expired at the start.
    CheckpointTooOld,
    /// The same, and the checkpoint did not say what was known: deletions in between cannot be told.
    CheckpointWithoutObjects,
    /// The server's versions lie before the position: its storage was restored from a backup.
    Rewound,
    /// What the server sent after the position could not be read, time and again.
    Unreadable,
}

impl GapCause {
    /// The name in the record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::CheckpointTooOld => "checkpoint-too-old",
            Self::CheckpointWithoutObjects => "checkpoint-without-objects",
            Self::Rewound => "rewound",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What a gap can hide.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lost {
    /// Versions between the last one known and the one in the list.
    IntermediateVersions,
    /// These, and objects that were created and deleted within the gap.
    ShortLivedObjects,
}

impl Lost {
    /// The name in the record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IntermediateVersions => "intermediate-versions",
            Self::ShortLivedObjects => "short-lived-objects",
        }
    }
}

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
            Input::Opened(ticket) if self.phase == Phase::Asked(ticket, self.asked_at()) => self.opened(ticket, now),
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

    fn asked_at(&self) -> Nanos {
        match self.phase {
            Phase::Asked(_, since) => since,
            Phase::New | Phase::Open(..) | Phase::Waiting(_) | Phase::Vanished => Nanos(0),
        }
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

    /// A watch ended as it should: the server's time was up, or it is going away.
    fn ended(&mut self, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
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
    fn failed(&mut self, failure: &Failure, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
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
    fn refused(&mut self, status: &ApiStatus, retry_after: Option<Duration>, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
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
    fn doubt(&mut self, cause: GapCause, message: String, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
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
    fn expired(&mut self, cause: GapCause, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        self.call_off(act);
        self.renewal.candidate = None;
        let bridges = match &mut self.goal {
            Goal::List(list) => list.bridges.take(),
            Goal::Watch => {
                let cause = match self.origin {
                    Origin::Restored => GapCause::CheckpointTooOld,
                    Origin::RestoredPosition => GapCause::CheckpointWithoutObjects,
                    Origin::Fresh | Origin::Live => cause,
                };
                self.status.relists += 1;
                Some((cause, self.position.clone(), self.status.last_alive.unwrap_or(now)))
            }
        };
        self.status.enter(State::Listing, now, || "the server's history does not reach back to the position (410)".to_owned());
        let restarted = matches!(self.goal, Goal::List(_));
        self.goal = Goal::List(List { bridges, ..List::default() });
        if restarted {
            // A server whose tokens expire at once must not be asked without pause.
            self.again(now, None, act);
        } else {
            self.ask(now, act);
        }
    }

    /// Asks again, after a pause that grows with each time that nothing came of it.
    fn again(&mut self, now: Nanos, at_least: Option<Duration>, act: &mut dyn FnMut(Action<'_>)) {
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

//! What the machine is told, and what it asks for.

use super::delivery::Delivery;
use std::time::Duration;

/// One request, and the answer that belongs to it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket(pub(super) u64);

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

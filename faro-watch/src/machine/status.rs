//! How a watch is doing: what health endpoints and metrics are made from.

use faro_core::Nanos;

/// What a watch is doing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum State {
    /// It lists.
    #[default]
    Listing,
    /// A stream is open.
    Watching,
    /// The server cannot be reached, or answers with errors.
    Failing,
    /// The credentials are not accepted (401).
    Unauthorized,
    /// The right is missing (403).
    Refused,
    /// The server does not serve the collection at the moment (404).
    Missing,
    /// The collection is gone.
    Vanished,
}

impl State {
    /// A stable lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Watching => "watching",
            Self::Failing => "failing",
            Self::Unauthorized => "unauthorized",
            Self::Refused => "refused",
            Self::Missing => "missing",
            Self::Vanished => "vanished",
        }
    }
}

/// How a watch is doing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// What it is doing.
    pub state: State,
    /// Whether the initial state has been delivered, and a stream was opened after it.
    pub synced: bool,
    /// Since when it is in that state.
    pub since: Option<Nanos>,
    /// Why, when not all is well.
    pub reason: String,
    /// When the last line of a stream came.
    pub last_line: Option<Nanos>,
    /// When the last bookmark came.
    pub last_bookmark: Option<Nanos>,
    /// When the stream was last known to be alive.
    pub last_alive: Option<Nanos>,
    /// Streams that were asked for.
    pub watches: u64,
    /// Streams that ended, or could not be opened, and were asked for again.
    pub restarts: u64,
    /// Streams that were given up because they had gone silent.
    pub silences: u64,
    /// Quiet streams that were replaced by a successor.
    pub renewals: u64,
    /// Lists made because the server's history did not reach back.
    pub relists: u64,
    /// Gaps that were delivered.
    pub gaps: u64,
    /// Answers 403.
    pub refusals: u64,
}

impl Status {
    pub(super) fn enter(&mut self, state: State, now: Nanos, reason: impl FnOnce() -> String) {
        if self.state != state || self.since.is_none() {
            self.since = Some(now);
        }
        self.state = state;
        self.reason = reason();
    }
}

//! Lines for the engine, and for recordings: what the API server sent, with what Faro knows about it put in front.

mod compose;
mod stamp;

pub(crate) use compose::Composer;
pub(crate) use stamp::Stamps;

use chrono::{DateTime, Utc};
use faro_core::Nanos;
use tokio::sync::OwnedSemaphorePermit;

/// One line that [`faro_core::input::read`] understands: an object that was sent, or a control point of a watch.
///
/// Objects are as the API server sent them; `{"receivedAt","cluster","gvr"` stand in front. A recording is a file of these lines,
/// each as [`crate::strip`] leaves it.
///
/// # Memory
///
/// The line. A feed counts against the watcher's buffer until it is dropped.
#[derive(Debug)]
pub struct Feed {
    pub(crate) line: String,
    pub(crate) received_at: Nanos,
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

impl Feed {
    /// The line, without a line feed.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The moment in the line: the `now` that the engine is to be given with it. It rises from line to line.
    #[must_use]
    pub fn received_at(&self) -> DateTime<Utc> {
        self.received_at.into()
    }

    /// Returns the line alone.
    #[must_use]
    pub fn into_line(self) -> String {
        self.line
    }
}

//! `receivedAt`: written into the line when it is handed out, so that moments rise in the order of lines.

use super::Feed;
use chrono::{DateTime, Utc};
use faro_core::Nanos;
use std::fmt;
use std::sync::Arc;

/// What every line begins with; the moment follows.
pub(super) const HEAD: &str = "{\"receivedAt\":\"";

/// Holds the place of a moment that is not known yet.
pub(super) const BLANK: &str = "1970-01-01T00:00:00.000000000Z";

/// A clock whose moments rise.
pub(crate) struct Stamps {
    clock: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    last: Nanos,
    text: String,
}

impl Stamps {
    pub(crate) fn new(clock: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>) -> Self {
        Self { clock, last: Nanos(i64::MIN), text: String::new() }
    }

    /// Writes the next moment into a line.
    pub(crate) fn stamp(&mut self, feed: &mut Feed) {
        use fmt::Write as _;

        let now = Nanos::from((self.clock)()).max(self.last.plus(1));
        self.last = now;
        feed.received_at = now;
        self.text.clear();
        // Writing to a String does not fail.
        let _ = write!(self.text, "{now}");
        // All nine digits, so that the length is always the same.
        self.text.pop();
        if self.text.len() == "1970-01-01T00:00:00".len() {
            self.text.push('.');
        }
        while self.text.len() < BLANK.len() - 1 {
            self.text.push('0');
        }
        self.text.push('Z');
        if self.text.len() == BLANK.len() && feed.line.starts_with(HEAD) {
            feed.line.replace_range(HEAD.len()..HEAD.len() + BLANK.len(), &self.text);
        }
    }
}

impl fmt::Debug for Stamps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stamps").field("last", &self.last).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_rise_though_the_clock_stands_still() {
        let clock = || DateTime::from_timestamp(1_767_323_045, 120_000_000).unwrap();
        let mut stamps = Stamps::new(Arc::new(clock));
        for want in ["2026-01-02T03:04:05.120000000Z", "2026-01-02T03:04:05.120000001Z"] {
            let mut feed = Feed { line: format!("{HEAD}{BLANK}\"}}"), received_at: Nanos(0), permit: None };
            stamps.stamp(&mut feed);
            assert_eq!(feed.line, format!("{HEAD}{want}\"}}"));
        }
    }
}

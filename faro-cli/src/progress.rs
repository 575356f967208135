//! How far a long replay is, on a terminal.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A replay that ends sooner shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// The time between two looks.
const INTERVAL: Duration = Duration::from_millis(100);

/// One line on standard error that is written again and again.
pub(crate) struct Progress {
    shown: bool,
    terminal: bool,
    begun: Instant,
    next: Instant,
    total: Option<u64>,
    read: Arc<AtomicU64>,
}

impl Progress {
    /// `total` is the size of all inputs, when known; `read` grows by what is read of them.
    pub(crate) fn new(total: Option<u64>, read: Arc<AtomicU64>) -> Self {
        let begun = Instant::now();
        // On a terminal that also shows the records the two would mix.
        let terminal = std::io::stderr().is_terminal() && !std::io::stdout().is_terminal();
        Self { shown: false, terminal, begun, next: begun + PATIENCE, total, read }
    }

    /// Shows how far it is, if it is time to.
    pub(crate) fn tick(&mut self, records: u64) {
        if !self.terminal || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + INTERVAL;
        self.shown = true;
        let rate = Duration::from_secs(records).as_secs_f64() / self.begun.elapsed().as_secs_f64().max(0.001);
        let read = self.read.load(Ordering::Relaxed);
        let bytes = match self.total {
            Some(total) => {
                format!("{} of {} MB, {} %", read / 1_000_000, total / 1_000_000, (100 * read).checked_div(total).unwrap_or(100).min(100))
            }
            None => format!("{} MB", read / 1_000_000),
        };
        self.write(&format!("\r\x1b[K{bytes}, {rate:.0} records/s"));
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            self.write("\r\x1b[K");
        }
    }

    fn write(&self, text: &str) {
        let mut err = std::io::stderr().lock();
        // Nobody misses a progress line that cannot be shown.
        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    }
}

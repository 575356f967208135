//! What others may know of a live run: whether it moves, whether it is ready, and what it measured.
//!
//! The run writes here on its own thread, the server reads on the runtime's; no lock is held by either while something is printed,
//! sent or waited for.

mod counts;
mod listener;
mod metrics;
mod page;
mod probes;

pub(crate) use counts::Tally;
pub(crate) use listener::Listener;

use super::clock;
use counts::Counts;
use faro_core::Nanos;
use faro_watch::{Health, Standing};
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What the run is at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// Something to happen: a connection, a line, a deadline.
    Waits,
    /// The engine, or what is stored.
    Works,
    /// The reader of standard output.
    Prints,
}

impl Step {
    const ALL: [Self; 3] = [Self::Waits, Self::Works, Self::Prints];
}

/// A run as others see it.
pub(crate) struct Monitor {
    begun: Instant,
    started: Nanos,
    /// What the run is at and since when, in one number: milliseconds times the number of steps, plus the step.
    step: AtomicU64,
    health: OnceLock<Health>,
    leadership: OnceLock<Candidate>,
    pub(crate) counts: Counts,
    pub(crate) checkpoints: Checkpointing,
}

/// A candidate for a Lease.
struct Candidate {
    place: String,
    standing: watch::Receiver<Standing>,
}

/// How storing checkpoints goes.
#[derive(Default)]
pub(crate) struct Checkpointing {
    stored: AtomicU64,
    failed: AtomicU64,
    /// Nanoseconds since 1970.
    last: AtomicU64,
    nanos: AtomicU64,
}

impl Checkpointing {
    pub(crate) fn stored(&self, took: Duration) {
        self.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.last.store(clock::now().0.cast_unsigned(), Ordering::Relaxed);
        self.stored.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }
}

impl Monitor {
    /// Begins with a run that waits for its cluster.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            begun: Instant::now(),
            started: clock::now(),
            step: AtomicU64::new(0),
            health: OnceLock::new(),
            leadership: OnceLock::new(),
            counts: Counts::default(),
            checkpoints: Checkpointing::default(),
        })
    }

    /// Notes what the run is at from now on.
    pub(crate) fn enters(&self, step: Step) {
        let millis = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX / 4);
        self.step.store(millis * Step::ALL.len() as u64 + step as u64, Ordering::Relaxed);
    }

    /// Returns what the run is at, and for how long.
    fn step(&self) -> (Step, Duration) {
        let (noted, steps) = (self.step.load(Ordering::Relaxed), Step::ALL.len() as u64);
        let step = Step::ALL[usize::try_from(noted % steps).unwrap_or_default()];
        (step, self.begun.elapsed().saturating_sub(Duration::from_millis(noted / steps)))
    }

    /// The watches have begun.
    pub(crate) fn watches(&self, health: Health) {
        // A process watches once.
        let _ = self.health.set(health);
    }

    /// The process is a candidate for a Lease.
    pub(crate) fn stands(&self, place: &str, standing: watch::Receiver<Standing>) {
        let _ = self.leadership.set(Candidate { place: place.to_owned(), standing });
    }
}

/// Standard output, and how long its reader keeps us waiting.
pub(crate) struct Watched<W> {
    out: W,
    monitor: Arc<Monitor>,
}

impl<W> Watched<W> {
    pub(crate) fn new(out: W, monitor: &Arc<Monitor>) -> Self {
        Self { out, monitor: Arc::clone(monitor) }
    }

    fn printing<T>(&mut self, print: impl FnOnce(&mut W) -> io::Result<T>) -> io::Result<T> {
        self.monitor.enters(Step::Prints);
        let printed = print(&mut self.out);
        self.monitor.enters(Step::Works);
        printed
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.printing(|out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.printing(W::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_and_its_time_fit_into_one_number() {
        let monitor = Monitor::new();
        assert_eq!(monitor.step().0, Step::Waits);
        for step in Step::ALL {
            monitor.enters(step);
            let (entered, since) = monitor.step();
            assert_eq!(entered, step);
            assert!(since < Duration::from_secs(60));
        }
    }

    #[test]
    fn reader_is_waited_for_while_it_is_written_to() {
        struct Looks(Arc<Monitor>);
        impl Write for Looks {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                assert_eq!(self.0.step().0, Step::Prints);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let monitor = Monitor::new();
        Watched::new(Looks(Arc::clone(&monitor)), &monitor).write_all(b"a line\n").unwrap();
        assert_eq!(monitor.step().0, Step::Works);
    }
}

//! Waiting for what others do.

use std::thread;
use std::time::{Duration, Instant};

/// Between two looks.
const STEP: Duration = Duration::from_millis(20);
/// How long [`eventually`] waits: many times what a busy machine takes, so that only what never comes is missed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks until there is an answer, and returns it.
///
/// # Panics
///
/// Panics after a minute, with `what` was waited for.
#[track_caller]
pub fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    match within(PATIENCE, look) {
        Some(answer) => answer,
        None => panic!("waited {} s in vain: {what}", PATIENCE.as_secs()),
    }
}

/// Looks until there is an answer or `patience` is over.
pub fn within<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + patience;
    loop {
        // The time is taken first: what is there at the deadline is seen.
        let late = Instant::now() >= deadline;
        match look() {
            None if late => return None,
            None => pause(STEP),
            answer @ Some(_) => return answer,
        }
    }
}

/// Leaves the processor to others between two looks; never a substitute for looking.
pub(super) fn pause(step: Duration) {
    thread::sleep(step);
}

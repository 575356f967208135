//! The only clock of the program.

use faro_core::Nanos;
use std::time::{Duration, SystemTime};

/// Now.
pub(crate) fn now() -> Nanos {
    SystemTime::now().into()
}

/// How long it is until a moment; nothing when it has passed.
pub(crate) fn until(moment: Nanos) -> Duration {
    Duration::from_nanos(u64::try_from(moment.since(now())).unwrap_or(0))
}

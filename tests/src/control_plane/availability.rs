//! Whether cluster tests can run here.

use std::sync::OnceLock;

use super::binaries::{Binaries, say};

/// Set to `1` where a cluster test that cannot run is a failure, as on build machines.
const REQUIRED: &str = "FARO_REQUIRE_CLUSTER";

/// Either the programs or the reason why there are none.
#[derive(Debug)]
pub(super) struct Availability(Result<Binaries, String>);

impl Availability {
    /// Looks once a process: a build that failed would fail again, minutes later.
    pub(super) fn of_this_process() -> &'static Self {
        static AVAILABILITY: OnceLock<Availability> = OnceLock::new();
        AVAILABILITY.get_or_init(|| Self(Binaries::ensure().map_err(|err| err.to_string())))
    }

    /// Returns the programs, or says that the test is skipped and why.
    #[track_caller]
    pub(super) fn binaries_or_skip(&self) -> Option<Binaries> {
        match &self.0 {
            Ok(binaries) => Some(binaries.clone()),
            Err(reason) if std::env::var_os(REQUIRED).is_some_and(|value| value == "1") => {
                panic!("`{REQUIRED}` is 1, and there is no control plane: {reason}")
            }
            Err(reason) => {
                let thread = std::thread::current();
                say(&format!("skipped: {}: {reason}", thread.name().unwrap_or("a cluster test")));
                None
            }
        }
    }
}

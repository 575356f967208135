//! Whether cluster tests can run here.

use std::sync::OnceLock;

use super::binaries::{Binaries, say};

/// Set to `1` where a cluster test that cannot run is a failure, as on build machines.
const REQUIRED: &str = "FARO_REQUIRE_CLUSTER";

impl Binaries {
    /// Finds or builds the programs for a test; says "skipped" and why, and returns nothing, where there are none.
    ///
    /// # Panics
    ///
    /// Panics where there are none though `FARO_REQUIRE_CLUSTER` is `1`.
    #[track_caller]
    pub fn ensure_or_skip() -> Option<Self> {
        // Once a process: a build that failed would fail again, minutes later.
        static OUTCOME: OnceLock<Result<Binaries, String>> = OnceLock::new();
        match OUTCOME.get_or_init(|| Self::ensure().map_err(|err| err.to_string())) {
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

//! One control plane for many tests.

use std::ops::Deref;
use std::sync::OnceLock;
use std::thread;

use super::{Binaries, ControlPlane, Setup};

/// The nodes of the shared control plane.
const NODES: usize = 3;

/// The control plane that the tests of this process share, for the time of one test.
#[derive(Debug)]
pub struct Shared(&'static ControlPlane);

impl ControlPlane {
    /// Borrows the control plane that all tests of this process share: with controllers and three nodes, started by the first.
    ///
    /// It ends with the process. A test works in namespaces of its own ([`ControlPlane::namespace`]) and neither stops a component
    /// nor compacts etcd; one that has to starts its own.
    ///
    /// Returns nothing, and says why, where cluster tests cannot run.
    ///
    /// # Panics
    ///
    /// Panics when it does not start, and when it would be skipped though `FARO_REQUIRE_CLUSTER` is `1`.
    pub fn shared() -> Option<Shared> {
        static SHARED: OnceLock<Result<ControlPlane, String>> = OnceLock::new();
        let binaries = Binaries::ensure_or_skip()?;
        match SHARED.get_or_init(|| ControlPlane::start_with(binaries, Setup::new().nodes(NODES)).map_err(|err| err.to_string())) {
            Ok(control_plane) => Some(Shared(control_plane)),
            Err(problem) => panic!("{problem}"),
        }
    }
}

impl Deref for Shared {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        self.0
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.keep_logs();
        }
    }
}

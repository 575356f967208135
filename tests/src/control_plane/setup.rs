//! What a control plane consists of and how it is started.

use std::time::Duration;

use super::{Binaries, ControlPlane, StartError};

/// How to start a control plane: etcd and kube-apiserver, and what is asked for besides.
///
/// # Example
///
/// ```no_run
/// use std::time::Duration;
///
/// use faro_tests::control_plane::Setup;
///
/// let control_plane = Setup::new().nodes(2).event_ttl(Duration::from_secs(10)).start()?;
/// println!("export KUBECONFIG={}", control_plane.kubeconfig().display());
/// # Ok::<(), faro_tests::control_plane::StartError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Setup {
    pub(super) controllers: bool,
    pub(super) nodes: usize,
    pub(super) node_grace: Option<Duration>,
    pub(super) event_ttl: Option<Duration>,
    pub(super) feature_gates: Vec<String>,
    pub(super) api_server_flags: Vec<String>,
    pub(super) controller_manager_flags: Vec<String>,
}

impl Setup {
    /// Starts with etcd and kube-apiserver alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds kube-controller-manager and kube-scheduler.
    #[must_use]
    pub fn controllers(mut self) -> Self {
        self.controllers = true;
        self
    }

    /// Adds so many nodes, run by kwok, and the controllers, without which nothing would be scheduled on them.
    ///
    /// They are called `node-1` and so on and have 8 CPUs, 16 GiB and room for 110 pods each.
    #[must_use]
    pub fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = nodes;
        self.controllers |= nodes > 0;
        self
    }

    /// Sets after how much silence of its kubelet a node is lost (`--node-monitor-grace-period`); 50 seconds else.
    ///
    /// See [`ControlPlane::abandon_node`]. No less than four seconds: every node renews its lease four times in that time.
    #[must_use]
    pub fn node_grace(mut self, grace: Duration) -> Self {
        self.node_grace = Some(grace);
        self
    }

    /// Sets how long Events live (`--event-ttl`); an hour else. etcd knows no less than two seconds, and removes a little late.
    #[must_use]
    pub fn event_ttl(mut self, ttl: Duration) -> Self {
        self.event_ttl = Some(ttl);
        self
    }

    /// Sets a feature gate of kube-apiserver, as in `WatchList=false`.
    #[must_use]
    pub fn feature_gate(mut self, gate: impl Into<String>) -> Self {
        self.feature_gates.push(gate.into());
        self
    }

    /// Adds a flag of kube-apiserver, as in `--watch-cache=false`; it wins over ours of the same name.
    #[must_use]
    pub fn api_server_flag(mut self, flag: impl Into<String>) -> Self {
        self.api_server_flags.push(flag.into());
        self
    }

    /// Adds a flag of kube-controller-manager, as in `--node-monitor-grace-period=10s`.
    #[must_use]
    pub fn controller_manager_flag(mut self, flag: impl Into<String>) -> Self {
        self.controller_manager_flags.push(flag.into());
        self
    }

    /// Starts it and waits until all of it is ready.
    ///
    /// # Errors
    ///
    /// Fails when the programs are absent and cannot be built, and when a component ends or does not become ready; the directory
    /// with the logs is kept then, and the error shows the end of each.
    pub fn start(self) -> Result<ControlPlane, StartError> {
        ControlPlane::start_with(Binaries::ensure()?, self)
    }

    /// Starts it for a test; says "skipped" and why, and returns nothing, where there are no programs and none can be built.
    ///
    /// # Panics
    ///
    /// Panics when it does not start, and when it would be skipped though `FARO_REQUIRE_CLUSTER` is `1`.
    pub fn start_or_skip(self) -> Option<ControlPlane> {
        let binaries = Binaries::ensure_or_skip()?;
        match ControlPlane::start_with(binaries, self) {
            Ok(control_plane) => Some(control_plane),
            Err(err) => panic!("{err}"),
        }
    }
}

//! A real control plane for tests: etcd, kube-apiserver, and on request kube-controller-manager, kube-scheduler and nodes.
//!
//! The programs are those of the Kubernetes project, built from source ([`Binaries`]) and started on free ports of the loopback
//! interface with a directory, certificates and RBAC of their own ([`Setup`]). What cannot be real without a machine per node is
//! *simulated*: kwok runs nodes and pods ([`stages`]), and the [`Recorder`] writes the Events that kubelets would.
//!
//! Everything that was started ends with the process that started it, killed or not. The directory is removed, unless the test
//! failed: then its path and the end of each log are on stderr.

mod accounts;
mod api;
mod availability;
mod binaries;
mod certificates;
mod components;
mod directory;
mod kubeconfig;
mod poll;
mod ports;
mod recorder;
mod setup;
mod shared;
pub mod stages;
mod start_error;
mod supervised;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

pub use accounts::Account;
pub use api::{Api, ApiError, Patch};
pub use binaries::{Binaries, BuildError, kubernetes_version};
pub use components::Component;
use components::Plan;
use directory::Directory;
pub use poll::{eventually, within};
pub use ports::free as free_port;
pub use recorder::Recorder;
pub use setup::Setup;
pub use shared::Shared;
pub use start_error::StartError;
use supervised::{Signal, Supervised};

/// How long a component may take to become ready: many times what a busy machine takes.
const START: Duration = Duration::from_secs(120);

/// A running control plane; all of it ends when this is dropped.
#[derive(Debug)]
pub struct ControlPlane {
    // Dropped in this order: what writes into the directory ends before it is removed.
    running: Mutex<BTreeMap<Component, Supervised>>,
    directory: Mutex<Directory>,
    binaries: Binaries,
    setup: Setup,
    plan: Plan,
    api: Api,
    namespaces: AtomicU32,
}

impl ControlPlane {
    fn start_with(binaries: Binaries, setup: Setup) -> Result<Self, StartError> {
        let directory =
            Directory::create().map_err(|source| StartError::Io { action: "create a directory in", path: std::env::temp_dir(), source })?;
        let plan = Plan::make(&directory)?;
        let api = Api::from_kubeconfig(&plan.admin)?;
        let control_plane =
            Self { running: Mutex::default(), directory: Mutex::new(directory), binaries, setup, plan, api, namespaces: AtomicU32::new(0) };
        control_plane.start_all().inspect_err(|_| control_plane.keep_directory())?;
        Ok(control_plane)
    }

    fn start_all(&self) -> Result<(), StartError> {
        self.start(Component::Etcd)?;
        self.start(Component::ApiServer)?;
        if self.setup.controllers {
            // Side by side: each takes seconds, most of them spent waiting for the API server.
            self.launch(Component::ControllerManager)?;
            self.launch(Component::Scheduler)?;
        }
        if self.setup.nodes > 0 {
            self.launch(Component::Kwok)?;
            for number in 1..=self.setup.nodes {
                stages::create_node(&self.api, &format!("node-{number}"), &json!({}))?;
            }
        }
        for component in [Component::ControllerManager, Component::Scheduler, Component::Kwok] {
            if self.lock_running().contains_key(&component) {
                self.await_ready(component)?;
            }
        }
        self.await_default_account("default")?;
        self.await_that("the nodes", || {
            let nodes = self.api.list("/api/v1/nodes").map_err(|err| err.to_string())?;
            let schedulable = nodes.iter().filter(|node| stages::is_schedulable(node)).count();
            if schedulable == self.setup.nodes { Ok(()) } else { Err(format!("{schedulable} of {}", self.setup.nodes)) }
        })
    }

    /// Starts a component that was stopped or killed, with the port and the data it had, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// Fails when it ends or does not become ready.
    pub fn start(&self, component: Component) -> Result<(), StartError> {
        self.launch(component)?;
        self.await_ready(component)?;
        if component == Component::ApiServer {
            // Made by the API server itself, a moment after it is ready for the first time.
            self.await_that("the namespace `default`", || {
                self.api.read("/api/v1/namespaces/default").map(drop).map_err(|err| err.to_string())
            })?;
        }
        Ok(())
    }

    /// Asks a component to end, and waits until it has; harmless when it does not run.
    pub fn stop(&self, component: Component) {
        let stopped = self.lock_running().remove(&component);
        if let Some(process) = stopped {
            process.stop();
        }
    }

    /// Ends a component with signal 9.
    pub fn kill(&self, component: Component) {
        drop(self.lock_running().remove(&component));
    }

    /// Halts a component: its connections stay open and nothing comes out of them.
    pub fn pause(&self, component: Component) {
        if let Some(process) = self.lock_running().get_mut(&component) {
            process.halt();
        }
    }

    /// Lets a halted component go on.
    pub fn resume(&self, component: Component) {
        if let Some(process) = self.lock_running().get_mut(&component) {
            process.signal(Signal::Cont);
        }
    }

    fn launch(&self, component: Component) -> Result<(), StartError> {
        let arguments = self.plan.arguments(component, &self.setup)?;
        let program = self.binaries.program(component.program());
        let log = self.lock_directory().log(component.program());
        let process =
            Supervised::start(&program, &arguments, &log).map_err(|source| StartError::Io { action: "start", path: program, source })?;
        self.lock_running().insert(component, process);
        Ok(())
    }

    fn await_ready(&self, component: Component) -> Result<(), StartError> {
        self.await_that(component.program(), || self.plan.is_ready(component).map_err(|err| err.to_string()))
    }

    fn await_that(&self, what: &'static str, mut is_so: impl FnMut() -> Result<(), String>) -> Result<(), StartError> {
        let mut problem = String::new();
        let looked = poll::within(START, || match is_so() {
            Ok(()) => Some(Ok(())),
            Err(err) => {
                problem = err;
                self.ended().map(Err)
            }
        });
        match looked {
            Some(Ok(())) => Ok(()),
            Some(Err((component, status))) => {
                let (directory, logs) = self.evidence();
                Err(StartError::Ended { component, status, directory, logs })
            }
            None => {
                let (directory, logs) = self.evidence();
                Err(StartError::NotReady { what, problem, directory, logs })
            }
        }
    }

    fn ended(&self) -> Option<(Component, ExitStatus)> {
        self.lock_running().iter_mut().find_map(|(component, process)| Some((*component, process.ended()?)))
    }

    fn evidence(&self) -> (PathBuf, String) {
        let directory = self.lock_directory();
        (directory.path().to_owned(), directory.last_lines())
    }

    /// Pods need the service account `default` of their namespace. Without a controller manager nobody else makes it.
    fn await_default_account(&self, namespace: &str) -> Result<(), StartError> {
        let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
        if !self.setup.controllers {
            return match self.api.create(&accounts, &json!({"metadata": {"name": "default"}})) {
                Err(err) if err.status() != Some(409) => Err(err.into()),
                Ok(_) | Err(_) => Ok(()),
            };
        }
        self.await_that("the service account `default`", || {
            self.api.read(&format!("{accounts}/default")).map(drop).map_err(|err| err.to_string())
        })
    }

    /// Creates a namespace whose name begins with `prefix` and that no other test has, and waits until pods can be created in it.
    ///
    /// # Panics
    ///
    /// Panics when the API server refuses.
    pub fn namespace(&self, prefix: &str) -> String {
        let number = self.namespaces.fetch_add(1, Ordering::Relaxed);
        let name = format!("{prefix}-{number}");
        let created = self.api.create("/api/v1/namespaces", &json!({"metadata": {"name": name}}));
        if let Err(err) = created.map_err(StartError::from).and_then(|_| self.await_default_account(&name)) {
            panic!("{err}");
        }
        name
    }

    /// Adds a node like those of [`Setup::nodes`], with further labels; kwok has to run. It is ready a moment later.
    ///
    /// # Errors
    ///
    /// Fails when the API server refuses.
    pub fn add_node(&self, name: &str, labels: &Value) -> Result<(), ApiError> {
        stages::create_node(&self.api, name, labels)
    }

    /// Silences the kubelet of a node, as when its machine is gone; the controllers find it lost when its grace is over.
    ///
    /// # Errors
    ///
    /// Fails when there is no such node, or the API server refuses.
    pub fn abandon_node(&self, name: &str) -> Result<(), ApiError> {
        stages::abandon_node(&self.api, name)
    }

    /// Forgets etcd's history up to now; returns the revision. A watch that would need older history is answered 410.
    ///
    /// The API server answers most watches from a cache of its own, which knows more than etcd then: only Events, which it does not
    /// cache, are refused at once, everything else after a restart of the API server.
    ///
    /// # Errors
    ///
    /// Fails when etcd does not answer.
    pub fn compact(&self) -> Result<u64, ApiError> {
        let etcd = self.plan.etcd_client()?;
        // Any range will do, for every answer names the revision; this is the key of one zero byte, in base64.
        let answer = etcd.create("/v3/kv/range", &json!({"key": "AA=="}))?;
        let revision = answer["header"]["revision"].as_str().and_then(|revision| revision.parse().ok()).unwrap_or_default();
        etcd.create("/v3/kv/compaction", &json!({"revision": revision, "physical": true}))?;
        Ok(revision)
    }

    /// Returns a client with all rights.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Returns where the API server answers.
    pub fn url(&self) -> &str {
        &self.plan.cluster.url
    }

    /// Returns the path of the certificate that the API server's is signed with.
    pub fn authority(&self) -> &Path {
        &self.plan.cluster.authority
    }

    /// Returns the path of the kubeconfig with all rights.
    pub fn kubeconfig(&self) -> &Path {
        &self.plan.admin
    }

    /// Returns the directory of the programs, kubectl among them.
    pub fn programs(&self) -> &Path {
        self.binaries.directory()
    }

    /// Returns a command that is kubectl with all rights and without a trace in the user's home; the caller adds the arguments.
    pub fn kubectl(&self) -> Command {
        let mut kubectl = Command::new(self.binaries.program("kubectl"));
        kubectl.env("KUBECONFIG", self.kubeconfig()).env("KUBECACHEDIR", self.plan.cluster.directory.join("kubectl")).env("KUBERC", "off");
        kubectl
    }

    /// Returns the components that run, with process id and memory in use, in bytes.
    pub fn usage(&self) -> Vec<(Component, u32, u64)> {
        self.lock_running().iter().map(|(component, process)| (*component, process.pid(), process.memory().unwrap_or(0))).collect()
    }

    /// Returns the Events about an object, by its name, through core/v1.
    ///
    /// # Errors
    ///
    /// Fails when the API server refuses.
    pub fn events_about(&self, namespace: &str, name: &str) -> Result<Vec<Value>, ApiError> {
        self.api.list(&format!("/api/v1/namespaces/{namespace}/events?fieldSelector=involvedObject.name={name}"))
    }

    fn cluster(&self) -> &kubeconfig::Cluster {
        &self.plan.cluster
    }

    fn keep_directory(&self) {
        self.lock_directory().keep();
    }

    /// Keeps the directory and shows the end of each log; for a test that fails.
    fn keep_logs(&self) {
        self.keep_directory();
        let (directory, logs) = self.evidence();
        binaries::say(&format!("the control plane's directory is kept: {}\n{logs}", directory.display()));
    }

    fn lock_running(&self) -> MutexGuard<'_, BTreeMap<Component, Supervised>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        if thread::panicking() {
            self.keep_logs();
        }
        // Who depends on another one ends before it, so that no log is full of a missing server.
        let mut running = self.lock_running();
        while let Some((_, process)) = running.pop_last() {
            drop(process);
        }
    }
}

//! How each component is started, and how it says that it is ready.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::certificates::{Authority, Identity};
use super::directory::Directory;
use super::kubeconfig::Cluster;
use super::{Api, ApiError, Setup, StartError, ports, stages};

/// The services' addresses. Nothing routes to them.
const SERVICE_RANGE: &str = "10.96.0.0/16";
/// The pods' addresses, as kwok hands them out. Nothing routes to them.
const POD_RANGE: &str = "10.244.0.0/16";

/// What the controllers and the scheduler may ask of the API server.
const REQUESTS_A_SECOND: &str = "1000";

/// A program of the control plane.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Component {
    /// etcd.
    Etcd,
    /// kube-apiserver.
    ApiServer,
    /// kube-controller-manager.
    ControllerManager,
    /// kube-scheduler.
    Scheduler,
    /// kwok, in place of the kubelets.
    Kwok,
}

impl Component {
    /// Returns the name of its program.
    pub fn program(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Kwok => "kwok",
        }
    }
}

/// What the components have to know of each other: ports, files, identities. It does not change while they stop and start.
#[derive(Debug)]
pub(super) struct Plan {
    directory: PathBuf,
    etcd: u16,
    etcd_peer: u16,
    controller_manager: u16,
    scheduler: u16,
    kwok: u16,
    api_port: u16,
    server: Identity,
    tokens: Identity,
    authority: Authority,
    pub(super) cluster: Cluster,
    pub(super) admin: PathBuf,
}

impl Plan {
    pub(super) fn make(directory: &Directory) -> Result<Self, StartError> {
        let path = directory.path();
        let port = || ports::free().map_err(StartError::NoPort);
        let authority = Authority::create(path)?;
        let api_port = port()?;
        let cluster = Cluster { url: local("https", api_port), authority: authority.certificate.clone(), directory: path.to_owned() };
        Ok(Self {
            directory: path.to_owned(),
            etcd: port()?,
            etcd_peer: port()?,
            controller_manager: port()?,
            scheduler: port()?,
            kwok: port()?,
            api_port,
            server: authority.server()?,
            tokens: authority.token_keys()?,
            admin: cluster.certified(&authority, "admin", Some("system:masters"))?,
            authority,
            cluster,
        })
    }

    /// Makes a client of etcd's JSON gateway.
    pub(super) fn etcd_client(&self) -> Result<Api, ApiError> {
        Api::anonymous(&self.etcd_url(), &self.authority.certificate)
    }

    /// Returns where etcd answers.
    fn etcd_url(&self) -> String {
        local("http", self.etcd)
    }

    /// Returns the arguments of a component.
    pub(super) fn arguments(&self, component: Component, setup: &Setup) -> Result<Vec<String>, StartError> {
        match component {
            Component::Etcd => Ok(self.etcd_arguments()),
            Component::ApiServer => Ok(self.api_server_arguments(setup)),
            Component::ControllerManager => self.controller_manager_arguments(setup),
            Component::Scheduler => self.scheduler_arguments(),
            Component::Kwok => self.kwok_arguments(setup),
        }
    }

    /// Listens in plain text on the loopback interface: what it keeps is made up.
    fn etcd_arguments(&self) -> Vec<String> {
        let peer = local("http", self.etcd_peer);
        let mut arguments = flags([
            ("name", "faro"),
            ("data-dir", &file(&self.directory.join("etcd"))),
            ("listen-client-urls", &self.etcd_url()),
            ("advertise-client-urls", &self.etcd_url()),
            ("listen-peer-urls", &peer),
            ("initial-advertise-peer-urls", &peer),
            ("initial-cluster", &format!("faro={peer}")),
            // A killed process loses nothing that it has written; only a crash of the machine does.
            ("unsafe-no-fsync", "true"),
            ("log-level", "warn"),
        ]);
        // The default of 2 GiB is reached by a load test that runs long.
        arguments.push("--quota-backend-bytes=8589934592".to_owned());
        arguments
    }

    fn api_server_arguments(&self, setup: &Setup) -> Vec<String> {
        let mut arguments = flags([
            ("etcd-servers", &self.etcd_url()),
            // Histories are compacted when a test asks for it, and never else.
            ("etcd-compaction-interval", "0"),
            ("bind-address", "127.0.0.1"),
            ("secure-port", &self.api_port.to_string()),
            ("tls-cert-file", &file(&self.server.certificate)),
            ("tls-private-key-file", &file(&self.server.key)),
            ("client-ca-file", &file(&self.authority.certificate)),
            ("authorization-mode", "Node,RBAC"),
            ("service-account-issuer", "https://kubernetes.default.svc"),
            ("service-account-key-file", &file(&self.tokens.certificate)),
            ("service-account-signing-key-file", &file(&self.tokens.key)),
            ("service-cluster-ip-range", SERVICE_RANGE),
            // The Service `kubernetes` would get an address of the loopback interface as its endpoint, which is refused.
            ("endpoint-reconciler-type", "none"),
            ("allow-privileged", "true"),
            ("profiling", "false"),
        ]);
        if let Some(ttl) = setup.event_ttl {
            arguments.push(format!("--event-ttl={}ms", ttl.as_millis()));
        }
        if !setup.feature_gates.is_empty() {
            arguments.push(format!("--feature-gates={}", setup.feature_gates.join(",")));
        }
        arguments.extend(setup.api_server_flags.iter().cloned());
        arguments
    }

    fn controller_manager_arguments(&self, setup: &Setup) -> Result<Vec<String>, StartError> {
        let kubeconfig = self.cluster.certified(&self.authority, "system:kube-controller-manager", None)?;
        let mut arguments = flags([
            ("kubeconfig", &file(&kubeconfig)),
            ("leader-elect", "false"),
            ("bind-address", "127.0.0.1"),
            ("secure-port", &self.controller_manager.to_string()),
            ("tls-cert-file", &file(&self.server.certificate)),
            ("tls-private-key-file", &file(&self.server.key)),
            ("use-service-account-credentials", "true"),
            ("service-account-private-key-file", &file(&self.tokens.key)),
            ("root-ca-file", &file(&self.authority.certificate)),
            // The default of 20 requests a second makes every start take seconds, and holds up a test that creates much.
            ("kube-api-qps", REQUESTS_A_SECOND),
            ("kube-api-burst", REQUESTS_A_SECOND),
            ("profiling", "false"),
        ]);
        if let Some(grace) = setup.node_grace {
            arguments.push(format!("--node-monitor-grace-period={}s", grace.as_secs()));
        }
        arguments.extend(setup.controller_manager_flags.iter().cloned());
        Ok(arguments)
    }

    fn scheduler_arguments(&self) -> Result<Vec<String>, StartError> {
        let kubeconfig = self.cluster.certified(&self.authority, "system:kube-scheduler", None)?;
        Ok(flags([
            ("kubeconfig", &file(&kubeconfig)),
            ("leader-elect", "false"),
            ("bind-address", "127.0.0.1"),
            ("secure-port", &self.scheduler.to_string()),
            ("tls-cert-file", &file(&self.server.certificate)),
            ("tls-private-key-file", &file(&self.server.key)),
            ("kube-api-qps", REQUESTS_A_SECOND),
            ("kube-api-burst", REQUESTS_A_SECOND),
        ]))
    }

    fn kwok_arguments(&self, setup: &Setup) -> Result<Vec<String>, StartError> {
        // It stands for all kubelets at once, which no role of Kubernetes allows.
        let kubeconfig = self.cluster.certified(&self.authority, "kwok", Some("system:masters"))?;
        let stages = stages::write(&self.directory)?;
        // As kubelets' leases, which are a little shorter than the silence that loses a node; renewed four times in that time.
        let lease = setup.node_grace.unwrap_or(Duration::from_secs(40));
        Ok(flags([
            ("kubeconfig", &file(&kubeconfig)),
            ("config", &file(&stages)),
            ("manage-nodes-with-label-selector", stages::MANAGED),
            ("node-lease-duration-seconds", &lease.as_secs().to_string()),
            ("cidr", POD_RANGE),
            ("node-ip", "10.244.0.1"),
            ("server-address", &format!("127.0.0.1:{}", self.kwok)),
        ]))
    }

    /// Asks a component whether it is ready.
    pub(super) fn is_ready(&self, component: Component) -> Result<(), ApiError> {
        let (url, path) = match component {
            Component::Etcd => (self.etcd_url(), "/readyz"),
            Component::ApiServer => (self.cluster.url.clone(), "/readyz"),
            Component::ControllerManager => (local("https", self.controller_manager), "/healthz"),
            Component::Scheduler => (local("https", self.scheduler), "/readyz"),
            Component::Kwok => (local("http", self.kwok), "/healthz"),
        };
        Api::anonymous(&url, &self.authority.certificate)?.text(path).map(drop)
    }
}

fn flags<const N: usize>(flags: [(&str, &str); N]) -> Vec<String> {
    flags.map(|(name, value)| format!("--{name}={value}")).into()
}

fn file(path: &Path) -> String {
    path.display().to_string()
}

fn local(scheme: &str, port: u16) -> String {
    format!("{scheme}://127.0.0.1:{port}")
}

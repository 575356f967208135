//! Clusters: where they are, who we are there, and a client that notices when its connection is dead.
//!
//! # Connections
//!
//! HTTP/1.1 with one connection a stream, so that a slow reader of one watch never holds up another. Connecting takes at most 10
//! seconds. TCP keep-alive begins after 30 seconds of silence and repeats every 10; after 3 unanswered ones, and on Linux when sent
//! data stays unacknowledged for 60 seconds (`TCP_USER_TIMEOUT`), the connection is given up. Through a proxy (`proxy-url`,
//! `HTTPS_PROXY`) the settings are kube's own, which has none of these: bookmarks and renewals find a dead stream there.
//!
//! # Credentials
//!
//! Token files are read again every minute, exec plugins are run again when what they gave expires (kube's client does both); after a
//! 401 the kubeconfig itself is read again.

mod kubeconfig;

pub use kubeconfig::{contexts, current_context};

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::ConfigExt as _;
use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use std::path::PathBuf;
use std::time::Duration;
use tower::{BoxError, ServiceBuilder};

/// Why there is no client for a cluster.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// A kubeconfig that cannot be read.
    #[error("kubeconfig {place}: {}", one_line(source))]
    Kubeconfig {
        /// The file, or where files were looked for.
        place: String,
        /// What is wrong.
        source: Box<KubeconfigError>,
    },
    /// No kubeconfig, and not in a cluster.
    #[error("no cluster: {place} has no current context, and this is no pod ({})", one_line(source))]
    NoCluster {
        /// Where a kubeconfig was looked for.
        place: String,
        /// Why it is no pod.
        source: Box<InClusterError>,
    },
    /// A context that no kubeconfig has.
    #[error("context `{context}` is not in {place}{}", names(known))]
    UnknownContext {
        /// The context.
        context: String,
        /// The file, or where files were looked for.
        place: String,
        /// The contexts that are there.
        known: Vec<String>,
    },
    /// Certificates or keys that cannot be used.
    #[error("cluster `{cluster}`: {}", one_line(source))]
    Client {
        /// The cluster's name.
        cluster: String,
        /// What is wrong.
        source: Box<kube::Error>,
    },
}

fn names(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!("; there are {}", known.join(", ")) }
}

/// An error and its sources in one line, each said once.
pub(crate) fn one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let said = error.to_string();
        let said = said.strip_prefix("ServiceError: ").unwrap_or(&said);
        // rustls adds where its users find advice, which is not for ours.
        let said = said.split_once(": https://docs.rs/").map_or(said, |(said, _)| said);
        if !line.contains(said) {
            if !line.is_empty() {
                line.push_str(": ");
            }
            line.push_str(said);
        }
        next = error.source();
    }
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A cluster, and how to get into it.
#[derive(Clone)]
pub struct Cluster {
    name: String,
    source: Source,
}

/// What a source comes to.
enum Configured {
    Server(Box<kube::Config>),
    Client(kube::Client),
}

#[derive(Clone)]
enum Source {
    Kubeconfig { file: Option<PathBuf>, context: String },
    Pod,
    Client(kube::Client),
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Finds the cluster of a context, or of the current one; without a kubeconfig, the cluster that this is a pod of.
    ///
    /// `file` is one kubeconfig (`--kubeconfig`); without it the files of `KUBECONFIG` are merged by its rules (the first that sets
    /// a value wins, files that do not exist are passed over), else `~/.kube/config` is read. The cluster is named like the context;
    /// in a pod it has no name.
    ///
    /// # Errors
    ///
    /// A kubeconfig cannot be read or has no such context, or there is none and this is no pod.
    pub fn find(file: Option<PathBuf>, context: Option<&str>) -> Result<Self, ConnectError> {
        let config = kubeconfig::read(file.as_deref())?;
        let place = || kubeconfig::place(file.as_deref());
        let wanted = context.map(str::to_owned).or_else(|| config.current_context.clone()).filter(|name| !name.is_empty());
        let Some(context) = wanted else {
            return match kube::Config::incluster() {
                Ok(_) => Ok(Self { name: String::new(), source: Source::Pod }),
                Err(source) => Err(ConnectError::NoCluster { place: place(), source: Box::new(source) }),
            };
        };
        if config.contexts.iter().all(|named| named.name != context) {
            let known = config.contexts.into_iter().map(|named| named.name).collect();
            return Err(ConnectError::UnknownContext { context, place: place(), known });
        }
        Ok(Self { name: context.clone(), source: Source::Kubeconfig { file, context } })
    }

    /// Uses a client of the caller's, which then is responsible for its credentials.
    #[must_use]
    pub fn of_client(name: impl Into<String>, client: kube::Client) -> Self {
        Self { name: name.into(), source: Source::Client(client) }
    }

    /// Sets the name that records carry; that of the context.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The name that records carry; empty when there is none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server's address, for messages; `None` when it is not known.
    pub(crate) async fn server(&self) -> Option<String> {
        match self.config().await.ok()? {
            Configured::Server(config) => Some(config.cluster_url.to_string()),
            Configured::Client(_) => None,
        }
    }

    /// Makes a client; nothing is sent yet. Kubeconfig, certificates and tokens are read anew each time.
    ///
    /// # Errors
    ///
    /// The kubeconfig, or what it names, cannot be read or used.
    pub async fn connect(&self) -> Result<kube::Client, ConnectError> {
        let config = match self.config().await? {
            Configured::Client(client) => return Ok(client),
            Configured::Server(config) => *config,
        };
        self.client(config).map_err(|source| ConnectError::Client { cluster: self.name.clone(), source: Box::new(source) })
    }

    /// The configuration, read anew.
    async fn config(&self) -> Result<Configured, ConnectError> {
        let config = match &self.source {
            Source::Client(client) => return Ok(Configured::Client(client.clone())),
            Source::Pod => kube::Config::incluster()
                .map_err(|source| ConnectError::NoCluster { place: kubeconfig::place(None), source: Box::new(source) })?,
            Source::Kubeconfig { file, context } => {
                let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
                let kubeconfig: Kubeconfig = kubeconfig::read(file.as_deref())?;
                kube::Config::from_custom_kubeconfig(kubeconfig, &options)
                    .await
                    .map_err(|source| ConnectError::Kubeconfig { place: kubeconfig::place(file.as_deref()), source: Box::new(source) })?
            }
        };
        Ok(Configured::Server(Box::new(config)))
    }

    fn client(&self, mut config: kube::Config) -> Result<kube::Client, kube::Error> {
        config.connect_timeout = Some(Duration::from_secs(10));
        // The machines wait themselves, and want to know how often.
        config.default_retry = false;
        if config.proxy_url.is_some() {
            return kube::Client::try_from(config);
        }
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(config.connect_timeout);
        tcp.set_keepalive(Some(Duration::from_secs(30)));
        tcp.set_keepalive_interval(Some(Duration::from_secs(10)));
        tcp.set_keepalive_retries(Some(3));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(Duration::from_mins(1)));
        let tls = config.rustls_https_connector_with_connector(tcp)?;
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(tls);
        let service = ServiceBuilder::new()
            .layer(config.base_uri_layer())
            .option_layer(config.auth_layer()?)
            .layer(config.extra_headers_layer()?)
            .map_err(BoxError::from)
            .service(http);
        Ok(kube::Client::new(service, config.default_namespace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn error_is_one_line_without_advice_for_programmers() {
        let eof = "peer closed connection without sending TLS close_notify: https://docs.rs/rustls/latest/rustls/manual/_03_howto/index.html#unexpected-eof";
        check(&io::Error::other(eof), "peer closed connection without sending TLS close_notify");
        check(&io::Error::other("ServiceError: client error\n(Connect)"), "client error (Connect)");
    }

    #[track_caller]
    fn check(error: &io::Error, want: &str) {
        assert_eq!(one_line(error), want);
    }
}

//! The way from the proxy to the API server.

use std::io;
use std::path::Path;
use std::sync::Arc;

use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// A stream, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// How the server is reached.
pub(super) struct Upstream {
    address: String,
    tls: Option<TlsConnector>,
}

impl Upstream {
    /// Passes on what comes.
    pub(super) fn passing(url: &str) -> Self {
        Self { address: authority(url).to_owned(), tls: None }
    }

    /// Speaks TLS, as whom a kubeconfig stands for.
    pub(super) fn terminating(url: &str, kubeconfig: &Path) -> io::Result<Self> {
        use kube::client::ConfigExt as _;

        let file = Kubeconfig::read_from(kubeconfig).map_err(io::Error::other)?;
        // On a thread of its own, because a test may be on a runtime already.
        let read = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build()?;
            let config = runtime.block_on(kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()));
            config.map_err(io::Error::other)?.rustls_client_config().map_err(io::Error::other)
        });
        let tls = read.join().map_err(|_| io::Error::other("reading the kubeconfig panicked"))??;
        Ok(Self { address: authority(url).to_owned(), tls: Some(TlsConnector::from(Arc::new(tls))) })
    }

    /// Whether requests can be read.
    pub(super) fn is_readable(&self) -> bool {
        self.tls.is_some()
    }

    pub(super) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some(tls) => {
                let name = ServerName::try_from("127.0.0.1").map_err(io::Error::other)?;
                Ok(Box::new(tls.connect(name, stream).await?))
            }
        }
    }
}

fn authority(url: &str) -> &str {
    url.split("://").nth(1).unwrap_or(url)
}

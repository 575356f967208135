//! A proxy in front of the API server that does to connections what networks do: cut, stall, tear, delay.
//!
//! [`Proxy::passing`] forwards TLS as it comes, so the client talks to the real server with its own credentials. [`Proxy::reading`]
//! is spoken to in plain HTTP and asks the server as the administrator: it sees each request, and can tear a line of the answer in
//! the middle or answer in the server's place.

mod connection;
mod upstream;

use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use crate::control_plane::{ControlPlane, eventually};
use upstream::Upstream;

/// What becomes of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The server answers it.
    Forward,
    /// The server answers another one: this request line in its place.
    Rewrite(String),
    /// This is written, and the connection closed.
    Answer(String),
}

impl Verdict {
    /// An answer with a status line's code and words, a type, and a body.
    #[must_use]
    pub fn answer(status: &str, content_type: &str, body: &str) -> Self {
        let mut answer = format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nConnection: close\r\n");
        // Writing to a String does not fail.
        let _ = write!(answer, "Content-Length: {}\r\n\r\n{body}", body.len());
        Self::Answer(answer)
    }
}

/// What is done to connections.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Faults {
    /// Connections that are older than this one's number of cuts are closed.
    cuts: u64,
    /// Connections that are older than this one's number of stalls say nothing any more.
    stalls: u64,
    /// Connections that are older than this one's number of tears are closed in the middle of the next line.
    tears: u64,
    /// Connections are closed, also new ones.
    refuses: bool,
    /// So long each piece of an answer waits.
    delay: Duration,
    /// So many bytes of answers pass in a second, on each connection; 0 for all.
    rate: u32,
}

type Judge = Arc<dyn Fn(&str) -> Verdict + Send + Sync>;

/// What all connections share.
struct Shared {
    faults: watch::Receiver<Faults>,
    judge: Mutex<Judge>,
    requests: Mutex<Vec<(Instant, String)>>,
    upstream: Upstream,
}

impl Shared {
    fn judge(&self, request: &str) -> Verdict {
        lock(&self.requests).push((Instant::now(), request.to_owned()));
        let judge = Arc::clone(&lock(&self.judge));
        judge(request)
    }
}

/// A proxy; what goes through it ends when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    kubeconfig: PathBuf,
    faults: watch::Sender<Faults>,
    shared: Arc<Shared>,
    _directory: tempfile::TempDir,
    /// Taken when it is dropped.
    runtime: Option<Runtime>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Proxy {
    /// Starts a proxy that passes TLS through.
    ///
    /// # Panics
    ///
    /// Panics when it cannot listen, or the kubeconfig of the control plane cannot be read.
    pub fn passing(cluster: &ControlPlane) -> Self {
        let admin = std::fs::read_to_string(cluster.kubeconfig()).expect("the control plane has a kubeconfig");
        let admin = serde_json::from_str(&admin).expect("it is JSON");
        Self::start(Upstream::passing(cluster.url()), "https", admin).expect("a proxy can listen")
    }

    /// Starts a proxy that reads requests, and asks the server as the administrator.
    ///
    /// # Panics
    ///
    /// See [`Self::passing`].
    pub fn reading(cluster: &ControlPlane) -> Self {
        let anybody = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "faro-tests", "cluster": {}}],
            "users": [],
            "contexts": [{"name": "faro-tests", "context": {"cluster": "faro-tests", "user": ""}}],
            "current-context": "faro-tests",
        });
        let upstream = Upstream::terminating(cluster.url(), cluster.kubeconfig()).expect("the administrator's certificate is usable");
        Self::start(upstream, "http", anybody).expect("a proxy can listen")
    }

    fn start(upstream: Upstream, scheme: &str, mut kubeconfig: Value) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("proxy").enable_all().build()?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = {
            let _entered = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("kubeconfig");
        kubeconfig["clusters"][0]["cluster"]["server"] = format!("{scheme}://{address}").into();
        std::fs::write(&path, kubeconfig.to_string())?;
        let (faults, seen) = watch::channel(Faults::default());
        let forward: Judge = Arc::new(|_: &str| Verdict::Forward);
        let shared = Arc::new(Shared { faults: seen, judge: Mutex::new(forward), requests: Mutex::default(), upstream });
        let around = Arc::clone(&shared);
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (shared, faults) = (Arc::clone(&around), around.faults.clone());
                // A connection that fails is the client's to notice.
                tokio::spawn(async move { drop(connection::serve(client, &shared, faults).await) });
            }
        });
        Ok(Self { address, kubeconfig: path, faults, shared, _directory: directory, runtime: Some(runtime) })
    }

    /// Returns the path of a kubeconfig that leads through it.
    pub fn kubeconfig(&self) -> &std::path::Path {
        &self.kubeconfig
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection; new ones are forwarded.
    pub fn cut(&self) {
        self.faults.send_modify(|faults| faults.cuts += 1);
    }

    /// Closes every connection and every new one, or forwards again.
    pub fn refuse(&self, refuse: bool) {
        self.faults.send_modify(|faults| faults.refuses = refuse);
    }

    /// Lets every connection fall silent without closing it; new ones are forwarded.
    pub fn stall(&self) {
        self.faults.send_modify(|faults| faults.stalls += 1);
    }

    /// Closes every connection in the middle of the next line that comes on it; new ones are forwarded.
    pub fn tear(&self) {
        self.faults.send_modify(|faults| faults.tears += 1);
    }

    /// Lets each piece of an answer wait; nothing waits after [`Duration::ZERO`].
    pub fn delay(&self, delay: Duration) {
        self.faults.send_modify(|faults| faults.delay = delay);
    }

    /// Lets so many bytes of answers pass in a second, on each connection; 0 for all.
    pub fn limit(&self, bytes: u32) {
        self.faults.send_modify(|faults| faults.rate = bytes);
    }

    /// Decides what becomes of each request from now on, by its first line (`GET /api/v1/pods?limit=500 HTTP/1.1`).
    pub fn on_request(&self, judge: impl Fn(&str) -> Verdict + Send + Sync + 'static) {
        *lock(&self.shared.judge) = Arc::new(judge);
    }

    /// Forwards every request from now on.
    pub fn forward_all(&self) {
        self.on_request(|_| Verdict::Forward);
    }

    /// Returns the requests that came, with their moments.
    pub fn requests(&self) -> Vec<(Instant, String)> {
        lock(&self.shared.requests).clone()
    }

    /// Returns how many requests came that hold a text.
    pub fn count(&self, text: &str) -> usize {
        lock(&self.shared.requests).iter().filter(|(_, request)| request.contains(text)).count()
    }

    /// Waits until so many requests came that hold a text.
    ///
    /// # Panics
    ///
    /// Panics when they do not come.
    #[track_caller]
    pub fn await_requests(&self, text: &str, count: usize) {
        eventually(&format!("{count} requests with `{text}`"), || (self.count(text) >= count).then_some(()));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // A test may be on a runtime, which is not allowed to wait for another one.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind it is valid at any moment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

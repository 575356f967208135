//! The server of `/livez`, `/readyz` and `/metrics`.
//!
//! It runs on the runtime's own thread, and so answers while the run waits for the reader of standard output.

use super::{Monitor, page};
use crate::failure::Failure;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How many connections are served at once; more wait.
const CONNECTIONS: usize = 64;

/// How long a client may take to ask, for the first time or again.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a connection lasts at most, so that clients who read nothing cannot keep others out.
const LIFE: Duration = Duration::from_mins(10);

type Body = http_body_util::Full<Bytes>;

/// A port that is ours.
pub(crate) struct Listener(TcpListener);

impl Listener {
    /// Takes the port of `127.0.0.1:9180`, `localhost:9180`, or `:9180`, which is every address of this machine.
    pub(crate) fn bind(text: &str) -> Result<Self, Failure> {
        let failed = |error: &io::Error| Failure::failed(format!("cannot listen on `{text}`: {}", crate::failure::reason(error)));
        let addresses = addresses(text).ok_or_else(|| {
            Failure::usage(format!("invalid value for `--listen`: `{text}` is no address: write it like 127.0.0.1:9180 or :9180"))
        })?;
        let addresses = addresses.map_err(|error| failed(&error))?;
        let listener = TcpListener::bind(&*addresses).map_err(|error| failed(&error))?;
        listener.set_nonblocking(true).map_err(|error| failed(&error))?;
        Ok(Self(listener))
    }

    /// Answers from now on, within the current runtime.
    pub(crate) fn serve(self, monitor: Arc<Monitor>) -> Result<(), Failure> {
        let listener = tokio::net::TcpListener::from_std(self.0)
            .map_err(|error| Failure::failed(format!("cannot listen: {}", crate::failure::reason(&error))))?;
        tokio::spawn(accept(listener, monitor));
        Ok(())
    }
}

/// The addresses that a text stands for; `None` when it stands for none.
fn addresses(text: &str) -> Option<io::Result<Vec<SocketAddr>>> {
    let (host, port) = text.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    if !host.is_empty() {
        return Some(text.to_socket_addrs().map(Iterator::collect));
    }
    // Where there is IPv6, its socket also takes what comes by IPv4.
    let six = SocketAddr::from(([0; 16], port));
    let has_six = !TcpListener::bind(SocketAddr::from(([0; 16], 0))).is_err_and(|error| error.kind() != ErrorKind::AddrInUse);
    Some(Ok(if has_six { vec![six] } else { vec![SocketAddr::from(([0; 4], port))] }))
}

async fn accept(listener: tokio::net::TcpListener, monitor: Arc<Monitor>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // No more files may be open; that passes.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let monitor = Arc::clone(&monitor);
        tokio::spawn(async move {
            let answer = service_fn(move |request| {
                let monitor = Arc::clone(&monitor);
                async move { Ok::<_, Infallible>(answer(&monitor, &request)) }
            });
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .max_buf_size(16 * 1024)
                .serve_connection(TokioIo::new(stream), answer);
            // A client that broke off has its reasons.
            let _ = tokio::time::timeout(LIFE, served).await;
            drop(place);
        });
    }
}

fn answer<B>(monitor: &Monitor, request: &Request<B>) -> Response<Body> {
    let plain = "text/plain; charset=utf-8";
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let (status, kind, text) = match request.uri().path() {
        "/livez" | "/readyz" | "/metrics" if !reads => (405, plain, "only GET and HEAD\n".to_owned()),
        "/livez" => with(plain, monitor.livez()),
        "/readyz" => with(plain, monitor.readyz()),
        "/metrics" => (200, page::CONTENT_TYPE, monitor.metrics()),
        _ => (404, plain, "there are /livez, /readyz and /metrics\n".to_owned()),
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == 405 {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

fn with(kind: &'static str, (status, text): super::probes::Verdict) -> (u16, &'static str, String) {
    (status, kind, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_port() {
        for text in ["", "9180", "localhost", "127.0.0.1:", ":http", "1.2.3.4:70000"] {
            assert!(addresses(text).is_none(), "{text}");
        }
        assert_eq!(addresses("127.0.0.1:9180").unwrap().unwrap(), [SocketAddr::from(([127, 0, 0, 1], 9180))]);
        assert_eq!(addresses("[::1]:9180").unwrap().unwrap()[0].port(), 9180);
        assert!(addresses(":9180").unwrap().unwrap()[0].ip().is_unspecified());
    }

    #[test]
    fn taken_port_is_told_in_one_line() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let text = taken.local_addr().unwrap().to_string();
        let Err(failure) = Listener::bind(&text) else { panic!("it is ours") };
        assert_eq!(failure, Failure::Failed(format!("cannot listen on `{text}`: Address already in use")));
    }

    #[test]
    fn paths_and_methods() {
        let monitor = Monitor::new();
        for (method, path, status) in [
            (Method::GET, "/livez", 200),
            (Method::HEAD, "/livez?verbose", 200),
            (Method::GET, "/readyz", 503),
            (Method::GET, "/metrics", 200),
            (Method::POST, "/metrics", 405),
            (Method::GET, "/", 404),
            (Method::DELETE, "/metrics/x", 404),
        ] {
            let request = Request::builder().method(method.clone()).uri(path).body(()).unwrap();
            assert_eq!(answer(&monitor, &request).status().as_u16(), status, "{method} {path}");
        }
    }
}

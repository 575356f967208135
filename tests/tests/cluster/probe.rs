//! What a running program says of itself over HTTP.

use faro_tests::control_plane::{eventually, free_port};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// The labels of a sample, in order, and its value.
pub(crate) type Samples = BTreeMap<Vec<(String, String)>, f64>;

/// Asks a program that listens.
pub(crate) struct Probe(u16);

impl Probe {
    /// Takes a port that nobody has, for a program to come.
    pub(crate) fn new() -> Self {
        Self(free_port().unwrap())
    }

    /// What `--listen` is to be.
    pub(crate) fn listen(&self) -> String {
        format!("--listen=127.0.0.1:{}", self.0)
    }

    /// Asks once; nothing when nobody answers.
    pub(crate) fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.0)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: faro\r\nConnection: close\r\n\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    /// Waits until `/readyz` is 200, and returns its text.
    #[track_caller]
    pub(crate) fn wait_ready(&self) -> String {
        self.wait("/readyz", 200, "")
    }

    /// Waits for a status with a text in its body, and returns the body.
    #[track_caller]
    pub(crate) fn wait(&self, path: &str, status: u16, text: &str) -> String {
        let mut last = None;
        let awaited = faro_tests::control_plane::within(crate::program::PATIENCE, || {
            last = self.get(path);
            last.clone().filter(|(code, body)| *code == status && body.contains(text)).map(|(_, body)| body)
        });
        awaited.unwrap_or_else(|| panic!("{path} does not become {status} `{text}`; it is {last:?}"))
    }

    /// The samples of a metric.
    pub(crate) fn samples(&self, metric: &str) -> Samples {
        let (status, page) = eventually("an answer", || self.get("/metrics"));
        assert_eq!(status, 200);
        page.lines().filter_map(|line| sample(line, metric)).collect()
    }

    /// The value of the samples of a metric that have a label, added up.
    pub(crate) fn sum(&self, metric: &str, label: &str, value: &str) -> f64 {
        let has = |labels: &[(String, String)]| labels.iter().any(|(name, given)| name == label && given == value);
        self.samples(metric).iter().filter(|(labels, _)| has(labels)).map(|(_, value)| value).sum()
    }
}

fn sample(line: &str, metric: &str) -> Option<(Vec<(String, String)>, f64)> {
    let rest = line.strip_prefix(metric)?;
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => rest.split_once("} ")?,
        None => ("", rest.strip_prefix(' ')?),
    };
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.trim_matches('"').to_owned())
    };
    let mut labels: Vec<(String, String)> = labels.split(',').filter(|labels| !labels.is_empty()).map(pair).collect();
    labels.sort();
    Some((labels, value.parse().unwrap()))
}

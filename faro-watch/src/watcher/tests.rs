//! The shell against a scripted server, in time that is only counted.

use super::*;
use crate::connect::Cluster;
use crate::machine::State;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http::{Request, Response};
use http_body_util::StreamBody;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use kube::client::Body;
use std::collections::VecDeque as Queue;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::Instant;

const POD: &str =
    r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"NAME","namespace":"shop","uid":"UID","resourceVersion":"VERSION"}}"#;

const PODS: &str = r#"{"kind":"APIGroupDiscoveryList","items":[{"metadata":{},"versions":[{"version":"v1","resources":[
    {"resource":"pods","responseKind":{"kind":"Pod"},"scope":"Namespaced","verbs":["list","watch"]},
    {"resource":"nodes","responseKind":{"kind":"Node"},"scope":"Cluster","verbs":["list","watch"]}]}]}]}"#;

/// One answer of the server.
#[derive(Clone, Debug)]
enum Scripted {
    /// A whole body.
    Body(u16, String),
    /// Pieces of a stream, each after so many seconds, and then its end.
    Stream(Vec<(u64, String)>, End),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum End {
    Closed,
    Open,
}

#[tokio::test(start_paused = true)]
async fn lists_are_announced_before_the_first_object() {
    let server = Server::default();
    for path in ["/api/v1/pods", "/api/v1/nodes"] {
        server.answer(path, Scripted::Body(200, list("5", &[("a", 3)])));
        server.answer(path, Scripted::Stream(vec![], End::Open));
    }
    let mut watcher = server.watch([Selection::new("v1/pods"), Selection::new("v1/nodes")]).await;
    let lines = take(&mut watcher, 6).await;
    check(&lines[..2], &["listBegin", "listBegin"]);
    assert_eq!(lines.iter().filter(|line| line.contains("\"ADDED\"")).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn lines_may_come_in_any_pieces() {
    let server = Server::default();
    server.answer("/api/v1/pods", Scripted::Body(200, list("5", &[])));
    let text = format!("{}{}", line("ADDED", "ä", 6), line("MODIFIED", "ä", 7));
    let pieces = text.as_bytes().chunks(7).map(|piece| (0, piece.to_vec())).collect::<Vec<_>>();
    server.answer_bytes("/api/v1/pods", pieces, End::Open);
    let mut watcher = server.watch([Selection::new("v1/pods")]).await;
    check(&take(&mut watcher, 4).await, &["listBegin", "listEnd", "ADDED ä 6", "MODIFIED ä 7"]);
}

#[tokio::test(start_paused = true)]
async fn w12_torn_line_is_asked_for_again() {
    let server = Server::default();
    server.answer("/api/v1/pods", Scripted::Body(200, list("5", &[])));
    let torn = line("ADDED", "b", 7)[..40].to_owned();
    server.answer("/api/v1/pods", Scripted::Stream(vec![(1, line("ADDED", "a", 6)), (1, torn)], End::Closed));
    server.answer("/api/v1/pods", Scripted::Stream(vec![(1, line("ADDED", "b", 7))], End::Open));
    let mut watcher = server.watch([Selection::new("v1/pods")]).await;
    check(&take(&mut watcher, 4).await, &["listBegin", "listEnd", "ADDED a 6", "ADDED b 7"]);
    assert!(server.asked().last().unwrap().ends_with("resourceVersion=6"), "{:?}", server.asked());
}

#[tokio::test(start_paused = true)]
async fn progress_covers_what_was_handed_out_and_resumes_there() {
    let server = Server::default();
    server.answer("/api/v1/pods", Scripted::Body(200, list("5", &[("a", 3)])));
    server.answer("/api/v1/pods", Scripted::Stream(vec![(1, line("MODIFIED", "a", 6))], End::Open));
    let mut watcher = server.watch([Selection::new("v1/pods")]).await;
    take(&mut watcher, 4).await;
    watcher.mark();
    let Some(Output::Progress(progress)) = watcher.next().await else { panic!("no progress") };
    assert_eq!(progress.watches[0].position.as_ref().unwrap().resource_version, "6");
    drop(watcher);

    server.answer("/api/v1/pods", Scripted::Stream(vec![(1, line("DELETED", "a", 8))], End::Open));
    let builder = server.builder([Selection::new("v1/pods")]).resume(progress);
    let mut watcher = builder.start().await.unwrap();
    check(&take(&mut watcher, 1).await, &["DELETED a 8"]);
    assert!(server.asked().last().unwrap().ends_with("resourceVersion=6"));
}

#[tokio::test(start_paused = true)]
async fn w19_what_was_received_is_handed_out_after_the_end() {
    let server = Server::default();
    server.answer("/api/v1/pods", Scripted::Body(200, list("5", &[])));
    let many: String = (0..5000).map(|index| line("ADDED", &format!("p{index}"), 6 + index)).collect();
    server.answer("/api/v1/pods", Scripted::Stream(vec![(1, many)], End::Open));
    let mut watcher = server.watch([Selection::new("v1/pods")]).await;
    take(&mut watcher, 10).await;
    watcher.stopper().cancel();
    let (mut lines, mut progress) = (0, None);
    while let Some(output) = watcher.next().await {
        match output {
            Output::Feed(_) => lines += 1,
            Output::Progress(last) => progress = last.watches[0].position.clone(),
        }
    }
    assert_eq!((lines, progress.unwrap().resource_version.as_str()), (5002 - 10, "5005"));
}

#[tokio::test(start_paused = true)]
async fn w24_slow_reader_slows_the_watch_down() {
    let server = Server::default();
    server.answer("/api/v1/pods", Scripted::Body(200, list("5", &[])));
    let chunks = (0..2000).map(|index| (0, line("ADDED", &format!("p{index}"), 6 + index))).collect();
    server.answer("/api/v1/pods", Scripted::Stream(chunks, End::Open));
    let builder = server.builder([Selection::new("v1/pods")]).buffer(NonZeroUsize::new(16 * 1024).unwrap());
    let mut watcher = builder.start().await.unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(watcher.health().buffered(), 16 * 1024);
    let lines = take(&mut watcher, 2002).await;
    assert!(lines[2001].contains("p1999"));
}

#[tokio::test(start_paused = true)]
async fn w15_refusal_of_one_does_not_stop_the_other() {
    let server = Server::default();
    let forbidden = r#"{"kind":"Status","code":403,"reason":"Forbidden","message":"nodes is forbidden"}"#;
    server.answer("/api/v1/nodes", Scripted::Body(403, forbidden.to_owned()));
    server.answer("/api/v1/nodes", Scripted::Body(200, list("9", &[("n1", 8)])));
    server.answer("/api/v1/nodes", Scripted::Stream(vec![], End::Open));
    server.answer("/api/v1/pods", Scripted::Body(200, list("5", &[("a", 3)])));
    server.answer("/api/v1/pods", Scripted::Stream(vec![], End::Open));
    let mut watcher = server.watch([Selection::new("v1/pods"), Selection::new("v1/nodes")]).await;
    let health = watcher.health();
    let first = take(&mut watcher, 5).await;
    assert!(first.iter().any(|line| line.contains("\"a\"")));
    let refused = health.watches().into_iter().find(|watch| watch.status.state == State::Refused).unwrap();
    let complaint = refused.complaint().unwrap();
    assert!(complaint.ends_with(r#"add the rule {apiGroups: [""], resources: ["nodes"], verbs: ["list", "watch"]}"#), "{complaint}");
    assert!(!health.is_ready());
    check(&take(&mut watcher, 3).await, &["listBegin", "ADDED n1 8", "listEnd"]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(health.is_ready(), "{:?}", health.watches());
}

#[tokio::test(start_paused = true)]
async fn w16_collection_that_appears_later_is_watched_and_may_vanish() {
    let server = Server::default();
    let served = r#"{"kind":"APIResourceList","groupVersion":"example.com/v1","resources":[{"name":"widgets","namespaced":true,"kind":"Widget","verbs":["list","watch"]}]}"#;
    let absent = r#"{"kind":"Status","code":404,"reason":"NotFound","message":"no"}"#;
    server.answer("/apis/example.com/v1", Scripted::Body(404, absent.to_owned()));
    server.answer("/apis/example.com/v1", Scripted::Body(200, served.to_owned()));
    server.answer("/apis/example.com/v1", Scripted::Body(404, absent.to_owned()));
    let path = "/apis/example.com/v1/widgets";
    server.answer(path, Scripted::Body(200, list("5", &[("a", 3)])));
    server.answer(path, Scripted::Stream(vec![(1, String::new())], End::Closed));
    server.answer(path, Scripted::Body(404, absent.to_owned()));
    let mut watcher = server.watch([Selection::new("example.com/v1/widgets")]).await;
    let health = watcher.health();
    assert_eq!(health.missing()[0].gvr, "example.com/v1/widgets");
    check(&take(&mut watcher, 4).await, &["listBegin", "ADDED a 3", "listEnd", "DELETED a"]);
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!((health.watches().len(), health.missing().len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn w20_page_of_html_is_no_api_server() {
    let server = Server::default();
    server.answer("/api", Scripted::Body(502, "<html><body>Bad Gateway</body></html>".to_owned()));
    let error = server.builder([Selection::new("v1/pods")]).start().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cluster `prod`: cannot discover what the API server has (GET /api): 502 : <html><body>Bad Gateway</body></html>"
    );
}

#[tokio::test(start_paused = true)]
async fn w2_namespaces_of_a_cluster_scoped_collection_are_refused() {
    let error = Server::default().builder([Selection::new("v1/nodes").namespaces(["shop"])]).start().await.unwrap_err();
    assert_eq!(error.to_string(), "cluster `prod`: `v1/nodes` is cluster-scoped, but namespaces are given for it: shop");
}

fn object(name: &str, version: u64) -> String {
    POD.replace("NAME", name).replace("UID", &format!("uid-of-{name}")).replace("VERSION", &version.to_string())
}

fn line(kind: &str, name: &str, version: u64) -> String {
    format!("{{\"type\":\"{kind}\",\"object\":{}}}\n", object(name, version))
}

fn list(version: &str, objects: &[(&str, u64)]) -> String {
    let items: Vec<_> = objects.iter().map(|(name, version)| object(name, *version)).collect();
    format!(r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"{version}"}},"items":[{}]}}"#, items.join(","))
}

async fn take(watcher: &mut Watcher, count: usize) -> Vec<String> {
    let mut lines = Vec::new();
    while lines.len() < count {
        match tokio::time::timeout(Duration::from_mins(10), watcher.next()).await {
            Ok(Some(Output::Feed(feed))) => lines.push(feed.into_line()),
            other => panic!("after {lines:?}: {other:?}"),
        }
    }
    lines
}

/// Compares lines with their control, or their type, name and version.
#[track_caller]
fn check(lines: &[String], want: &[&str]) {
    let say = |line: &String| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let metadata = &value["object"]["metadata"];
        let said = [text(&value["control"]), text(&value["type"]), text(&metadata["name"]), text(&metadata["resourceVersion"])];
        said.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(lines.iter().map(say).collect::<Vec<_>>(), want);
}

/// A server that answers each path with what was written for it, in order; a path without an answer never answers.
#[derive(Clone, Debug, Default)]
struct Server(Arc<Mutex<Script>>);

#[derive(Debug, Default)]
struct Script {
    answers: BTreeMap<String, Queue<Prepared>>,
    asked: Vec<String>,
}

/// Pieces, each after so many seconds, the status before them, and the end after them.
type Prepared = (Vec<(u64, Vec<u8>)>, u16, End);

impl Server {
    fn answer(&self, path: &str, scripted: Scripted) {
        match scripted {
            Scripted::Body(code, body) => self.push(path, vec![(0, body.into_bytes())], code, End::Closed),
            Scripted::Stream(pieces, end) => {
                self.push(path, pieces.into_iter().map(|(after, text)| (after, text.into_bytes())).collect(), 200, end);
            }
        }
    }

    fn answer_bytes(&self, path: &str, pieces: Vec<(u64, Vec<u8>)>, end: End) {
        self.push(path, pieces, 200, end);
    }

    fn push(&self, path: &str, pieces: Vec<(u64, Vec<u8>)>, code: u16, end: End) {
        self.0.lock().unwrap().answers.entry(path.to_owned()).or_default().push_back((pieces, code, end));
    }

    fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().asked.clone()
    }

    fn builder(&self, selections: impl IntoIterator<Item = Selection>) -> WatcherBuilder {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let answer = server.next(&request);
            async move {
                match answer {
                    Some(answer) => Ok::<_, Infallible>(answer),
                    None => std::future::pending().await,
                }
            }
        });
        let cluster = Cluster::of_client("prod", kube::Client::new(service, "default"));
        let begun = Instant::now();
        let clock = move || DateTime::from_timestamp(1_767_323_045, 0).unwrap() + begun.elapsed();
        Watcher::builder().cluster(cluster, selections).clock(clock).seed(7)
    }

    async fn watch(&self, selections: impl IntoIterator<Item = Selection>) -> Watcher {
        self.builder(selections).start().await.unwrap()
    }

    fn next(&self, request: &Request<Body>) -> Option<Response<BoxBody<Bytes, Infallible>>> {
        let mut script = self.0.lock().unwrap();
        script.asked.push(request.uri().to_string());
        let path = request.uri().path();
        let scripted = script.answers.get_mut(path).and_then(Queue::pop_front);
        let (pieces, code, end) = match scripted {
            Some(scripted) => scripted,
            None if matches!(path, "/api" | "/apis") => (vec![(0, PODS.as_bytes().to_vec())], 200, End::Closed),
            None => return None,
        };
        let body = match end {
            End::Closed if pieces.len() == 1 && pieces[0].0 == 0 => Full::new(Bytes::from(pieces[0].1.clone())).boxed(),
            End::Closed | End::Open => {
                let pieces = stream::iter(pieces).then(|(after, piece)| async move {
                    tokio::time::sleep(Duration::from_secs(after)).await;
                    Ok(http_body::Frame::data(Bytes::from(piece)))
                });
                let rest = stream::pending().take(usize::from(end == End::Open));
                BoxBody::new(StreamBody::new(pieces.chain(rest)))
            }
        };
        Response::builder().status(code).body(body).ok()
    }
}

//! Requests and their answers, as text: nothing is read into types that know every field.

use crate::connect::one_line;
use crate::discovery::Resource;
use crate::line::Status;
use crate::machine::{Failure, Form};
use crate::selection::{Content, Target};
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt as _;
use kube::client::Body;
use std::fmt::Write as _;
use std::time::Duration;

/// The most of an error's body that is read.
const ERROR_BODY: usize = 64 * 1024;

/// The most of any other answer that is read at once: a page of 500 objects of half a megabyte each.
const ANSWER_BODY: usize = 256 * 1024 * 1024;

/// How long a document is waited for; lists and watches have the machine's deadlines.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a write is waited for: who writes has work that waits meanwhile.
const HASTE: Duration = Duration::from_secs(10);

const AGENT: &str = concat!("faro/", env!("CARGO_PKG_VERSION"));

pub(crate) const JSON: &str = "application/json";
const PARTIAL: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const PARTIAL_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// One request, ready to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Ask {
    pub(crate) uri: String,
    pub(crate) accept: &'static str,
}

/// What comes back.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A watch was accepted.
    Opened,
    /// Some bytes of a watch.
    Chunk(Bytes),
    /// A whole body.
    Whole(String),
    /// A watch ended in good order.
    Ended,
    Failed(Failure),
}

impl Ask {
    /// A page of a collection.
    pub(crate) fn list(target: &Target, limit: u32, continue_token: &str, form: Form) -> Self {
        let mut uri = selected(target);
        let _ = write!(uri, "limit={limit}");
        if !continue_token.is_empty() {
            let _ = write!(uri, "&continue={}", Escaped(continue_token));
        }
        let metadata = form == Form::Metadata || wants_metadata(target);
        Self { uri, accept: if metadata { PARTIAL_LIST } else { JSON } }
    }

    /// A watch of a collection.
    pub(crate) fn watch(target: &Target, resource_version: &str, timeout: Duration) -> Self {
        let mut uri = selected(target);
        let seconds = timeout.as_secs();
        let _ = write!(uri, "watch=1&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={}", Escaped(resource_version));
        Self { uri, accept: if wants_metadata(target) { PARTIAL } else { JSON } }
    }

    fn request(&self) -> Result<Request<Body>, Failure> {
        Request::get(&self.uri)
            .header(ACCEPT, self.accept)
            .header(USER_AGENT, AGENT)
            .body(Body::empty())
            .map_err(|error| Failure::Connection { message: format!("`{}` is no URI: {error}", self.uri) })
    }
}

fn wants_metadata(target: &Target) -> bool {
    target.content == Content::Metadata || target.resource.is_secret()
}

/// The collection's path and what the server is to select, ready for further parameters.
fn selected(target: &Target) -> String {
    let mut uri = Resource::path(&target.resource, &target.namespace);
    uri.push('?');
    for (name, selector) in [("labelSelector", &target.labels), ("fieldSelector", &target.fields)] {
        if !selector.is_empty() {
            let _ = write!(uri, "{name}={}&", Escaped(selector));
        }
    }
    uri
}

/// A value of a query (RFC 3986: what is not unreserved is escaped).
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                f.write_char(char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// Asks for a document, and waits for it no longer than [`PATIENCE`].
pub(crate) async fn document(client: &kube::Client, path: &str, accept: &'static str) -> Result<String, Failure> {
    let ask = Ask { uri: path.to_owned(), accept };
    let late = |_| Err(Failure::Connection { message: format!("no answer within {} s", PATIENCE.as_secs()) });
    tokio::time::timeout(PATIENCE, whole(client, &ask)).await.unwrap_or_else(late)
}

/// Asks for a whole answer.
async fn whole(client: &kube::Client, ask: &Ask) -> Result<String, Failure> {
    let response = send(client, ask).await?;
    let html = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let body = read(response, ANSWER_BODY).await?;
    let text = String::from_utf8(body).map_err(|_| Failure::Connection { message: "the answer is no UTF-8".to_owned() })?;
    if html {
        return Err(Failure::Connection { message: format!("the answer is a page of HTML, not Kubernetes: `{}`", shown(&text)) });
    }
    Ok(text)
}

/// Applies an object (server-side apply, KEP-555).
pub(crate) async fn apply(client: &kube::Client, uri: &str, body: String) -> Result<(), Failure> {
    // JSON is YAML.
    write(client, Method::PATCH, uri, "application/apply-patch+yaml", body).await.map(drop)
}

/// Writes an object, and waits no longer than [`HASTE`]; returns what the server made of it.
pub(crate) async fn write(client: &kube::Client, method: Method, uri: &str, kind: &'static str, body: String) -> Result<String, Failure> {
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header(ACCEPT, JSON)
        .header(CONTENT_TYPE, kind)
        .header(USER_AGENT, AGENT)
        .body(Body::from(body.into_bytes()))
        .map_err(|error| Failure::Connection { message: format!("`{uri}` is no URI: {error}") })?;
    let written = async {
        let response = client.send(request).await.map_err(|error| broken(&error))?;
        if !response.status().is_success() {
            return Err(refused(response).await);
        }
        let body = read(response, ANSWER_BODY).await?;
        String::from_utf8(body).map_err(|_| Failure::Connection { message: "the answer is no UTF-8".to_owned() })
    };
    let late = |_| Err(Failure::Connection { message: format!("no answer within {} s", HASTE.as_secs()) });
    tokio::time::timeout(HASTE, written).await.unwrap_or_else(late)
}

/// Asks for a page of a list.
pub(crate) fn page(client: kube::Client, ask: Ask) -> BoxStream<'static, Answer> {
    stream::once(async move { whole(&client, &ask).await.map_or_else(Answer::Failed, Answer::Whole) }).boxed()
}

/// Opens a watch; ends after [`Answer::Ended`] or [`Answer::Failed`].
pub(crate) fn watch(client: kube::Client, ask: Ask) -> BoxStream<'static, Answer> {
    enum Step {
        Ask(kube::Client, Ask),
        Read(Body),
        Done,
    }
    let next = |step| async move {
        match step {
            Step::Ask(client, ask) => match send(&client, &ask).await {
                Ok(response) => Some((Answer::Opened, Step::Read(response.into_body()))),
                Err(failure) => Some((Answer::Failed(failure), Step::Done)),
            },
            Step::Read(mut body) => loop {
                match body.frame().await {
                    None => return Some((Answer::Ended, Step::Done)),
                    Some(Ok(frame)) => {
                        if let Ok(bytes) = frame.into_data()
                            && !bytes.is_empty()
                        {
                            return Some((Answer::Chunk(bytes), Step::Read(body)));
                        }
                    }
                    Some(Err(error)) => return Some((Answer::Failed(broken(&error)), Step::Done)),
                }
            },
            Step::Done => None,
        }
    };
    stream::unfold(Step::Ask(client, ask), next).boxed()
}

async fn send(client: &kube::Client, ask: &Ask) -> Result<Response<Body>, Failure> {
    let response = client.send(ask.request()?).await.map_err(|error| broken(&error))?;
    if response.status().is_success() { Ok(response) } else { Err(refused(response).await) }
}

fn broken(error: &kube::Error) -> Failure {
    Failure::Connection { message: one_line(error) }
}

/// Why the server refused, from its `Status` where it sent one.
async fn refused(response: Response<Body>) -> Failure {
    let code = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    let body = read(response, ERROR_BODY).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    let status = Status::read(&text).unwrap_or_else(|| Status { code, message: shown(&text), ..Status::default() });
    let retry_after = retry_after.or(status.retry_after.map(Duration::from_secs));
    Failure::Status { code, reason: status.reason, message: status.message, retry_after }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// The beginning of a text, fit for a message.
fn shown(text: &str) -> String {
    text.trim().chars().take(120).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

async fn read(response: Response<Body>, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut body = response.into_body();
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame.map_err(|error| broken(&error))?.into_data() {
            if read.len() + bytes.len() > limit {
                return Err(Failure::Connection { message: format!("the answer is larger than {limit} bytes") });
            }
            read.extend_from_slice(&bytes);
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Choice;

    #[test]
    fn requests_say_what_is_selected() {
        let mut pods = target("v1/pods", "pods");
        check(Ask::list(&pods, 500, "", Form::Selected), "/api/v1/pods?limit=500", JSON);
        check(Ask::list(&pods, 500, "a b", Form::Metadata), "/api/v1/pods?limit=500&continue=a%20b", PARTIAL_LIST);
        pods.namespace = "shop".to_owned();
        pods.labels = "app in (a,b)".to_owned();
        pods.fields = "metadata.name=x".to_owned();
        check(
            Ask::watch(&pods, "7", Duration::from_secs(300)),
            "/api/v1/namespaces/shop/pods?labelSelector=app%20in%20%28a%2Cb%29&fieldSelector=metadata.name%3Dx&watch=1&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=7",
            JSON,
        );
    }

    #[test]
    fn w18_secrets_are_asked_for_by_their_metadata() {
        let secrets = target("v1/secrets", "secrets");
        check(Ask::list(&secrets, 1, "", Form::Selected), "/api/v1/secrets?limit=1", PARTIAL_LIST);
        assert_eq!(Ask::watch(&secrets, "1", Duration::ZERO).accept, PARTIAL);
    }

    fn target(gvr: &str, plural: &str) -> Target {
        let resource = Resource { gvr: gvr.to_owned(), api_version: "v1".to_owned(), plural: plural.to_owned(), ..Resource::default() };
        Target {
            resource,
            namespace: String::new(),
            labels: String::new(),
            fields: String::new(),
            choice: Choice::default(),
            content: Content::Whole,
        }
    }

    #[track_caller]
    fn check(ask: Ask, uri: &str, accept: &str) {
        assert_eq!((&*ask.uri, ask.accept), (uri, accept));
    }
}

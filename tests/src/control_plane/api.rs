//! Requests of tests to the API server.

use std::path::Path;
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use http::{Method, Request};
use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

/// How long an answer may take; a watch says itself when it ends.
const ANSWER: Duration = Duration::from_secs(60);

/// Why a request has no good answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The server refused.
    #[error("{request}: {status} {reason}: {message}")]
    Refused {
        /// The verb and the path.
        request: String,
        /// The HTTP status.
        status: u16,
        /// `reason` of the Status, such as `Forbidden`.
        reason: String,
        /// `message` of the Status.
        message: String,
    },
    /// The server could not be asked, or did not answer.
    #[error("{request}: {problem}")]
    Unreachable {
        /// The verb and the path.
        request: String,
        /// What the client said.
        problem: String,
    },
}

impl ApiError {
    /// Returns the HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Unreachable { .. } => None,
        }
    }
}

/// How a patch is merged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Patch {
    /// JSON merge patch.
    Merge,
    /// Strategic merge patch, as client-go's recorder and most of kubectl send.
    Strategic,
    /// Server-side apply, forced.
    Apply,
}

/// A client that speaks JSON values and paths, blocks, and can be used from any thread, one of an async runtime included.
///
/// Nothing is retried, so that a test sees what the server said.
#[derive(Clone)]
pub struct Api {
    client: Client,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

impl Api {
    /// Makes a client for whomever the kubeconfig stands for.
    ///
    /// # Errors
    ///
    /// Fails when the file is no kubeconfig that a client can be made of.
    pub fn from_kubeconfig(path: &Path) -> Result<Self, ApiError> {
        let failed = |problem: String| ApiError::Unreachable { request: format!("reading `{}`", path.display()), problem };
        let file = Kubeconfig::read_from(path).map_err(|err| failed(err.to_string()))?;
        let config = wait(async move { Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await });
        let config = config.ok_or_else(|| failed("the client panicked".to_owned()))?.map_err(|err| failed(err.to_string()))?;
        Self::from_config(config)
    }

    /// Makes a client that says nothing about itself, for `http` or for servers that `authority` has signed for.
    pub(super) fn anonymous(url: &str, authority: &Path) -> Result<Self, ApiError> {
        let uri = url.parse().map_err(|err: http::uri::InvalidUri| unreachable(url, &err))?;
        let mut config = Config::new(uri);
        config.root_cert_file = Some(authority.to_owned());
        Self::from_config(config)
    }

    fn from_config(mut config: Config) -> Result<Self, ApiError> {
        // The loopback interface is behind no proxy, whatever the environment says.
        config.proxy_url = None;
        config.default_retry = false;
        let _entered = runtime().enter();
        let client = Client::try_from(config).map_err(|err| unreachable("client", &err))?;
        Ok(Self { client })
    }

    /// Returns the client below, for what this one cannot do. It lives on a runtime of its own, so it works on any.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Reads text, such as `/readyz` or the lines of a watch with `timeoutSeconds`.
    ///
    /// # Errors
    ///
    /// Fails when the server refuses or does not answer; so do all requests.
    pub fn text(&self, path: &str) -> Result<String, ApiError> {
        self.request(Method::GET, path, "application/json", Vec::new())
    }

    /// Reads an object or a list.
    ///
    /// # Errors
    ///
    /// See [`Self::text`].
    pub fn read(&self, path: &str) -> Result<Value, ApiError> {
        parse(path, &self.text(path)?)
    }

    /// Reads the `items` of a list.
    ///
    /// # Errors
    ///
    /// See [`Self::text`].
    pub fn list(&self, path: &str) -> Result<Vec<Value>, ApiError> {
        let mut list = self.read(path)?;
        let items = list.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take);
        items.ok_or_else(|| unreachable(path, &"the answer has no `items`"))
    }

    /// Posts an object to the path of its list; returns what the server made of it.
    ///
    /// # Errors
    ///
    /// See [`Self::text`].
    pub fn create(&self, path: &str, object: &Value) -> Result<Value, ApiError> {
        let answer = self.request(Method::POST, path, "application/json", object.to_string().into_bytes())?;
        parse(path, &answer)
    }

    /// Patches an object; returns what became of it.
    ///
    /// # Errors
    ///
    /// See [`Self::text`].
    pub fn patch(&self, path: &str, patch: Patch, change: &Value) -> Result<Value, ApiError> {
        let (content_type, query) = match patch {
            Patch::Merge => ("application/merge-patch+json", ""),
            Patch::Strategic => ("application/strategic-merge-patch+json", ""),
            Patch::Apply => ("application/apply-patch+yaml", "?fieldManager=faro-tests&force=true"),
        };
        let answer = self.request(Method::PATCH, &format!("{path}{query}"), content_type, change.to_string().into_bytes())?;
        parse(path, &answer)
    }

    /// Replaces an object; returns what became of it.
    ///
    /// # Errors
    ///
    /// See [`Self::text`].
    pub fn replace(&self, path: &str, object: &Value) -> Result<Value, ApiError> {
        let answer = self.request(Method::PUT, path, "application/json", object.to_string().into_bytes())?;
        parse(path, &answer)
    }

    /// Deletes an object, or with the path of a list all that it selects.
    ///
    /// # Errors
    ///
    /// See [`Self::text`].
    pub fn delete(&self, path: &str) -> Result<(), ApiError> {
        self.request(Method::DELETE, path, "application/json", Vec::new()).map(drop)
    }

    fn request(&self, method: Method, path: &str, content_type: &str, body: Vec<u8>) -> Result<String, ApiError> {
        let asked = format!("{method} {path}");
        let request = Request::builder().method(method).uri(path).header("content-type", content_type).header("accept", "application/json");
        let request = request.body(body).map_err(|err| unreachable(&asked, &err))?;
        let client = self.client.clone();
        let answer = wait(async move { tokio::time::timeout(ANSWER, client.request_text(request)).await });
        match answer {
            Some(Ok(Ok(text))) => Ok(text),
            Some(Ok(Err(kube::Error::Api(status)))) => Err(ApiError::Refused {
                request: asked,
                status: status.code,
                reason: status.reason.clone(),
                message: status.message.clone(),
            }),
            Some(Ok(Err(err))) => Err(unreachable(&asked, &err)),
            Some(Err(_)) => Err(unreachable(&asked, &format!("no answer within {} s", ANSWER.as_secs()))),
            None => Err(unreachable(&asked, &"the client panicked")),
        }
    }
}

fn parse(path: &str, text: &str) -> Result<Value, ApiError> {
    serde_json::from_str(text).map_err(|err| unreachable(path, &format!("the answer is no JSON: {err}")))
}

fn unreachable(request: &str, problem: &dyn std::fmt::Display) -> ApiError {
    ApiError::Unreachable { request: request.to_owned(), problem: problem.to_string() }
}

/// The runtime of all clients. It outlives every test, so no connection is lost with the test that opened it.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("control-plane-client")
            .enable_all()
            .build()
            .expect("threads can be started")
    })
}

/// Waits for a future without entering a runtime, which one of an async test would not allow; nothing when it panics.
fn wait<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Option<T> {
    let (done, result) = mpsc::sync_channel(1);
    runtime().spawn(async move { drop(done.send(future.await)) });
    result.recv().ok()
}

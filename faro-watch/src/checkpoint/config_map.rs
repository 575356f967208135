//! A checkpoint in a `ConfigMap`: positions only, because it holds no more than 1 MiB (`MaxSecretSize` in
//! `k8s.io/kubernetes/pkg/apis/core/validation`).
//!
//! Without what was known, a position that has expired cannot be bridged fully: deletions in between are not seen, and the gap says
//! `checkpoint-without-objects`.

use super::{Checkpoint, CheckpointError, Progress, Store, WatchProgress};
use crate::machine::{Failure, Position};
use crate::request;
use serde::{Deserialize, Serialize};

/// The key in the `ConfigMap`.
const KEY: &str = "positions.json";

/// What a `ConfigMap` holds at most, less what its metadata may need.
const LIMIT: usize = 1024 * 1024 - 16 * 1024;

/// Keeps the positions of a checkpoint in a `ConfigMap`.
///
/// It is written by server-side apply as field manager `faro`, so it need not exist. Rights: `get`, `create` and `patch` on
/// `configmaps`, which can be narrowed to its name but for `create`.
pub struct ConfigMapStore {
    client: kube::Client,
    namespace: String,
    name: String,
}

impl std::fmt::Debug for ConfigMapStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfigMapStore").field("namespace", &self.namespace).field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Deserialize, Serialize)]
struct Stored {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    cluster: String,
    watch: String,
    position: Position,
}

impl ConfigMapStore {
    /// Names the `ConfigMap`; nothing is sent yet.
    #[must_use]
    pub fn new(client: kube::Client, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { client, namespace: namespace.into(), name: name.into() }
    }

    fn place(&self) -> String {
        format!("ConfigMap `{}/{}`", self.namespace, self.name)
    }

    fn path(&self) -> String {
        format!("/api/v1/namespaces/{}/configmaps/{}", self.namespace, self.name)
    }
}

impl Store for ConfigMapStore {
    async fn load(&mut self) -> Result<Option<Checkpoint>, CheckpointError> {
        #[derive(Deserialize)]
        struct ConfigMap {
            #[serde(default)]
            data: std::collections::BTreeMap<String, String>,
        }
        let format = |reason: serde_json::Error| CheckpointError::Format { place: self.place(), reason: reason.to_string() };
        let text = match request::document(&self.client, &self.path(), request::JSON).await {
            Ok(text) => text,
            Err(Failure::Status { code: 404, .. }) => return Ok(None),
            Err(failure) => return Err(CheckpointError::Request { place: self.place(), failure }),
        };
        let stored: ConfigMap = serde_json::from_str(&text).map_err(format)?;
        let Some(positions) = stored.data.get(KEY) else { return Ok(None) };
        let positions: Vec<Stored> = serde_json::from_str(positions).map_err(format)?;
        let watch = |Stored { cluster, watch, position }| WatchProgress { cluster, watch, position: Some(position), known: None };
        Ok(Some(Checkpoint { progress: Progress { watches: positions.into_iter().map(watch).collect() }, engine: None }))
    }

    async fn save(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let stored = |watch: &WatchProgress| {
            let position = watch.position.clone()?;
            Some(Stored { cluster: watch.cluster.clone(), watch: watch.watch.clone(), position })
        };
        let positions: Vec<Stored> = checkpoint.progress.watches.iter().filter_map(stored).collect();
        let positions = serde_json::to_string(&positions)
            .map_err(|reason| CheckpointError::Format { place: self.place(), reason: reason.to_string() })?;
        if positions.len() > LIMIT {
            return Err(CheckpointError::TooLarge { place: self.place(), size: positions.len() });
        }
        let applied = serde_json::json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": self.name, "namespace": self.namespace },
            "data": { KEY: positions },
        });
        let path = format!("{}?fieldManager=faro&force=true", self.path());
        request::apply(&self.client, &path, applied.to_string())
            .await
            .map_err(|failure| CheckpointError::Request { place: self.place(), failure })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faro_core::Nanos;
    use http::{Method, Request, Response};
    use http_body_util::{BodyExt as _, Full};
    use kube::client::Body;
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};

    #[tokio::test]
    async fn positions_come_back_and_objects_do_not() {
        let mut store = store();
        assert!(store.load().await.unwrap().is_none());
        let position = Position { resource_version: "7".to_owned(), at: Nanos(1), population: None };
        let watch =
            |watch: &str, position| WatchProgress { cluster: String::new(), watch: watch.to_owned(), position, known: Some("[]\n".into()) };
        let watches = vec![watch("v1/pods", Some(position.clone())), watch("v1/events", None)];
        store.save(&Checkpoint { progress: Progress { watches }, engine: None }).await.unwrap();
        let want = WatchProgress { known: None, ..watch("v1/pods", Some(position)) };
        assert_eq!(store.load().await.unwrap().unwrap().progress.watches, [want]);
    }

    #[tokio::test]
    async fn what_does_not_fit_is_refused() {
        let position = Position { resource_version: "7".to_owned(), at: Nanos(1), population: None };
        let watch = WatchProgress { cluster: "c".repeat(LIMIT), watch: String::new(), position: Some(position), known: None };
        let checkpoint = Checkpoint { progress: Progress { watches: vec![watch] }, engine: None };
        let error = store().save(&checkpoint).await.unwrap_err();
        assert!(matches!(error, CheckpointError::TooLarge { .. }), "{error}");
    }

    /// A server that has one `ConfigMap`.
    fn store() -> ConfigMapStore {
        let stored: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
        let service = tower::service_fn(move |request: Request<Body>| {
            let stored = Arc::clone(&stored);
            async move {
                assert_eq!(request.uri().path(), "/api/v1/namespaces/faro/configmaps/checkpoint");
                let (parts, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes().to_vec();
                let mut stored = stored.lock().unwrap();
                if parts.method == Method::PATCH {
                    assert_eq!(parts.uri.query(), Some("fieldManager=faro&force=true"));
                    *stored = Some(body);
                }
                let code = if stored.is_some() { 200 } else { 404 };
                let body = Full::new(bytes::Bytes::from(stored.clone().unwrap_or_default()));
                Ok::<_, Infallible>(Response::builder().status(code).body(body).unwrap())
            }
        });
        ConfigMapStore::new(kube::Client::new(service, "default"), "faro", "checkpoint")
    }
}

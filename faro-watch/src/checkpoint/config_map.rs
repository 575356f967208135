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

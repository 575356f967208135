//! Where a run's checkpoint is kept.

use crate::failure::Failure;
use faro_core::{Engine, EngineConfig, Replay, Snapshot};
use faro_watch::Cluster;
use faro_watch::checkpoint::{Checkpoint, CheckpointError, ConfigMapStore, FileStore, Progress, Store};
use faro_watch::machine::Failure as Failed;
use std::path::Path;

/// A file, or a `ConfigMap`.
pub(crate) enum Checkpoints {
    File(FileStore),
    ConfigMap(ConfigMapStore),
}

impl Checkpoints {
    /// Opens a file, or `configmap/NAMESPACE/NAME` of the first cluster.
    pub(crate) async fn open(place: &Path, clusters: &[Cluster]) -> Result<Self, Failure> {
        let name = place.to_str().and_then(|place| place.strip_prefix("configmap/")).and_then(|place| place.split_once('/'));
        let (Some((namespace, name)), Some(cluster)) = (name, clusters.first()) else {
            return FileStore::open(place).map(Self::File).map_err(Failure::failed);
        };
        let client = cluster.connect().await.map_err(Failure::failed)?;
        Ok(Self::ConfigMap(ConfigMapStore::new(client, namespace, name)))
    }

    /// Returns where an earlier run stopped, and an engine that remembers what it knew.
    pub(crate) async fn resume(&mut self, config: EngineConfig) -> Result<(Progress, Replay), Failure> {
        let loaded = match self {
            Self::File(store) => store.load().await,
            Self::ConfigMap(store) => store.load().await,
        };
        let Some(Checkpoint { progress, engine }) = loaded.map_err(Failure::failed)? else {
            return Ok((Progress::default(), Replay::new(config, None)));
        };
        let Some(engine) = engine else { return Ok((progress, Replay::new(config, None))) };
        let snapshot: Snapshot =
            serde_json::from_str(engine.get()).map_err(|error| Failure::failed(format!("the checkpoint cannot be read: {error}")))?;
        let engine = Engine::restore(config, snapshot)
            .map_err(|error| Failure::failed(format!("cannot go on from the checkpoint: {error}; take those settings, or another file")))?;
        Ok((progress, Replay::of(engine)))
    }

    /// Replaces what was stored before.
    pub(crate) async fn save(&mut self, checkpoint: Checkpoint) -> Result<(), CheckpointError> {
        match self {
            Self::File(store) => store.save(&checkpoint).await,
            Self::ConfigMap(store) => store.save(&checkpoint).await,
        }
    }
}

/// Whether the next checkpoint may well be stored though this one was not: the server did not answer, or is busy.
pub(crate) fn passes(error: &CheckpointError) -> bool {
    matches!(error, CheckpointError::Request { failure: Failed::Connection { .. } | Failed::Status { code: 401 | 429 | 500.., .. }, .. })
}

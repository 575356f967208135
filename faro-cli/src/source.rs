//! Recordings, or the cluster as it is now.

use crate::args::SourceArgs;
use crate::failure::Failure;
use crate::watch;
use std::path::PathBuf;
use tempfile::TempDir;

/// What is read. A recording of the cluster is gone with it.
pub(crate) struct Source {
    pub(crate) inputs: Vec<PathBuf>,
    _recording: Option<TempDir>,
}

impl Source {
    /// Takes the recordings that are named; without any, records the cluster's state, as `record --once` does.
    pub(crate) fn open(args: &SourceArgs, namespaces: &[String], cluster: Option<&str>) -> Result<Self, Failure> {
        if !args.inputs.is_empty() {
            return Ok(Self { inputs: args.inputs.clone(), _recording: None });
        }
        let place = TempDir::new().map_err(|error| Failure::failed(format!("cannot make a temporary folder: {error}")))?;
        let path = place.path().join("cluster.ndjson");
        watch::snapshot(&args.cluster, namespaces, cluster, &path)?;
        Ok(Self { inputs: vec![path], _recording: Some(place) })
    }
}

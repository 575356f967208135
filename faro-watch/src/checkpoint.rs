//! Where the watches stand, so that the next run goes on there.
//!
//! A checkpoint never runs ahead of what was delivered: [`crate::Watcher::mark`] asks for it, [`crate::Output::Progress`] comes in the
//! stream behind the lines that it covers, and who has written and flushed these stores it, with a snapshot of the engine taken at
//! that moment. The engine may then have seen more than the positions cover; it knows what it saw, so nothing is counted twice.

mod config_map;
mod file;
mod text;

pub use config_map::ConfigMapStore;
pub use file::FileStore;

use crate::machine::{Failure, Position};
use serde_json::value::RawValue;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

/// Where all watches stand: everything that was handed out before it, and nothing after.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// Each watch.
    pub watches: Vec<WatchProgress>,
}

/// Where one watch stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WatchProgress {
    /// The cluster's name; empty when there is none.
    pub cluster: String,
    /// Which watch: [`crate::Target::key`].
    pub watch: String,
    /// Its position; `None` while its first list is not complete.
    pub position: Option<Position>,
    /// What is known of its objects there, as [`crate::known::Known::to_lines`] writes it; `None` where only positions are kept.
    pub known: Option<Arc<str>>,
}

impl Progress {
    /// Takes the position of a watch, and what was known there.
    pub(crate) fn take(&mut self, cluster: &str, watch: &str) -> Option<(Position, Option<Arc<str>>)> {
        let index = self.watches.iter().position(|one| one.cluster == cluster && one.watch == watch)?;
        let WatchProgress { position, known, .. } = self.watches.swap_remove(index);
        position.map(|position| (position, known))
    }
}

/// What is stored.
#[derive(Clone, Debug, Default)]
pub struct Checkpoint {
    /// Where the watches stand.
    pub progress: Progress,
    /// The caller's state at that moment, such as `serde_json::value::to_raw_value(&engine.snapshot())`.
    pub engine: Option<Box<RawValue>>,
}

/// Keeps a checkpoint.
pub trait Store {
    /// Returns what was saved last; `None` when nothing was.
    ///
    /// # Errors
    ///
    /// It cannot be read, or was written by another version.
    fn load(&mut self) -> impl Future<Output = Result<Option<Checkpoint>, CheckpointError>> + Send;

    /// Replaces what was saved last. After an error that is still there.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    fn save(&mut self, checkpoint: &Checkpoint) -> impl Future<Output = Result<(), CheckpointError>> + Send;
}

/// Why a checkpoint cannot be kept or had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file cannot be read or written.
    #[error("checkpoint `{}`: {source}", path.display())]
    File {
        /// The file, or its folder.
        path: PathBuf,
        /// What happened.
        source: std::io::Error,
    },
    /// Another process uses the file.
    #[error("checkpoint `{}` is in use by another process", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// What is there is no checkpoint, or one of another version.
    #[error("{place} is no checkpoint of this version: {reason}")]
    Format {
        /// Where it is.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It does not fit into a `ConfigMap`.
    #[error("{place}: {size} bytes are more than a ConfigMap holds (1 MiB)")]
    TooLarge {
        /// Where it was to be.
        place: String,
        /// How large it is.
        size: usize,
    },
    /// The API server refused.
    #[error("{place}: {}", said(failure))]
    Request {
        /// Where it is.
        place: String,
        /// What the server said.
        failure: Failure,
    },
}

fn said(failure: &Failure) -> String {
    match failure {
        Failure::Connection { message } => message.clone(),
        Failure::Status { code, reason, message, .. } => format!("{code} {reason}: {message}"),
    }
}

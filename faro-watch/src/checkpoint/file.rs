//! A checkpoint in a file: replaced at once or not at all, and by one process only.

use super::{Checkpoint, CheckpointError, Store};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Keeps a checkpoint in a file.
///
/// It is written beside the old one, synced, renamed over it, and its folder synced: after a crash at any moment the old or the new
/// one is there, whole. Only its owner can read it (0600). Beside it lies `FILE.lock`, locked for as long as the store lives, so that
/// there is one writer.
#[derive(Debug)]
pub struct FileStore {
    path: PathBuf,
    // Locked until it is closed.
    _lock: File,
}

impl FileStore {
    /// Locks the file; there may be none yet.
    ///
    /// # Errors
    ///
    /// Another process has it, or its folder cannot be written.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, CheckpointError> {
        let path = path.into();
        let lock_path = beside(&path, ".lock");
        let lock = private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(&lock_path)
            .map_err(|source| CheckpointError::File { path: lock_path.clone(), source })?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(CheckpointError::InUse { path }),
            Err(TryLockError::Error(source)) => Err(CheckpointError::File { path: lock_path, source }),
        }
    }
}

impl Store for FileStore {
    async fn load(&mut self) -> Result<Option<Checkpoint>, CheckpointError> {
        let path = self.path.clone();
        let read = blocking(move || fs::read_to_string(path)).await;
        match read {
            Ok(text) => Checkpoint::from_text(&text)
                .map(Some)
                .map_err(|reason| CheckpointError::Format { place: format!("`{}`", self.path.display()), reason }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(CheckpointError::File { path: self.path.clone(), source }),
        }
    }

    async fn save(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let path = self.path.clone();
        let text = checkpoint.to_text().map_err(io::Error::from);
        let saved = match text {
            Ok(text) => blocking(move || replace(&path, text.as_bytes())).await,
            Err(error) => Err(error),
        };
        saved.map_err(|source| CheckpointError::File { path: self.path.clone(), source })
    }
}

/// Does something that may take as long as a disk does.
async fn blocking<T: Send + 'static>(act: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(act).await.map_err(io::Error::other)?
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = beside(path, ".new");
    // One of an earlier run may have other rights.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, ToOwned::to_owned);
    name.push(ending);
    path.with_file_name(name)
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(test)]
mod tests {
    use super::super::{Progress, WatchProgress};
    use super::*;
    use crate::machine::Position;
    use faro_core::Nanos;

    #[tokio::test]
    async fn what_is_saved_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        let mut store = FileStore::open(&path).unwrap();
        assert!(store.load().await.unwrap().is_none());
        for round in 0..2 {
            let checkpoint = checkpoint(round);
            store.save(&checkpoint).await.unwrap();
            let loaded = store.load().await.unwrap().unwrap();
            assert_eq!(loaded.progress, checkpoint.progress);
            assert_eq!(loaded.engine.unwrap().get(), checkpoint.engine.unwrap().get());
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        let mut store = FileStore::open(&path).unwrap();
        store.save(&checkpoint(0)).await.unwrap();
        for file in [&path, &beside(&path, ".lock")] {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn there_is_one_writer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint");
        let first = FileStore::open(&path).unwrap();
        assert!(matches!(FileStore::open(&path), Err(CheckpointError::InUse { .. })));
        drop(first);
        assert!(FileStore::open(&path).is_ok());
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        let text = checkpoint(1).to_text().unwrap();
        let engine = text.trim_end().rfind('\n').unwrap();
        for end in 0..engine {
            assert!(Checkpoint::from_text(&text[..end]).is_err(), "{end} bytes");
        }
        assert!(Checkpoint::from_text(&text.replace("\"format\":1", "\"format\":2")).is_err());
    }

    fn checkpoint(round: u64) -> Checkpoint {
        let position = Position { resource_version: format!("1{round}"), at: Nanos(7), population: Some(round) };
        let watch = |watch: &str, position, known: Option<&str>| WatchProgress {
            cluster: "prod".to_owned(),
            watch: watch.to_owned(),
            position,
            known: known.map(Into::into),
        };
        let watches = vec![watch("v1/pods", Some(position), Some("[\"shop\"]\n[0,\"a\"]\n")), watch("v1/events", None, None)];
        Checkpoint { progress: Progress { watches }, engine: serde_json::value::to_raw_value(&[round]).ok() }
    }
}

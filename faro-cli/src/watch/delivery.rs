//! What leaves a live run, in this order: the lines, the recording of what was fed, and then the checkpoint that says so.

use super::monitor::Monitor;
use super::recording::Recording;
use super::store::{self, Checkpoints};
use crate::failure::Failure;
use crate::notice;
use crate::output::Output;
use faro_core::Engine;
use faro_watch::checkpoint::{Checkpoint, CheckpointError, Progress};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Where everything goes.
pub(crate) struct Delivery<W: Write> {
    pub(crate) output: Output<W>,
    pub(crate) recording: Option<Recording>,
    checkpoints: Option<Checkpoints>,
    monitor: Arc<Monitor>,
    /// Why the last checkpoint could not be stored.
    unstored: Option<String>,
}

impl<W: Write> Delivery<W> {
    pub(crate) fn new(output: Output<W>, recording: Option<Recording>, checkpoints: Option<Checkpoints>, monitor: Arc<Monitor>) -> Self {
        Self { output, recording, checkpoints, monitor, unstored: None }
    }

    /// Whether there is a place for checkpoints.
    pub(crate) fn keeps_checkpoints(&self) -> bool {
        self.checkpoints.is_some()
    }

    /// Writes what was printed and recorded.
    pub(crate) fn deliver(&mut self) -> Result<(), Failure> {
        self.output.flush();
        self.recording.as_mut().map_or(Ok(()), Recording::flush)
    }

    /// Stores where the watches stand, once everything before it is delivered; nothing when that failed. A place that cannot be
    /// reached for now is told of, and tried again with the next one. Tells how long it took, without the reader's time: a slow one
    /// makes no checkpoint rarer.
    pub(crate) async fn store(&mut self, progress: Progress, engine: &Engine) -> Result<Duration, Failure> {
        let (took, stored) = self.attempt(progress, engine).await?;
        match stored {
            Ok(()) if self.unstored.take().is_some() => notice::warn("checkpoints are stored again"),
            Ok(()) => {}
            // The last one stands.
            Err(error) if store::passes(&error) => {
                let said = error.to_string();
                if self.unstored.as_ref() != Some(&said) {
                    notice::warn(&said);
                }
                self.unstored = Some(said);
            }
            Err(error) => return Err(Failure::failed(error)),
        }
        Ok(took)
    }

    /// Delivers the last lines, and stores where the watches stood in the end if that is known; there is no next time for either.
    pub(crate) async fn end(&mut self, progress: Option<Progress>, engine: &Engine) -> Result<(), Failure> {
        match progress {
            Some(progress) => self.attempt(progress, engine).await?.1.map_err(Failure::failed),
            None => {
                self.deliver()?;
                self.recording.as_mut().map_or(Ok(()), Recording::sync)
            }
        }
    }

    async fn attempt(&mut self, progress: Progress, engine: &Engine) -> Result<(Duration, Result<(), CheckpointError>), Failure> {
        self.deliver()?;
        let Some(checkpoints) = self.checkpoints.as_mut().filter(|_| !self.output.failed()) else { return Ok((Duration::ZERO, Ok(()))) };
        let begun = Instant::now();
        self.output.sync();
        self.recording.as_mut().map_or(Ok(()), Recording::sync)?;
        let snapshot = serde_json::value::to_raw_value(&engine.snapshot());
        let engine = snapshot.map_err(|error| Failure::failed(format!("cannot write a snapshot: {error}")))?;
        let stored = checkpoints.save(Checkpoint { progress, engine: Some(engine) }).await;
        match &stored {
            Ok(()) => self.monitor.checkpoints.stored(begun.elapsed()),
            Err(_) => self.monitor.checkpoints.failed(),
        }
        Ok((begun.elapsed(), stored))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Style;
    use faro_core::{Emit, EngineConfig, Replay, input};
    use std::cell::Cell;
    use std::io;
    use std::path::Path;
    use std::rc::Rc;

    /// A reader that notes how much came before there was a checkpoint, and may be gone.
    struct Reader<'a> {
        checkpoint: &'a Path,
        gone: bool,
        before: Rc<Cell<usize>>,
    }

    impl Write for Reader<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.gone {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            if !self.checkpoint.exists() {
                self.before.set(self.before.get() + bytes.len());
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Prints one record, stores a checkpoint, and tells how many bytes came before it and whether there is one.
    async fn print_and_store(gone: bool) -> (usize, bool) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("checkpoint");
        let before = Rc::new(Cell::new(0));
        let reader = Reader { checkpoint: &path, gone, before: Rc::clone(&before) };
        let checkpoints = Checkpoints::open(&path, &[]).await.unwrap();
        let mut delivery = Delivery::new(Output::new(reader, Style::Json), None, Some(checkpoints), Monitor::new());
        let mut replay = Replay::new(EngineConfig::default().emit(Emit::ALL), None);
        let line = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"shop","name":"web","uid":"1"}}"#;
        replay.feed(input::read(line).unwrap(), &mut delivery.output);
        delivery.store(Progress::default(), replay.engine()).await.unwrap();
        (before.get(), path.exists())
    }

    #[tokio::test]
    async fn a_checkpoint_is_stored_after_what_was_printed_before_it() {
        let (before, stored) = print_and_store(false).await;
        assert!(before > 0 && stored, "{before} bytes, {stored}");
    }

    #[tokio::test]
    async fn no_checkpoint_says_that_something_was_printed_that_nobody_got() {
        assert_eq!(print_and_store(true).await, (0, false));
    }
}

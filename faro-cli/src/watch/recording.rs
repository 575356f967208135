//! A recording: exactly what the engine was fed, in files that can each be replayed alone.

use crate::failure::Failure;
use faro_core::{Nanos, Snapshot};
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// When another file is begun.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rotation {
    /// At so many bytes.
    pub(crate) size: Option<u64>,
    /// After so long.
    pub(crate) age: Option<Nanos>,
}

/// Where a recording goes.
pub(crate) enum Recording {
    /// To standard output.
    Stdout(BufWriter<Box<dyn Write>>),
    /// To a file, and when that is full to the next one.
    File(Files),
}

/// The file that is written, and how it began.
pub(crate) struct Files {
    path: PathBuf,
    rotation: Rotation,
    out: BufWriter<File>,
    size: u64,
    since: Nanos,
}

/// A line of the run's own: how a file begins and how a run ends.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Mark<'a> {
    control: &'static str,
    received_at: Nanos,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<&'a Snapshot>,
}

impl Mark<'_> {
    fn line(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(|error| Failure::failed(format!("cannot write a snapshot: {error}")))
    }
}

/// The line with which a file begins: what the engine remembers.
pub(crate) fn beginning(now: Nanos, snapshot: &Snapshot) -> Result<String, Failure> {
    Mark { control: "snapshot", received_at: now, snapshot: Some(snapshot) }.line()
}

/// The line with which a run ends: what was due by then has happened.
pub(crate) fn end(now: Nanos) -> Result<String, Failure> {
    Mark { control: "end", received_at: now, snapshot: None }.line()
}

impl Recording {
    /// Writes to standard output.
    pub(crate) fn to_stdout(out: Box<dyn Write>) -> Self {
        Self::Stdout(BufWriter::new(out))
    }

    /// Writes to a file that nobody else may read; what is in it stays.
    pub(crate) fn to_file(path: &Path, rotation: Rotation, now: Nanos) -> Result<Self, Failure> {
        let (out, size) = open(path).map_err(|error| Failure::io("cannot write", path, &error))?;
        Ok(Self::File(Files { path: path.to_owned(), rotation, out: BufWriter::new(out), size, since: now }))
    }

    /// Begins another file if this one has no room for a line of so many bytes, and tells whether it did.
    pub(crate) fn rotate(&mut self, more: usize, now: Nanos) -> Result<bool, Failure> {
        match self {
            Self::File(files) if files.is_full(more as u64, now) => files.rotate(now).map(|()| true),
            Self::File(_) | Self::Stdout(_) => Ok(false),
        }
    }

    /// Writes one line.
    pub(crate) fn write(&mut self, line: &str) -> Result<(), Failure> {
        let put = |out: &mut dyn Write| out.write_all(line.as_bytes()).and_then(|()| out.write_all(b"\n"));
        match self {
            Self::Stdout(out) => put(out).map_err(|error| Failure::output(&error)),
            Self::File(files) => {
                files.size += line.len() as u64 + 1;
                put(&mut files.out).map_err(|error| Failure::io("cannot write", &files.path, &error))
            }
        }
    }

    /// Sees to it that all lines are with the system.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        match self {
            Self::Stdout(out) => out.flush().map_err(|error| Failure::output(&error)),
            Self::File(files) => files.out.flush().map_err(|error| Failure::io("cannot write", &files.path, &error)),
        }
    }

    /// Sees to it that all lines of a file are on the disk.
    pub(crate) fn sync(&mut self) -> Result<(), Failure> {
        match self {
            Self::Stdout(_) => self.flush(),
            Self::File(files) => files.sync().map_err(|error| Failure::io("cannot write", &files.path, &error)),
        }
    }
}

impl Files {
    fn is_full(&self, more: u64, now: Nanos) -> bool {
        let large = self.rotation.size.is_some_and(|size| self.size > 0 && self.size + more > size);
        large || self.rotation.age.is_some_and(|age| now.since(self.since) >= age.0)
    }

    /// Gives the full file the name of its time, and begins another one.
    fn rotate(&mut self, now: Nanos) -> Result<(), Failure> {
        let failed = |path: &Path, error: &io::Error| Failure::io("cannot write", path, error);
        self.sync().map_err(|error| failed(&self.path, &error))?;
        let full = self.named_by_time(now);
        std::fs::rename(&self.path, &full).map_err(|error| failed(&full, &error))?;
        let (out, size) = open(&self.path).map_err(|error| failed(&self.path, &error))?;
        (self.out, self.size, self.since) = (BufWriter::new(out), size, now);
        Ok(())
    }

    /// `night.ndjson` ends as `night-20260102T030405.678901234Z.ndjson`, so that names sort as times do.
    fn named_by_time(&self, now: Nanos) -> PathBuf {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let time = chrono::DateTime::<chrono::Utc>::from(now).format("%Y%m%dT%H%M%S%.9fZ");
        let extension = self.path.extension().map_or_else(String::new, |extension| format!(".{}", extension.to_string_lossy()));
        self.path.with_file_name(format!("{stem}-{time}{extension}"))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.out.get_ref().sync_data()
    }
}

/// Opens a file for more lines; one that a killed run tore is ended first.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)?;
    let size = file.seek(SeekFrom::End(0))?;
    if size == 0 {
        return Ok((file, 0));
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    if last == *b"\n" {
        return Ok((file, size));
    }
    file.write_all(b"\n")?;
    Ok((file, size + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use faro_core::{Engine, EngineConfig};

    const LINE: &str = r#"{"control":"listBegin","gvr":"v1/pods"}"#;

    #[test]
    fn torn_line_is_ended() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.ndjson");
        std::fs::write(&path, "{\"whole\":1}\n{\"torn").unwrap();
        let mut recording = Recording::to_file(&path, Rotation::default(), Nanos(0)).unwrap();
        recording.write(LINE).unwrap();
        recording.sync().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{{\"whole\":1}}\n{{\"torn\n{LINE}\n"));
    }

    #[test]
    fn full_file_gets_its_time_for_a_name() {
        check(Rotation { size: Some(60), age: None });
        check(Rotation { size: None, age: Some(Nanos(2)) });
    }

    #[test]
    fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.ndjson");
        Recording::to_file(&path, Rotation::default(), Nanos(0)).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    /// One line fits, the second begins a file.
    #[track_caller]
    fn check(rotation: Rotation) {
        let directory = tempfile::tempdir().unwrap();
        let mut recording = Recording::to_file(&directory.path().join("a.ndjson"), rotation, Nanos(0)).unwrap();
        for now in [1, 5] {
            assert_eq!(recording.rotate(LINE.len(), Nanos(now)), Ok(now == 5));
            recording.write(LINE).unwrap();
        }
        recording.sync().unwrap();
        for name in ["a-19700101T000000.000000005Z.ndjson", "a.ndjson"] {
            assert_eq!(std::fs::read_to_string(directory.path().join(name)).unwrap(), format!("{LINE}\n"), "{name}");
        }
    }

    #[test]
    fn beginning_and_end_are_control_lines() {
        let snapshot = Engine::new(EngineConfig::default()).snapshot();
        let line = beginning(Nanos(5), &snapshot).unwrap();
        assert!(line.starts_with(r#"{"control":"snapshot","receivedAt":"1970-01-01T00:00:00.000000005Z","snapshot":{"#), "{line}");
        assert_eq!(end(Nanos(6)).unwrap(), r#"{"control":"end","receivedAt":"1970-01-01T00:00:00.000000006Z"}"#);
    }
}

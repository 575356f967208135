//! One input as chunks of whole values.

use super::compression::{Bytes, unpack};
use super::files::Input;
use faro_core::input::{Cause, Framer, Frames, Malformed, YamlFramer, looks_like_yaml};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much of the beginning may be needed to tell JSON from YAML.
const HEAD: usize = 16 << 10;

/// Whole values as they stand in the input.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// The values.
    pub(crate) frames: Frames,
    /// Whether they are YAML.
    pub(crate) yaml: bool,
}

enum Cutter {
    /// Too little was read to tell.
    Unknown(Vec<u8>),
    Json(Framer),
    Yaml(YamlFramer),
}

/// One open input.
pub(crate) struct Source {
    bytes: Bytes,
    packed: bool,
    cutter: Cutter,
    chunk: usize,
    /// What a pipe's read goes to: it must not wait until a chunk is full.
    scratch: Vec<u8>,
    ended: bool,
}

/// Counts what passes, for the progress.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.count.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

impl Source {
    /// Opens `input`, to be read in chunks of about `chunk` bytes; `count` grows by what is read of it.
    pub(crate) fn open(input: &Input, chunk: usize, count: &Arc<AtomicU64>) -> io::Result<Self> {
        let count = Arc::clone(count);
        let (bytes, waits): (Bytes, bool) = match input {
            Input::Stdin => (Box::new(Counted { inner: io::stdin(), count }), true),
            Input::Pipe(path) => (Box::new(Counted { inner: std::fs::File::open(path)?, count }), true),
            Input::File(path) => (Box::new(Counted { inner: std::fs::File::open(path)?, count }), false),
        };
        let (bytes, packed) = unpack(bytes)?;
        let scratch = if waits { vec![0; chunk] } else { Vec::new() };
        Ok(Self { bytes, packed, cutter: Cutter::Unknown(Vec::new()), chunk, scratch, ended: false })
    }

    /// Returns the next values; nothing at the end of the input.
    pub(crate) fn next(&mut self) -> io::Result<Option<Chunk>> {
        while !self.ended {
            let (bytes, scratch, chunk) = (&mut self.bytes, &mut self.scratch, self.chunk);
            let mut read = |buffer: &mut Vec<u8>| -> io::Result<usize> {
                if scratch.is_empty() {
                    buffer.reserve(chunk);
                    return bytes.by_ref().take(chunk as u64).read_to_end(buffer);
                }
                loop {
                    match bytes.read(scratch) {
                        Ok(length) => {
                            buffer.extend_from_slice(&scratch[..length]);
                            return Ok(length);
                        }
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
            };
            let result = match &mut self.cutter {
                Cutter::Unknown(head) => read(head),
                Cutter::Json(framer) => framer.fill(read),
                Cutter::Yaml(framer) => framer.fill(read),
            };
            let broken = match result {
                Ok(length) => {
                    self.ended = length == 0;
                    None
                }
                // The file can be read; what it packs cannot. What came before it counts.
                Err(error) if self.packed && error.raw_os_error().is_none() => {
                    self.ended = true;
                    Some(error)
                }
                Err(error) => return Err(error),
            };
            self.decide();
            let mut chunk = self.take();
            if let Some(error) = broken {
                let cut_short = error.kind() == io::ErrorKind::UnexpectedEof;
                let cause = if cut_short { Cause::Truncated } else { Cause::InvalidJson };
                let detail = format!("cannot unpack: {}", crate::notice::shown(&error.to_string()));
                chunk.frames.frames.push(Err(Malformed::new(cause, detail)));
            }
            if !chunk.frames.frames.is_empty() {
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }

    /// Tells JSON from YAML once there is enough to tell.
    fn decide(&mut self) {
        let Cutter::Unknown(head) = &mut self.cutter else { return };
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        let json = text.first().is_some_and(|first| matches!(first, b'{' | b'['));
        let enough = json || head.len() >= HEAD || text.contains(&b'\n') || self.ended;
        if !enough {
            return;
        }
        let yaml = !json && looks_like_yaml(&head[..head.len().min(HEAD)]);
        let head = std::mem::take(head);
        self.cutter = if yaml {
            let mut framer = YamlFramer::default();
            framer.fill(|buffer| *buffer = head);
            Cutter::Yaml(framer)
        } else {
            let mut framer = Framer::default();
            framer.fill(|buffer| *buffer = head);
            Cutter::Json(framer)
        };
    }

    fn take(&mut self) -> Chunk {
        match &mut self.cutter {
            Cutter::Unknown(_) => Chunk { frames: Frames::default(), yaml: false },
            Cutter::Json(framer) => {
                if self.ended {
                    framer.finish();
                }
                let ready = framer.ready() > 0;
                Chunk { frames: if ready { framer.take() } else { Frames::default() }, yaml: false }
            }
            Cutter::Yaml(framer) => {
                if self.ended {
                    framer.finish();
                }
                let ready = framer.ready() > 0;
                Chunk { frames: if ready { framer.take() } else { Frames::default() }, yaml: true }
            }
        }
    }
}

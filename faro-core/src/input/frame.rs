//! Cuts a stream of bytes into JSON values, without reading them.
//!
//! One pass, no recursion, memory of one value: lines (NDJSON), pretty-printed or concatenated documents, arrays and `List`s of any
//! size, whose items come out one by one. A broken value costs only itself: in lines the next line goes on, in documents the next
//! line that begins with `{` or `[` where the broken one cannot go on.

mod scanner;

use super::malformed::{Cause, Malformed};
use scanner::{Scanner, Stop};

/// The largest value that is read unless told otherwise: 16 MiB.
pub const DEFAULT_LIMIT: usize = 16 << 20;

/// A line of which this much came without an end is scanned for items, in case it is one long `List`.
const LONG_LINE: usize = 1 << 20;

/// What holds a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Holder {
    /// Nothing: the value stands for itself, or in an array.
    Nothing,
    /// A `List`, or one that has not said yet what it lists.
    List,
    /// A list whose kind says that it holds Events; the API server leaves out the kind of its items.
    EventList,
}

/// Where one value lies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Frame {
    /// Its first byte in [`Frames::bytes`].
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// Line in the stream, from 1.
    pub line: usize,
    /// Column in bytes within that line, from 1.
    pub column: usize,
    /// What holds it.
    pub holder: Holder,
}

impl Frame {
    /// Places what is wrong within this value in the stream.
    #[must_use]
    pub fn locate(&self, mut malformed: Malformed) -> Malformed {
        if malformed.line <= 1 {
            malformed.column = self.column + malformed.column.saturating_sub(1);
            malformed.line = self.line;
        } else {
            malformed.line += self.line - 1;
        }
        malformed
    }
}

/// A run of values and the bytes they lie in.
#[derive(Debug, Default)]
pub struct Frames {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The values in the order of the stream; in the place of one that was refused, why.
    pub frames: Vec<Result<Frame, Malformed>>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mode {
    /// No value has ended yet.
    Undecided,
    /// A value a line.
    Lines,
    /// Values wherever they begin and end.
    Documents,
}

/// Cuts a stream of bytes into JSON values.
///
/// # Memory
///
/// One value, at most the limit, and what [`Framer::fill`] appends between two [`Framer::take`]s.
///
/// # Example
///
/// ```
/// use faro_core::input::Framer;
///
/// let mut framer = Framer::default();
/// framer.fill(|buffer| buffer.extend_from_slice(b"{\"kind\":\"List\",\"items\":[{\"a\":1},\n {\"a\":2}]"));
/// let frames = framer.take();
/// let texts: Vec<_> = frames.frames.iter().flatten().map(|frame| &frames.bytes[frame.start..frame.end]).collect();
/// assert_eq!(texts, [b"{\"a\":1}", b"{\"a\":2}"]);
/// ```
#[derive(Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    frames: Vec<Result<Frame, Malformed>>,
    mode: Mode,
    scanner: Scanner,
    /// Whether the scanner has a line of its own in the mode for lines.
    scanning_line: bool,
    /// How far the line at hand is known to have no end.
    searched: usize,
}

impl Default for Framer {
    fn default() -> Self {
        Self::new(DEFAULT_LIMIT)
    }
}

impl Framer {
    /// Makes one that refuses values larger than `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            frames: Vec::new(),
            mode: Mode::Undecided,
            scanner: Scanner::new(limit),
            scanning_line: false,
            searched: 0,
        }
    }

    /// Lets `read` append the next bytes of the stream, and cuts what is complete with them.
    pub fn fill<T>(&mut self, read: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let before = self.buffer.len();
        let result = read(&mut self.buffer);
        debug_assert!(self.buffer.len() >= before, "bytes are only appended");
        self.cut();
        if self.frames.is_empty() {
            // Nothing refers to what is passed: a value that is skipped takes no room.
            let passed = self.kept_from();
            self.buffer.drain(..passed);
            self.shift(passed);
        }
        result
    }

    /// Ends the stream: what is incomplete comes out as it is.
    pub fn finish(&mut self) {
        if self.mode == Mode::Lines && !self.scanning_line {
            let end = self.buffer.len();
            if end > self.scanner.pos {
                self.line(end);
            }
            self.scanner.pos = end;
        } else {
            self.scanner.finish(&self.buffer, &mut self.frames);
        }
    }

    /// Tells how many values wait to be taken.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.frames.len()
    }

    /// Takes the values that are complete, with their bytes.
    pub fn take(&mut self) -> Frames {
        let kept_from = self.kept_from();
        let rest = self.buffer[kept_from..].to_vec();
        let mut bytes = std::mem::replace(&mut self.buffer, rest);
        bytes.truncate(kept_from);
        self.shift(kept_from);
        Frames { bytes, frames: std::mem::take(&mut self.frames) }
    }

    fn kept_from(&self) -> usize {
        if self.mode == Mode::Lines && !self.scanning_line { self.scanner.pos } else { self.scanner.kept_from() }
    }

    fn shift(&mut self, passed: usize) {
        self.scanner.shift(passed);
        self.searched = self.searched.saturating_sub(passed);
    }

    fn cut(&mut self) {
        while self.scanner.pos < self.buffer.len() {
            if self.mode == Mode::Lines && !self.scanning_line {
                if self.lines() {
                    return;
                }
                continue;
            }
            match self.scanner.scan(&self.buffer, &mut self.frames) {
                Stop::More => return,
                Stop::LineDone => {
                    if self.mode == Mode::Undecided {
                        self.mode = Mode::Lines;
                    }
                    if self.mode == Mode::Lines {
                        self.scanning_line = false;
                        self.searched = self.scanner.pos;
                    }
                }
                Stop::SpansLines => {
                    if self.mode == Mode::Undecided {
                        self.mode = Mode::Documents;
                    }
                }
            }
        }
    }

    /// Cuts whole lines; returns whether more bytes are needed.
    fn lines(&mut self) -> bool {
        loop {
            let rest = &self.buffer[self.searched..];
            let Some(length) = memchr::memchr(b'\n', rest) else {
                self.searched = self.buffer.len();
                if self.searched - self.scanner.pos <= LONG_LINE {
                    return true;
                }
                self.scan_line();
                return false;
            };
            let end = self.searched + length;
            let text = self.buffer[self.scanner.pos..end].trim_ascii();
            if text.first() == Some(&b'[') || text.len() > LONG_LINE {
                self.scan_line();
                return false;
            }
            if text == b"{" {
                // A document begins among the lines.
                self.mode = Mode::Undecided;
                self.scanner.begin(false);
                return false;
            }
            self.line(end);
            self.scanner.pos = end + 1;
            self.scanner.next_line(end);
            self.searched = end + 1;
        }
    }

    fn scan_line(&mut self) {
        self.scanning_line = true;
        self.scanner.begin(true);
    }

    /// Takes the line from the scanner's position to `end`.
    fn line(&mut self, end: usize) {
        let mut start = self.scanner.pos;
        let mut text = &self.buffer[start..end];
        if let Some(rest) = text.strip_prefix(b"\xef\xbb\xbf") {
            start += 3;
            text = rest;
        }
        let trimmed = text.trim_ascii_start();
        start += text.len() - trimmed.len();
        let mut text = trimmed.trim_ascii_end();
        if text.first() == Some(&b'{') {
            text = text.strip_suffix(b",").unwrap_or(text);
        }
        if !text.is_empty() {
            let frame = self.scanner.frame(start, start + text.len());
            self.frames.push(self.scanner.check_length(frame));
        }
    }
}

pub(super) fn too_long(frame: &Frame, limit: usize) -> Malformed {
    let refused = Malformed::new(Cause::TooLong, format!("one value is larger than {limit} bytes"));
    frame.locate(refused)
}

#[cfg(test)]
mod tests;

//! What a scan does where a value is broken: it ends there, and the next one is looked for.

use super::super::Frame;
use super::{Scanner, State, Stop};
use crate::input::malformed::{Cause, Malformed};

impl Scanner {
    /// Whether an object may begin here, judged by what stands before it.
    pub(super) fn may_open(&self, bytes: &[u8]) -> bool {
        let before = *bytes[..self.pos].trim_ascii_end().last().unwrap_or(&self.previous);
        match self.in_object() {
            Some(true) => before == b':',
            Some(false) => matches!(before, b'[' | b','),
            // Nobody reads so deep a value: better to go on with the next one.
            None => false,
        }
    }

    /// The value at hand cannot go on at `end`.
    pub(super) fn broken(&mut self, bytes: &[u8], end: usize, out: &mut Vec<Result<Frame, Malformed>>) -> Option<Stop> {
        if self.state == State::Rest {
            self.unclosed(out);
        } else {
            self.end_value(bytes, end, out);
        }
        // Where elements stand at the beginning of a line, the next one does too; else what begins there is no element.
        if self.state == State::Rest || self.begun.column > 1 {
            self.floor = 0;
        }
        self.depth = self.floor;
        self.in_string = false;
        let next = bytes[end];
        let one_line = self.top_line == self.line || (self.top_line + 1 == self.line && next == b'{');
        self.state = match next {
            b'{' if self.floor > 0 => State::Elements,
            b'{' => State::Top,
            b'\n' if self.line_bound => State::Top,
            _ => State::Resync,
        };
        // A value that broke on the line it began on: the lines are values of their own.
        (one_line && next == b'{' && self.floor == 0).then_some(Stop::LineDone)
    }

    pub(super) fn unclosed(&self, out: &mut Vec<Result<Frame, Malformed>>) {
        let place = self.frame(self.pos, self.pos);
        out.push(Err(place.locate(Malformed::new(Cause::Truncated, "a list is not closed"))));
    }

    pub(super) fn garbage(&mut self, bytes: &[u8], out: &mut Vec<Result<Frame, Malformed>>) -> Option<Stop> {
        match memchr::memchr(b'\n', &bytes[self.pos..]) {
            None => self.pos = bytes.len(),
            Some(offset) => {
                self.pos += offset;
                self.end_value(bytes, self.pos, out);
                self.values_on_line = 0;
                self.state = State::Top;
            }
        }
        None
    }

    pub(super) fn resync(&mut self, bytes: &[u8]) -> Option<Stop> {
        if self.line_bound {
            match memchr::memchr(b'\n', &bytes[self.pos..]) {
                None => self.pos = bytes.len(),
                Some(offset) => {
                    self.pos += offset;
                    self.state = State::Top;
                }
            }
            return None;
        }
        let first = self.base + self.pos == self.line_base;
        if first && matches!(bytes[self.pos], b'{' | b'[') {
            self.state = if self.floor > 0 { State::Elements } else { State::Top };
            // The broken value kept to its line, and so does this one.
            return (self.floor == 0 && self.top_line + 1 == self.line).then_some(Stop::LineDone);
        }
        match memchr::memchr(b'\n', &bytes[self.pos..]) {
            None => self.pos = bytes.len(),
            Some(offset) => {
                self.next_line(self.pos + offset);
                self.pos += offset + 1;
            }
        }
        None
    }
}

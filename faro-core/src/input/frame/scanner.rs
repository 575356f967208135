//! Follows strings and brackets from value to value, and remembers where it is between two chunks.

mod recovery;

use super::{Frame, Holder, too_long};
use crate::input::malformed::Malformed;

/// Why a scan paused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stop {
    /// All bytes are used up.
    More,
    /// A line ended that held one whole value, or as much of it as there is.
    LineDone,
    /// A value ended on another line than it began on.
    SpansLines,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Between values.
    Top,
    /// In an object or array that comes out whole.
    Value,
    /// Between the elements of an array whose elements come out.
    Elements,
    /// In an element that is no object or array.
    Scalar,
    /// In a list, past its items.
    Rest,
    /// In a line that begins like no JSON value.
    Garbage,
    /// After something broken, before the next line that begins like a value.
    Resync,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Key {
    Kind,
    Items,
    Other,
}

/// What an object says about being a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Unsaid,
    List,
    EventList,
    NoList,
}

#[derive(Debug)]
pub(super) struct Scanner {
    /// The next byte to look at.
    pub(super) pos: usize,
    limit: usize,
    state: State,
    line_bound: bool,
    in_string: bool,
    escaped: bool,
    /// Brackets open at `pos`, and whether each of the first 128 is an object's.
    depth: usize,
    objects: u128,
    /// Brackets that stay open around the elements that come out.
    floor: usize,
    holder: Holder,
    /// The last structural byte.
    previous: u8,
    key: Key,
    kind: Kind,
    /// Where the string at hand begins, when it may be a key of a list.
    string: usize,
    /// The value at hand.
    begun: Frame,
    /// Whether the value at hand is too long, so that its bytes are not kept.
    dropped: bool,
    /// The line on which the value at top level began.
    top_line: usize,
    values_on_line: usize,
    line: usize,
    /// Bytes of the stream before the buffer, and before the line.
    base: usize,
    line_base: usize,
}

const STRUCTURAL: [bool; 256] = {
    let mut table = [false; 256];
    let bytes = b"\"{}[],:\n";
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
};

impl Scanner {
    pub(super) fn new(limit: usize) -> Self {
        let begun = Frame { start: 0, end: 0, line: 1, column: 1, holder: Holder::Nothing };
        Self {
            pos: 0,
            limit,
            state: State::Top,
            line_bound: false,
            in_string: false,
            escaped: false,
            depth: 0,
            objects: 0,
            floor: 0,
            holder: Holder::Nothing,
            previous: 0,
            key: Key::Other,
            kind: Kind::Unsaid,
            string: 0,
            begun,
            dropped: false,
            top_line: 1,
            values_on_line: 0,
            line: 1,
            base: 0,
            line_base: 0,
        }
    }

    /// Begins anew at the line at hand; `line_bound`: no value goes on past its end.
    pub(super) fn begin(&mut self, line_bound: bool) {
        self.state = State::Top;
        self.line_bound = line_bound;
        self.values_on_line = 0;
    }

    /// Makes the frame of the bytes from `start` to `end` on the line at hand.
    pub(super) fn frame(&self, start: usize, end: usize) -> Frame {
        Frame { start, end, line: self.line, column: self.base + start - self.line_base + 1, holder: Holder::Nothing }
    }

    pub(super) fn check_length(&self, frame: Frame) -> Result<Frame, Malformed> {
        if frame.end - frame.start > self.limit { Err(too_long(&frame, self.limit)) } else { Ok(frame) }
    }

    /// Counts the line that ends at `newline`.
    pub(super) fn next_line(&mut self, newline: usize) {
        self.line += 1;
        self.line_base = self.base + newline + 1;
    }

    /// The first byte that is still needed.
    pub(super) fn kept_from(&self) -> usize {
        match self.state {
            State::Value | State::Scalar | State::Garbage if !self.dropped => self.begun.start,
            State::Value | State::Scalar | State::Garbage | State::Top | State::Elements | State::Rest | State::Resync => self.pos,
        }
    }

    /// Forgets `passed` bytes at the front of the buffer.
    pub(super) fn shift(&mut self, passed: usize) {
        self.base += passed;
        self.pos -= passed;
        self.begun.start = self.begun.start.saturating_sub(passed);
        self.string = self.string.saturating_sub(passed);
    }

    /// Goes on until a pause or the end of the bytes.
    pub(super) fn scan(&mut self, bytes: &[u8], out: &mut Vec<Result<Frame, Malformed>>) -> Stop {
        while self.pos < bytes.len() {
            let stop = match self.state {
                State::Top => self.top(bytes),
                State::Elements => self.elements(bytes, out),
                State::Value | State::Rest => self.inside(bytes, out),
                State::Scalar => self.scalar(bytes, out),
                State::Garbage => self.garbage(bytes, out),
                State::Resync => self.resync(bytes),
            };
            if let Some(stop) = stop {
                return stop;
            }
        }
        let unfinished = self.pos.saturating_sub(self.begun.start);
        if self.kept_from() < self.pos && unfinished > self.limit {
            self.dropped = true;
            out.push(Err(too_long(&self.begun, self.limit)));
        }
        if self.kept_from() == self.pos
            && let Some(&last) = bytes.trim_ascii_end().last()
        {
            self.previous = last;
        }
        Stop::More
    }

    /// Ends the stream: what is incomplete comes out as it is.
    pub(super) fn finish(&mut self, bytes: &[u8], out: &mut Vec<Result<Frame, Malformed>>) {
        match self.state {
            State::Value | State::Scalar | State::Garbage => self.end_value(bytes, bytes.len(), out),
            State::Elements | State::Rest => self.unclosed(out),
            State::Top | State::Resync => {}
        }
        self.state = State::Top;
        self.pos = bytes.len();
    }

    fn begin_value(&mut self, state: State) {
        self.state = state;
        self.begun = Frame { holder: self.holder, ..self.frame(self.pos, self.pos) };
        self.dropped = false;
        self.in_string = false;
        self.escaped = false;
    }

    /// The value at hand ends before `end`, whole or not.
    fn end_value(&mut self, bytes: &[u8], end: usize, out: &mut Vec<Result<Frame, Malformed>>) {
        if self.dropped {
            return;
        }
        let length = bytes[self.begun.start..end].trim_ascii_end().len();
        let whole = self.check_length(Frame { end, ..self.begun });
        out.push(whole.map(|frame| Frame { end: frame.start + length, ..frame }));
    }

    fn push(&mut self, byte: u8) {
        if self.depth < 128 {
            let bit = 1 << self.depth;
            if byte == b'{' { self.objects |= bit } else { self.objects &= !bit }
        }
        self.depth += 1;
        self.previous = byte;
    }

    /// Whether the innermost open bracket is an object's; `None` beyond what is remembered.
    fn in_object(&self) -> Option<bool> {
        (1..=128).contains(&self.depth).then(|| self.objects >> (self.depth - 1) & 1 == 1)
    }

    fn top(&mut self, bytes: &[u8]) -> Option<Stop> {
        match bytes[self.pos] {
            b'\n' => {
                self.next_line(self.pos);
                self.pos += 1;
                let whole = std::mem::take(&mut self.values_on_line) == 1 && self.top_line == self.line - 1;
                return (whole || self.line_bound).then_some(Stop::LineDone);
            }
            // White space, a byte order mark, the comma between values that somebody cut out of an array.
            b' ' | b'\t' | b'\r' | b',' | 0xef | 0xbb | 0xbf => self.pos += 1,
            byte => {
                self.top_line = self.line;
                self.values_on_line += 1;
                (self.depth, self.floor, self.holder) = (0, 0, Holder::Nothing);
                (self.key, self.kind) = (Key::Other, Kind::Unsaid);
                match byte {
                    b'{' => {
                        self.begin_value(State::Value);
                        self.push(byte);
                        self.pos += 1;
                    }
                    b'[' => {
                        self.push(byte);
                        self.open_elements(Holder::Nothing);
                    }
                    _ => self.begin_value(State::Garbage),
                }
            }
        }
        None
    }

    fn open_elements(&mut self, holder: Holder) {
        self.state = State::Elements;
        self.floor = self.depth;
        self.holder = holder;
        self.pos += 1;
    }

    fn elements(&mut self, bytes: &[u8], out: &mut Vec<Result<Frame, Malformed>>) -> Option<Stop> {
        let byte = bytes[self.pos];
        match byte {
            b'\n' => {
                if self.line_bound {
                    self.unclosed(out);
                    self.state = State::Top;
                    return None;
                }
                self.next_line(self.pos);
                self.pos += 1;
            }
            b' ' | b'\t' | b'\r' | b',' => self.pos += 1,
            b']' => {
                self.pos += 1;
                self.depth -= 1;
                self.previous = byte;
                self.state = State::Rest;
                return if self.depth == 0 { self.at_top() } else { None };
            }
            b'}' => {
                self.unclosed(out);
                self.floor = 0;
                self.state = State::Resync;
            }
            b'{' | b'[' => {
                self.begin_value(State::Value);
                self.push(byte);
                self.pos += 1;
            }
            _ => self.begin_value(State::Scalar),
        }
        None
    }

    /// The value at top level is complete.
    fn at_top(&mut self) -> Option<Stop> {
        self.state = State::Top;
        (self.top_line != self.line).then_some(Stop::SpansLines)
    }

    fn inside(&mut self, bytes: &[u8], out: &mut Vec<Result<Frame, Malformed>>) -> Option<Stop> {
        // Only the members of an object at top level can make it a list.
        let watched = self.state == State::Value && self.floor == 0;
        while self.pos < bytes.len() {
            if self.in_string && !self.skip_string(bytes, watched) {
                return self.broken(bytes, self.pos, out);
            }
            let Some(offset) = bytes[self.pos..].iter().position(|&byte| STRUCTURAL[byte as usize]) else {
                self.pos = bytes.len();
                return None;
            };
            self.pos += offset;
            let byte = bytes[self.pos];
            match byte {
                b'"' => {
                    self.in_string = true;
                    self.string = self.pos;
                }
                b'\n' if self.line_bound => return self.broken(bytes, self.pos, out),
                b'\n' => self.next_line(self.pos),
                b'{' | b'[' => {
                    let first = self.base + self.pos == self.line_base;
                    if first && byte == b'{' && !self.may_open(bytes) {
                        return self.broken(bytes, self.pos, out);
                    }
                    let list = watched && self.depth == 1 && byte == b'[' && self.key == Key::Items && self.previous == b':';
                    self.push(byte);
                    let short = !self.dropped && self.pos - self.begun.start <= self.limit;
                    if list && short && self.kind != Kind::NoList {
                        self.open_elements(if self.kind == Kind::EventList { Holder::EventList } else { Holder::List });
                        return None;
                    }
                }
                b'}' | b']' => {
                    if self.in_object().is_some_and(|object| object != (byte == b'}')) {
                        return self.broken(bytes, self.pos, out);
                    }
                    self.depth -= 1;
                    self.previous = byte;
                    self.pos += 1;
                    if self.depth == 0 || (self.state == State::Value && self.depth == self.floor) {
                        if self.state == State::Value {
                            self.end_value(bytes, self.pos, out);
                        }
                        if self.depth == 0 {
                            return self.at_top();
                        }
                        self.state = State::Elements;
                        return None;
                    }
                    continue;
                }
                _ => self.previous = byte,
            }
            self.pos += 1;
        }
        None
    }

    /// Goes to the end of the string at hand; `false` when its line ends first.
    fn skip_string(&mut self, bytes: &[u8], watched: bool) -> bool {
        while self.pos < bytes.len() {
            if std::mem::take(&mut self.escaped) {
                self.pos += 1;
                continue;
            }
            let Some(offset) = string_end(&bytes[self.pos..]) else {
                self.pos = bytes.len();
                return true;
            };
            self.pos += offset;
            match bytes[self.pos] {
                b'\n' => {
                    self.in_string = false;
                    return false;
                }
                b'\\' => self.escaped = true,
                _ => {
                    if watched && self.depth == 1 && !self.dropped {
                        self.member(&bytes[self.string + 1..self.pos]);
                    }
                    self.in_string = false;
                    self.previous = b'"';
                    self.pos += 1;
                    return true;
                }
            }
            self.pos += 1;
        }
        true
    }

    /// A key, or the string that is its value.
    fn member(&mut self, text: &[u8]) {
        if self.previous != b':' {
            self.key = match text {
                b"items" => Key::Items,
                b"kind" => Key::Kind,
                _ => Key::Other,
            };
        } else if self.key == Key::Kind {
            self.kind = match text {
                b"EventList" => Kind::EventList,
                _ if text.ends_with(b"List") => Kind::List,
                _ => Kind::NoList,
            };
        }
    }

    fn scalar(&mut self, bytes: &[u8], out: &mut Vec<Result<Frame, Malformed>>) -> Option<Stop> {
        while self.pos < bytes.len() {
            if self.in_string && !self.skip_string(bytes, false) {
                break;
            }
            match bytes.get(self.pos) {
                None => return None,
                Some(b'"') => self.in_string = true,
                Some(b',' | b']' | b'}' | b'\n') => break,
                Some(_) => {}
            }
            self.pos += 1;
        }
        if self.pos < bytes.len() {
            self.end_value(bytes, self.pos, out);
            self.state = State::Elements;
        }
        None
    }
}

/// The next byte of a string that matters. Most strings are short: a plain loop finds their end before a call pays off.
fn string_end(bytes: &[u8]) -> Option<usize> {
    let short = bytes.len().min(16);
    if let Some(at) = bytes[..short].iter().position(|byte| matches!(byte, b'"' | b'\\' | b'\n')) {
        return Some(at);
    }
    memchr::memchr3(b'"', b'\\', b'\n', &bytes[short..]).map(|at| short + at)
}

//! YAML documents, turned into the JSON that they mean.
//!
//! [`YamlFramer`] cuts a stream at its `---` lines, and `List`s in block style, as `kubectl get -o yaml` writes them, item by item;
//! [`to_json`] turns what was cut into JSON values. A key given twice is refused, and aliases expand within a budget.

use super::frame::{DEFAULT_LIMIT, Frame, Frames, Holder};
use super::malformed::{Cause, Malformed};
use serde_saphyr::options::DuplicateKeyPolicy;

/// Tells from its first bytes whether a stream is YAML rather than JSON, or nothing of either.
///
/// JSON values begin with `{` or `[`. What begins otherwise is YAML when it begins as YAML of objects does, with a key, a comment,
/// a directive, `---` or an item; and no line is a JSON object, as after a line of somebody's log.
#[must_use]
pub fn looks_like_yaml(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let mut lines = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else { return false };
    let text = first.trim_ascii_start();
    let starts = text.starts_with(b"---") || text.starts_with(b"#") || text.starts_with(b"%YAML") || text.starts_with(b"- ");
    (starts || is_key(text)) && !lines.any(|line| line.starts_with(b"{\""))
}

/// `key:` or `"key": value`, without a control character.
fn is_key(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\"").unwrap_or(text);
    let length = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(byte)).count();
    let rest = text[length..].strip_prefix(b"\"").unwrap_or(&text[length..]);
    length > 0 && (rest == b":" || rest.starts_with(b": ")) && !text.iter().any(u8::is_ascii_control)
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Between documents.
    Top,
    /// In a document that comes out whole.
    Document,
    /// Past `items:` of a list, before the first item.
    Items,
    /// In an item whose dash stands after this many spaces.
    Item(usize),
    /// Past the items of a list.
    Rest,
}

/// Cuts a stream of YAML into documents and the items of lists.
///
/// # Memory
///
/// One document or item, at most the limit, and what [`YamlFramer::fill`] appends between two [`YamlFramer::take`]s.
#[derive(Debug)]
pub struct YamlFramer {
    buffer: Vec<u8>,
    frames: Vec<Result<Frame, Malformed>>,
    limit: usize,
    state: State,
    holder: Holder,
    begun: Frame,
    dropped: bool,
    /// Where the line at hand begins.
    pos: usize,
    line: usize,
    /// Whether that beginning is not kept.
    line_lost: bool,
}

impl Default for YamlFramer {
    fn default() -> Self {
        Self::new(DEFAULT_LIMIT)
    }
}

impl YamlFramer {
    /// Makes one that refuses documents and items larger than `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let begun = Frame { start: 0, end: 0, line: 1, column: 1, holder: Holder::Nothing };
        Self {
            buffer: Vec::new(),
            frames: Vec::new(),
            limit,
            state: State::Top,
            holder: Holder::List,
            begun,
            dropped: false,
            pos: 0,
            line: 1,
            line_lost: false,
        }
    }

    /// Lets `read` append the next bytes of the stream, and cuts what is complete with them.
    pub fn fill<T>(&mut self, read: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let searched = self.buffer.len();
        let result = read(&mut self.buffer);
        let mut from = searched.max(self.pos);
        while let Some(length) = memchr::memchr(b'\n', &self.buffer[from..]) {
            self.next_line(from + length);
            (self.pos, from) = (from + length + 1, from + length + 1);
            self.line += 1;
        }
        self.drop_too_long(self.buffer.len());
        if self.frames.is_empty() {
            let passed = self.kept_from();
            self.buffer.drain(..passed);
            self.shift(passed);
        }
        result
    }

    /// Ends the stream.
    pub fn finish(&mut self) {
        if self.pos < self.buffer.len() {
            self.next_line(self.buffer.len());
            self.pos = self.buffer.len();
        }
        self.end(self.pos);
        self.state = State::Top;
    }

    /// Tells how many documents and items wait to be taken.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.frames.len()
    }

    /// Takes the documents and items that are complete, still in YAML.
    pub fn take(&mut self) -> Frames {
        let kept_from = self.kept_from();
        let rest = self.buffer[kept_from..].to_vec();
        let mut bytes = std::mem::replace(&mut self.buffer, rest);
        bytes.truncate(kept_from);
        self.shift(kept_from);
        Frames { bytes, frames: std::mem::take(&mut self.frames) }
    }

    fn kept_from(&self) -> usize {
        match self.state {
            State::Document | State::Item(_) if self.dropped && self.buffer.len() - self.pos > self.limit => self.buffer.len(),
            State::Document | State::Item(_) if self.dropped => self.pos,
            State::Document | State::Item(_) => self.begun.start,
            State::Top | State::Items | State::Rest => self.pos,
        }
    }

    fn shift(&mut self, passed: usize) {
        self.line_lost |= passed > self.pos;
        self.pos = self.pos.saturating_sub(passed);
        self.begun.start = self.begun.start.saturating_sub(passed);
    }

    fn drop_too_long(&mut self, end: usize) {
        let open = matches!(self.state, State::Document | State::Item(_));
        if open && !self.dropped && end - self.begun.start > self.limit {
            self.dropped = true;
            self.frames.push(Err(super::frame::too_long(&self.begun, self.limit)));
        }
    }

    /// The document or item at hand ends before `end`.
    fn end(&mut self, end: usize) {
        self.drop_too_long(end);
        if matches!(self.state, State::Document | State::Item(_)) && !self.dropped {
            self.frames.push(Ok(Frame { end, ..self.begun }));
        }
    }

    fn begin(&mut self, state: State, start: usize, holder: Holder) {
        self.state = state;
        self.begun = Frame { start, end: start, line: self.line, column: start - self.pos + 1, holder };
        self.dropped = false;
    }

    /// Looks at the line that ends at `end`.
    fn next_line(&mut self, end: usize) {
        if std::mem::take(&mut self.line_lost) {
            return;
        }
        let text = self.buffer[self.pos..end].trim_ascii_end();
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let content = text.trim_ascii_start();
        if text.starts_with(b"---") && (text.len() == 3 || text[3] == b' ' || text[3] == b'\t') {
            let rest = text[3..].trim_ascii_start();
            let inline = (!rest.is_empty() && rest[0] != b'#').then(|| self.pos + text.len() - rest.len());
            self.end(self.pos);
            self.state = State::Top;
            if let Some(start) = inline {
                self.begin(State::Document, start, Holder::Nothing);
            }
            return;
        }
        if text == b"..." {
            self.end(self.pos);
            self.state = State::Top;
            return;
        }
        if content.is_empty() || content[0] == b'#' {
            return;
        }
        let indent = text.len() - content.len();
        match self.state {
            State::Top if content[0] == b'%' => {}
            State::Top => {
                self.holder = Holder::List;
                let start = self.pos;
                self.begin(State::Document, start, Holder::Nothing);
                self.member(end);
            }
            State::Document => self.member(end),
            State::Items | State::Item(_) => {
                let dash = content == b"-" || content.starts_with(b"- ");
                let inside = matches!(self.state, State::Item(column) if indent > column);
                if inside {
                    return;
                }
                self.end(self.pos);
                if dash {
                    self.begin(State::Item(indent), self.pos, self.holder);
                } else {
                    self.state = State::Rest;
                }
            }
            State::Rest => {}
        }
    }

    /// A line of a document: `items:` at its beginning opens a list.
    fn member(&mut self, end: usize) {
        let text = self.buffer[self.pos..end].trim_ascii_end();
        if let Some(kind) = text.strip_prefix(b"kind: ") {
            self.holder = match kind {
                b"EventList" => Holder::EventList,
                _ if kind.ends_with(b"List") => Holder::List,
                _ => Holder::Nothing,
            };
        } else if text == b"items:" && self.holder != Holder::Nothing && !self.dropped {
            self.state = State::Items;
        }
    }
}

/// Turns what a [`YamlFramer`] cut into JSON values, each in the place of its document.
#[must_use]
pub fn to_json(yaml: &Frames) -> Frames {
    let mut json = Frames::default();
    for frame in &yaml.frames {
        let made = frame
            .clone()
            .and_then(|frame| convert(&yaml.bytes, &frame).map_err(|malformed| frame.locate(malformed)).map(|text| (frame, text)));
        match made {
            Ok((frame, Some(text))) => {
                let start = json.bytes.len();
                json.bytes.extend_from_slice(text.as_bytes());
                json.frames.push(Ok(Frame { start, end: json.bytes.len(), ..frame }));
            }
            Ok((_, None)) => {}
            Err(malformed) => json.frames.push(Err(malformed)),
        }
    }
    json
}

/// Returns the JSON of one document, or nothing for an empty one.
fn convert(bytes: &[u8], frame: &Frame) -> Result<Option<String>, Malformed> {
    let mut text = super::utf8(&bytes[frame.start..frame.end])?.to_owned();
    if frame.holder != Holder::Nothing
        && let Some(dash) = text.find('-')
    {
        text.replace_range(dash..=dash, " ");
    }
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        with_snippet: false,
    };
    match serde_saphyr::from_str_with_options::<serde_json::Value>(&text, options) {
        Ok(serde_json::Value::Null) => Ok(None),
        Ok(value) => Ok(Some(value.to_string())),
        Err(error) => {
            let text = error.to_string();
            let cause = if text.starts_with("duplicate") { Cause::DuplicateKey } else { Cause::InvalidYaml };
            let detail = text.split(" at line ").next().unwrap_or_default();
            let detail = detail.split(", set DuplicateKeyPolicy").next().unwrap_or_default();
            let mut malformed = Malformed::new(cause, detail.escape_debug().to_string());
            if let Some(location) = error.location() {
                malformed.line = usize::try_from(location.line()).unwrap_or(0);
                malformed.column = usize::try_from(location.column()).unwrap_or(0);
            }
            Err(malformed)
        }
    }
}

#[cfg(test)]
mod tests;

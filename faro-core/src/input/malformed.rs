//! Why an input could not be understood, as data: counted by cause, never a panic and never an end.

use super::text::BAD_TIME;
use std::fmt;

/// The kinds of bad input that the summary counts.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Cause {
    /// Not JSON at this place, or binary.
    InvalidJson,
    /// Not YAML at this place.
    InvalidYaml,
    /// The input ends within a value.
    Truncated,
    /// Bytes that are no UTF-8.
    InvalidUtf8,
    /// Nested more deeply than 128 levels.
    TooDeep,
    /// One value larger than the reader's limit.
    TooLong,
    /// A field with a value of another type than the API's.
    WrongType,
    /// One field given twice.
    DuplicateKey,
    /// A field that identifies the record is absent or empty.
    MissingField,
    /// The reporter claims a negative number of occurrences.
    NegativeCount,
    /// A count beyond the API's int32.
    HugeCount,
    /// A time that is not RFC 3339, or outside of 1677 to 2262.
    BadTime,
    /// Valid JSON that is neither a Kubernetes object nor a record of Faro.
    UnknownShape,
    /// A recording begins with an engine's memory that this one cannot go on from.
    Snapshot,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 14] = [
        Self::InvalidJson,
        Self::InvalidYaml,
        Self::Truncated,
        Self::InvalidUtf8,
        Self::TooDeep,
        Self::TooLong,
        Self::WrongType,
        Self::DuplicateKey,
        Self::MissingField,
        Self::NegativeCount,
        Self::HugeCount,
        Self::BadTime,
        Self::UnknownShape,
        Self::Snapshot,
    ];

    /// The name under which the summary counts it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid-json",
            Self::InvalidYaml => "invalid-yaml",
            Self::Truncated => "truncated",
            Self::InvalidUtf8 => "invalid-utf8",
            Self::TooDeep => "too-deep",
            Self::TooLong => "too-long",
            Self::WrongType => "wrong-type",
            Self::DuplicateKey => "duplicate-key",
            Self::MissingField => "missing-field",
            Self::NegativeCount => "negative-count",
            Self::HugeCount => "huge-count",
            Self::BadTime => "bad-time",
            Self::UnknownShape => "unknown-shape",
            Self::Snapshot => "snapshot",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One input that could not be understood.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{cause}: {detail}")]
pub struct Malformed {
    /// Under which name it is counted.
    pub cause: Cause,
    /// Line within the value, from 1; 0 when unknown.
    pub line: usize,
    /// Column in bytes within that line, from 1; 0 when unknown.
    pub column: usize,
    /// What was wrong, in a sentence without control characters.
    pub detail: String,
}

impl Malformed {
    /// Makes one without a place.
    #[must_use]
    pub fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self { cause, line: 0, column: 0, detail: detail.into() }
    }

    pub(crate) fn missing(field: &str) -> Self {
        Self::new(Cause::MissingField, format!("no `{field}`"))
    }

    pub(crate) fn from_json(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let cause = match error.classify() {
            serde_json::error::Category::Eof => Cause::Truncated,
            serde_json::error::Category::Syntax if text.starts_with("recursion limit") => Cause::TooDeep,
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => Cause::InvalidJson,
            serde_json::error::Category::Data if text.starts_with("duplicate field") => Cause::DuplicateKey,
            serde_json::error::Category::Data if text.starts_with(BAD_TIME) => Cause::BadTime,
            serde_json::error::Category::Data => Cause::WrongType,
        };
        let detail = text.rsplit_once(" at line ").map_or(text.as_str(), |(detail, _)| detail);
        Self { cause, line: error.line(), column: error.column(), detail: detail.escape_debug().collect() }
    }
}

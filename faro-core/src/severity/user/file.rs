//! The file of user rules as it is written: keys, places, and what is wrong with them.

use crate::causes::CauseEntry;
use crate::severity::{Escalation, Family, Severity};
use crate::suggestion::Suggestion;
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde_saphyr::{Location, MessageFormatter, Spanned, UserMessageFormatter};
use std::fmt;

/// What is wrong with a file of rules, and where.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}, column {column}: {cause}")]
pub struct RuleError {
    /// The line, from 1; 0 when unknown.
    pub line: usize,
    /// The column in characters, from 1; 0 when unknown.
    pub column: usize,
    /// What is wrong.
    pub cause: RuleCause,
}

/// What is wrong with a file of rules.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleCause {
    /// Not YAML, or a value of another type.
    #[error("{detail}")]
    Malformed {
        /// In a sentence.
        detail: String,
    },
    /// A key that rules do not have.
    #[error("unknown key `{key}`{suggestion}")]
    UnknownKey {
        /// The key.
        key: String,
        /// What may have been meant.
        suggestion: Suggestion,
    },
    /// A severity, family or type that does not exist.
    #[error("unknown value `{value}`{suggestion}")]
    UnknownValue {
        /// The value.
        value: String,
        /// What may have been meant.
        suggestion: Suggestion,
    },
    /// A key that must be there.
    #[error("no `{key}`")]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// A value that its key cannot have.
    #[error("`{key}`: {detail}")]
    BadValue {
        /// The key.
        key: &'static str,
        /// What is wrong with its value.
        detail: String,
    },
    /// Two rules of one name.
    #[error("two rules are named `{name}`")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// Two causes of one code.
    #[error("two causes have the code `{code}`")]
    DuplicateCode {
        /// The code.
        code: String,
    },
    /// More rules than can be numbered.
    #[error("more than {limit} rules")]
    TooMany {
        /// How many there may be.
        limit: usize,
    },
    /// A file that no person wrote.
    #[error("the file has more than {limit} bytes")]
    TooLong {
        /// How long it may be.
        limit: usize,
    },
}

impl RuleError {
    pub(super) fn at(location: Location, cause: RuleCause) -> Self {
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Self { line: number(location.line()), column: number(location.column()), cause }
    }

    pub(super) fn bad(location: Location, key: &'static str, detail: &dyn fmt::Display) -> Self {
        Self::at(location, RuleCause::BadValue { key, detail: detail.to_string() })
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is the parser's, and the others differ in their words only")]
    fn from_yaml(error: &serde_saphyr::Error) -> Self {
        let location = error.location().unwrap_or(Location::UNKNOWN);
        let mut inner = error.without_snippet();
        while let serde_saphyr::Error::AliasError { error, .. } = inner {
            inner = error.without_snippet();
        }
        let cause = match inner {
            serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
                RuleCause::UnknownKey { key: short(field), suggestion: Suggestion::of(field, expected.iter().copied()) }
            }
            serde_saphyr::Error::SerdeUnknownVariant { variant, expected, .. } => {
                RuleCause::UnknownValue { value: short(variant), suggestion: Suggestion::of(variant, expected.iter().copied()) }
            }
            serde_saphyr::Error::SerdeMissingField { field, .. } => RuleCause::MissingKey { key: field },
            other => {
                let detail = UserMessageFormatter.format_message(other).chars().flat_map(char::escape_debug).take(400).collect();
                RuleCause::Malformed { detail }
            }
        };
        Self::at(location, cause)
    }
}

/// The whole file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) rules: Vec<WrittenRule>,
    #[serde(default)]
    pub(super) causes: Vec<Spanned<CauseEntry>>,
}

/// One rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRule {
    pub(super) name: Spanned<String>,
    #[serde(default, rename = "match")]
    pub(super) conditions: Match,
    pub(super) when: Option<Spanned<String>>,
    pub(super) severity: Option<Severity>,
    pub(super) family: Option<Family>,
    pub(super) escalate: Option<Vec<Escalation>>,
    #[serde(default)]
    pub(super) examples: Vec<WrittenExample>,
}

/// What a report must look like.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Match {
    pub(super) reason: Option<Spanned<AnyOf>>,
    pub(super) namespace: Option<Spanned<AnyOf>>,
    pub(super) kind: Option<Spanned<AnyOf>>,
    #[serde(rename = "type")]
    pub(super) type_: Option<Spanned<AnyOf>>,
    pub(super) component: Option<Spanned<AnyOf>>,
    pub(super) message: Option<Spanned<String>>,
    pub(super) family: Option<Spanned<AnyOf>>,
}

/// An event, and what the rules are to say about it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenExample {
    pub(super) event: Spanned<serde_json::Map<String, serde_json::Value>>,
    pub(super) severity: Option<Severity>,
    pub(super) family: Option<Family>,
    pub(super) matches: Option<bool>,
}

/// One text or a list of texts, any of which will do.
pub(super) enum AnyOf {
    One(String),
    List(Vec<Spanned<String>>),
}

impl AnyOf {
    /// Makes something of each text; nothing of none.
    pub(super) fn each<T>(
        written: Option<Spanned<Self>>,
        make: impl Fn(&str, Location) -> Result<T, RuleError>,
    ) -> Result<Vec<T>, RuleError> {
        match written.map(|written| (written.referenced, written.value)) {
            None => Ok(Vec::new()),
            Some((place, Self::One(text))) => Ok(vec![make(&text, place)?]),
            Some((_, Self::List(texts))) => texts.into_iter().map(|text| make(&text.value, text.referenced)).collect(),
        }
    }
}

impl<'de> Deserialize<'de> for AnyOf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyOfVisitor;

        impl<'de> Visitor<'de> for AnyOfVisitor {
            type Value = AnyOf;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<AnyOf, E> {
                Ok(AnyOf::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<AnyOf, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = seq.next_element()? {
                    texts.push(text);
                }
                if texts.is_empty() { Err(A::Error::custom("the list is empty")) } else { Ok(AnyOf::List(texts)) }
            }
        }
        deserializer.deserialize_any(AnyOfVisitor)
    }
}

/// Finds the value of that name.
pub(super) fn named<T: Copy>(text: &str, place: Location, known: &[T], name: impl Fn(T) -> &'static str) -> Result<T, RuleError> {
    known.iter().copied().find(|&value| name(value) == text).ok_or_else(|| {
        let suggestion = Suggestion::of(text, known.iter().map(|&value| name(value)));
        RuleError::at(place, RuleCause::UnknownValue { value: short(text), suggestion })
    })
}

/// The beginning of a text that somebody wrote, fit to be printed.
fn short(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_debug).collect()
}

/// Reads a file of rules.
pub(super) fn read(text: &str) -> Result<File, RuleError> {
    let options = serde_saphyr::options! { with_snippet: false };
    let file: Option<File> = serde_saphyr::from_str_with_options(text, options).map_err(|error| RuleError::from_yaml(&error))?;
    Ok(file.unwrap_or_default())
}

//! Conditions in the Common Expression Language: the `when` of a user rule, and `--where`.
//!
//! Everything that can be told without an event is told when the condition is read: syntax, names of variables, fields and
//! functions, regular expressions, and whether the result can be a truth value at all.

mod check;
mod value;
mod variables;
mod vocabulary;

use crate::record::Record;
use crate::report::Report;
use crate::suggestion::Suggestion;
use cel::context::VariableResolver;
use cel::parser::{Expression, Parser};
use cel::{Context, Value};
use check::Checker;
use std::collections::BTreeSet;
use std::sync::OnceLock;
use value::{Pattern, environment};
use variables::{RecordVariables, ReportVariables};
use vocabulary::{EVENT, GROUP, OBJECT, RECORDS, RULE, Word};

/// How long a condition may be: 4 KiB.
pub const MAX_LENGTH: usize = 4 << 10;

/// How many operators, calls and brackets a condition may have. Each may be one level of recursion in parser and interpreter,
/// and a thread of 2 MiB ends at about 1,600.
const MAX_OPERATORS: usize = 400;

/// Why a text is no condition.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConditionError {
    /// Nothing was given.
    #[error("the expression is empty")]
    Empty,
    /// Longer than [`MAX_LENGTH`].
    #[error("the expression has {length} bytes, more than {MAX_LENGTH}")]
    TooLong {
        /// How long it is.
        length: usize,
    },
    /// More operators, calls and brackets than the interpreter can nest.
    #[error("the expression has {operators} operators and brackets, more than {MAX_OPERATORS}")]
    TooComplex {
        /// How many there are.
        operators: usize,
    },
    /// Loops within loops within loops.
    #[error("loops stand more than {limit} deep within each other")]
    TooManyLoops {
        /// How deep they may stand.
        limit: usize,
    },
    /// No expression of the language.
    #[error("{detail}, at character {column}")]
    Syntax {
        /// What is wrong.
        detail: String,
        /// Where, in characters from 1.
        column: usize,
    },
    /// A name that does not exist.
    #[error("unknown {what} `{name}`{suggestion}, at character {column}")]
    Unknown {
        /// `variable`, `field`, `function` or `type`.
        what: &'static str,
        /// The name.
        name: String,
        /// What may have been meant.
        suggestion: Suggestion,
        /// Where, in characters from 1.
        column: usize,
    },
    /// A regular expression that is none.
    #[error("bad regular expression `{pattern}`: {detail}")]
    Pattern {
        /// What was given.
        pattern: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A number, a text, a list: nothing that is true or false.
    #[error("the expression is neither true nor false")]
    NotBoolean,
}

impl ConditionError {
    pub(crate) fn pattern(pattern: &str, error: &regex::Error) -> Self {
        // The crate draws the place in several lines; the last says what is wrong.
        let text = error.to_string();
        let detail = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").escape_debug().to_string();
        Self::Pattern { pattern: pattern.chars().take(64).flat_map(char::escape_debug).collect(), detail }
    }
}

/// An expression that is true or false of a record, compiled.
///
/// `timestamp("...")` and `duration("5m")` give nanoseconds, so that times compare and subtract.
///
/// # Example
///
/// ```
/// use faro_core::condition::Condition;
///
/// assert!(Condition::parse("count > 3 && namespace == 'shop'").is_ok());
/// let error = Condition::parse("cuont > 3").unwrap_err();
/// assert_eq!(error.to_string(), "unknown variable `cuont`, did you mean `count`?, at character 1");
/// ```
#[derive(Debug)]
pub struct Condition {
    source: Box<str>,
    expression: Expression,
    patterns: Vec<Pattern>,
    variables: BTreeSet<&'static str>,
}

impl Condition {
    /// Reads a condition on records: every field of every record type is a variable.
    ///
    /// # Errors
    ///
    /// The text is no expression, or one that could be true of no record.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        let mut words: Vec<Word> = RECORDS.concat();
        words.sort_by_key(|word| word.name);
        words.dedup_by_key(|word| word.name);
        Self::read(text, &words)
    }

    /// Reads the condition of a user rule: the variable `event` is the report.
    pub(crate) fn of_report(text: &str) -> Result<Self, ConditionError> {
        Self::read(text, RULE)
    }

    fn read(text: &str, words: &[Word]) -> Result<Self, ConditionError> {
        if text.trim().is_empty() {
            return Err(ConditionError::Empty);
        }
        if text.len() > MAX_LENGTH {
            return Err(ConditionError::TooLong { length: text.len() });
        }
        let operators = text.matches(|c| ".+-*/%<>!?([{=".contains(c)).count() + text.matches(" in").count();
        if operators > MAX_OPERATORS {
            return Err(ConditionError::TooComplex { operators });
        }
        let (mut expression, source) = Parser::new().parse_with_source_info(&unreserved(text)).map_err(|errors| {
            let first = errors.errors.first();
            let (line, column) = first.map_or((1, 1), |error| error.pos);
            let before: usize =
                text.split_inclusive('\n').take(usize::try_from(line - 1).unwrap_or(0)).map(|line| line.chars().count()).sum();
            ConditionError::Syntax {
                detail: first.map_or_else(String::new, |error| restored(&error.msg).escape_debug().to_string()),
                column: before + usize::try_from(column).unwrap_or(1).max(1),
            }
        })?;
        let mut checker = Checker::new(words, &source);
        checker.check(&mut expression)?;
        let Checker { patterns, variables, .. } = checker;
        Ok(Self { source: text.into(), expression, patterns, variables })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Tells whether the condition holds for a record; one that lacks a field which it names is left alone and passes.
    ///
    /// A field that the record type has and this record leaves out is empty: `""`, 0, `false`. An expression that fails (a
    /// missing label, an overflow) does not hold.
    #[must_use]
    pub fn passes(&self, record: &Record<'_>) -> bool {
        let words = match record {
            Record::Object(_) => OBJECT,
            Record::Event(_) => EVENT,
            Record::Group(_) => GROUP,
            Record::Incident(_) | Record::Gap(_) | Record::Sync(_) | Record::Summary(_) => return true,
        };
        if !self.variables.iter().all(|variable| words.iter().any(|word| word.name == *variable)) {
            return true;
        }
        self.holds(&RecordVariables { patterns: &self.patterns, words, record, fields: OnceLock::new() })
    }

    /// Tells whether the condition of a user rule holds for a report.
    pub(crate) fn matches(&self, report: &Report<'_>) -> bool {
        self.holds(&ReportVariables { patterns: &self.patterns, report })
    }

    fn holds<'v>(&'v self, variables: &'v dyn VariableResolver) -> bool {
        let mut context = Context::with_env(environment().clone());
        context.set_variable_resolver(variables);
        matches!(Value::resolve(&self.expression, &context), Ok(Value::Bool(true)))
    }
}

/// The name that stands for `namespace`, a word that the language reserves; of equal length, so that places stay right.
const NAMESPACE: &str = "nAmespace";

/// Puts [`NAMESPACE`] in the place of the variable `namespace`, outside of strings and of paths.
fn unreserved(text: &str) -> String {
    let (mut made, mut quote, mut rest) = (String::with_capacity(text.len()), None, text);
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let length = match quote {
            Some(_) if first == '\\' => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            Some(end) => {
                if first == end {
                    quote = None;
                }
                first.len_utf8()
            }
            None if first == '"' || first == '\'' => {
                quote = Some(first);
                1
            }
            None if word > 0 => word,
            None => first.len_utf8(),
        };
        let (token, left) = rest.split_at(length);
        let path = made.trim_end().ends_with('.');
        made.push_str(if quote.is_none() && token == "namespace" && !path { NAMESPACE } else { token });
        rest = left;
    }
    made
}

/// The name as the user wrote it.
fn written(name: &str) -> &str {
    if name == NAMESPACE { "namespace" } else { name }
}

/// A message of the parser with the name that the user wrote.
fn restored(message: &str) -> String {
    message.replace(NAMESPACE, "namespace")
}

#[cfg(test)]
mod tests;

//! Conditions in the Common Expression Language: the `when` of a user rule, and `--where`.
//!
//! Everything that can be told without an event is told when the condition is read: syntax, names of variables, fields and
//! functions, regular expressions, and whether the result can be a truth value at all.

mod check;
mod value;
mod vocabulary;

use crate::input::Reference;
use crate::record::Record;
use crate::report::Report;
use crate::suggestion::Suggestion;
use cel::common::types::{CelBool, CelInt, CelMap, CelMapKey, CelString};
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use cel::parser::{Expression, Parser};
use cel::{Context, Value};
use check::Checker;
use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;
use value::{Boxed, Pattern, environment, json, text, texts};
use vocabulary::{EVENT, GROUP, Kind, OBJECT, RECORDS, RULE, Word};

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
            let before: usize = text.split_inclusive('\n').take(usize::try_from(line - 1).unwrap_or(0)).map(|line| line.chars().count()).sum();
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
            Record::Summary(_) => return true,
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

/// The pattern of that name, when it is one.
fn pattern<'b>(patterns: &'b [Pattern], name: &str) -> Option<CowVal<'b, 'b>> {
    let number: usize = name.strip_prefix('@')?.parse().ok()?;
    patterns.get(number).map(|pattern| CowVal::Borrowed(pattern))
}

/// The fields of a record, made when one is first asked for.
struct RecordVariables<'a> {
    patterns: &'a [Pattern],
    words: &'static [Word],
    record: &'a Record<'a>,
    fields: OnceLock<serde_json::Value>,
}

impl VariableResolver for RecordVariables<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let name = written(variable);
        let Some(word) = self.words.iter().find(|word| word.name == name) else {
            return pattern(self.patterns, variable);
        };
        let fields = self.fields.get_or_init(|| serde_json::to_value(self.record).unwrap_or_default());
        let value: Boxed<'b> = match (fields.get(name), word.kind) {
            (Some(value), _) => json(value),
            (None, Kind::Text) => Box::new(CelString::from("")),
            (None, Kind::Number) => Box::new(CelInt::from(0)),
            (None, Kind::Flag) => Box::new(CelBool::from(false)),
            (None, Kind::List) => Box::new(cel::common::types::CelList::from(Vec::new())),
            (None, Kind::Fields(_) | Kind::Map) => texts([]),
        };
        Some(CowVal::from(value))
    }
}

/// The parts of a reference that a condition may name.
const PARTS: [&str; 6] = ["kind", "namespace", "name", "uid", "apiVersion", "fieldPath"];

fn part<'b>(reference: &'b Reference<'_>, key: &str) -> &'b str {
    match key {
        "kind" => reference.kind(),
        "namespace" => reference.namespace(),
        "name" => reference.name(),
        "uid" => reference.uid(),
        "apiVersion" => reference.api_version(),
        "fieldPath" => reference.field_path(),
        _ => "",
    }
}

/// The fields of a report, each made when it is asked for.
struct ReportVariables<'a> {
    patterns: &'a [Pattern],
    report: &'a Report<'a>,
}

impl VariableResolver for ReportVariables<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        // The interpreter asks for the longest path first: a field is found without making the whole event.
        if let Some(path) = variable.strip_prefix("event.") {
            return self.field(path);
        }
        if variable == "event" {
            let Some(Word { kind: Kind::Fields(words), .. }) = RULE.first() else {
                return None;
            };
            let fields = words.iter().filter_map(|word| Some((CelMapKey::from(word.name), self.field(word.name)?.into_owned())));
            return Some(CowVal::owned(CelMap::from(fields.collect::<HashMap<_, _>>())));
        }
        pattern(self.patterns, variable)
    }
}

impl ReportVariables<'_> {
    fn field<'b>(&'b self, path: &str) -> Option<CowVal<'b, 'b>> {
        let report = self.report;
        let (involved, related, source) = (report.involved(), report.related(), report.source());
        let some = |value: &'b str| (!value.is_empty()).then(|| text(value));
        let reference = |reference: &'b Reference<'b>| (!reference.is_empty()).then(|| CowVal::from(texts(PARTS.map(|key| (key, part(reference, key))))));
        match path {
            "reason" => some(report.reason()),
            "type" => some(report.type_()),
            "message" => some(report.message()),
            "count" => Some(CowVal::owned(CelInt::from(i64::from(report.count)))),
            "namespace" => some(report.namespace()),
            "name" => some(report.name()),
            "uid" => some(report.uid()),
            "action" => some(report.action()),
            "reportingComponent" => some(report.reporting_component()),
            "reportingInstance" => some(report.reporting_instance()),
            "firstSeen" => Some(CowVal::owned(CelString::from(report.first_seen.to_string()))),
            "lastSeen" => Some(CowVal::owned(CelString::from(report.last_seen.to_string()))),
            "combined" => Some(CowVal::owned(CelBool::from(report.combined))),
            "source.component" => some(&source.component),
            "source.host" => some(&source.host),
            "source" => (!source.is_empty()).then(|| CowVal::from(texts([("component", &*source.component), ("host", &*source.host)]))),
            "labels" => Some(CowVal::from(texts(report.labels().0.iter().map(|(key, value)| (&**key, &**value))))),
            "annotations" => Some(CowVal::from(texts(report.annotations().0.iter().map(|(key, value)| (&**key, &**value))))),
            "involvedObject" => reference(involved),
            "related" => reference(related),
            _ => match path.split_once('.')? {
                ("involvedObject", key) => some(part(involved, key)),
                ("related", key) => some(part(related, key)),
                _ => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{self, Body};
    use crate::time::Nanos;
    use proptest::prelude::*;

    const EVENT_JSON: &str = r#"{"kind":"Event","metadata":{"name":"api-1.17a","namespace":"pay","labels":{"team":"a"}},
        "involvedObject":{"kind":"Pod","namespace":"pay","name":"api-1"},"reason":"BackOff","type":"Warning","count":5,
        "message":"Back-off restarting failed container app","source":{"component":"kubelet"},
        "firstTimestamp":"2025-09-12T21:00:00Z","lastTimestamp":"2025-09-12T21:10:00Z"}"#;

    #[test]
    fn every_field_of_a_report_is_there() {
        for holds in [
            "event.count > 3 && event.involvedObject.name.startsWith('api-')",
            "event.reason in ['BackOff', 'Failed'] && event.type == 'Warning'",
            "event.namespace == 'pay' && event.name.endsWith('17a') && event.source.component == 'kubelet'",
            "event.labels.team == 'a' && event.labels['team'] == 'a' && 'team' in event.labels",
            "has(event.reason) && !has(event.action) && !has(event.labels.tier)",
            "timestamp(event.lastSeen) - timestamp(event.firstSeen) >= duration('10m')",
            "event.message.matches('(?i)back-off .* container') && !event.message.matches('^restarting')",
            "matches(event.message, 'app$')",
            "event.involvedObject == {'kind': 'Pod', 'namespace': 'pay', 'name': 'api-1'}",
            "['api-1', 'api-2'].exists(name, name == event.involvedObject.name)",
            "event.combined ? false : true",
            "size(event.message) > 10 && type(event.count) == int",
            "event.count + 1 == 6",
        ] {
            check(holds, Ok(true));
        }
    }

    #[test]
    fn what_fails_does_not_hold() {
        check("event.action == 'Killing'", Ok(false));
        check("event.labels.tier == 'x'", Ok(false));
        check("event.count / 0 == 1", Ok(false));
        check("event.message.matches(event.namespace + '(')", Ok(false));
        check("timestamp('soon') > 0", Ok(false));
        check("event.labels.tier == 'x' || event.count == 5", Ok(true));
    }

    #[test]
    fn wrong_names_are_named() {
        check("evnt.count > 1", Err("unknown variable `evnt`, did you mean `event`?, at character 1"));
        check("event.coutn > 1", Err("unknown field `coutn`, did you mean `count`?, at character 6"));
        check("event.involvedObject.nmae == ''", Err("unknown field `nmae`, did you mean `name`?, at character 21"));
        check("event.reason.length > 1", Err("unknown field `length`, at character 13"));
        check("event.reason.startswith('a')", Err("unknown function `startswith`, did you mean `startsWith`?, at character 24"));
        check("now() > 1", Err("unknown function `now`, at character 4"));
        check("['a'].exists(x, y == 'a')", Err("unknown variable `y`, at character 17"));
        check("Pod{name: 'a'}.name == 'a'", Err("unknown type `Pod`, at character 4"));
        check("event.message.matches('(')", Err("bad regular expression `(`: unclosed group"));
    }

    #[test]
    fn what_is_neither_true_nor_false_is_refused() {
        for text in ["1", "'a'", "event.reason", "event.count + 1", "size(event.reason)", "[true]", "{}", "event", "event.labels", "true ? 1 : 2", "'a' && true", "['a'].map(x, x)", "int"] {
            check(text, Err("the expression is neither true nor false"));
        }
        check("event.combined", Ok(false));
        check("true", Ok(true));
        check("!false || false", Ok(true));
    }

    #[test]
    fn what_the_interpreter_cannot_bear_is_refused() {
        check("", Err("the expression is empty"));
        check(&" ".repeat(9_000), Err("the expression is empty"));
        check(&format!("'{}' == ''", "a".repeat(5_000)), Err("the expression has 5008 bytes, more than 4096"));
        check(&format!("{}1 > 0", "1+".repeat(1_000)), Err("the expression has 1001 operators and brackets, more than 400"));
        check(&format!("{}true{}", "[1].all(x, ".repeat(3), ")".repeat(3)), Err("loops stand more than 2 deep within each other"));
        check("event.count >", Err("mismatched input"));
        check("true true", Err("extraneous input"));
        check("for", Err("reserved identifier"));
    }

    #[test]
    fn what_is_within_the_limits_is_borne() {
        check(&format!("{}0 > 0", "1+".repeat(398)), Ok(true));
        check(&format!("{}true{}", "(".repeat(90), ")".repeat(90)), Ok(true));
        check(&format!("event.namespace in [{}'pay']", "'some-namespace', ".repeat(200)), Ok(true));
    }

    #[test]
    fn namespace_is_a_name_like_any_other() {
        assert_eq!(unreserved(r#"namespace == "namespace" && a.namespace == 'it\'s namespace' && namespaces"#), r#"nAmespace == "namespace" && a.namespace == 'it\'s namespace' && namespaces"#);
        assert_eq!(Condition::parse("namespce == ''").unwrap_err().to_string(), "unknown variable `namespce`, did you mean `namespace`?, at character 1");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}|[a-z.()'\"\\[\\]{}?:!&|<>=+*/%0-9 -]{0,60}") {
            if let Ok(condition) = Condition::of_report(&text) {
                let item = input::read(EVENT_JSON).unwrap();
                let Body::Event(event) = item.body else { unreachable!() };
                condition.matches(&Report::new(event, item.change, Nanos(0)));
            }
        }
    }

    #[track_caller]
    fn check(text: &str, want: Result<bool, &str>) {
        let item = input::read(EVENT_JSON).unwrap();
        let Body::Event(event) = item.body else { unreachable!() };
        let report = Report::new(event, item.change, Nanos(i64::MAX));
        match (Condition::of_report(text), want) {
            (Ok(condition), Ok(want)) => assert_eq!(condition.matches(&report), want, "{text}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{text}: {error}"),
            (got, want) => panic!("{text}: {got:?}, not {want:?}"),
        }
    }
}

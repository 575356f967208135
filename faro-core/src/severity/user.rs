//! The rules that a user adds: which reports they are about, and what they say of them.

mod examples;
mod file;

pub use examples::ExampleOutcome;
pub use file::{RuleCause, RuleError};

use super::{Escalation, Family, Pattern, Severity};
use crate::causes::{self, CauseEntry};
use crate::condition::{Condition, ConditionError};
use crate::report::Report;
use examples::Example;
use file::{AnyOf, WrittenRule, named};
use hashbrown::HashMap;
use regex::{Regex, RegexBuilder};
use serde_saphyr::Spanned;

/// How many rules a file may have: a rule's number and what it stands over share 16 bits.
pub(super) const MAX_RULES: usize = 512;
/// How long a file may be: 4 MiB.
const MAX_LENGTH: usize = 4 << 20;
/// How large the compiled form of one message pattern may become.
const MAX_PATTERN: usize = 1 << 20;

/// The types that the API knows.
const TYPES: [&str; 2] = ["Normal", "Warning"];

/// The rules of a file, compiled.
///
/// The first rule in file order that matches a report decides; what it leaves out (`severity`, `family`, `escalate`) stays as the
/// catalogue has it, but the catalogue's escalations end where a rule sets the severity. Rules that name other reasons cost a
/// report nothing. `causes:` in the same file adds causes of incidents, written like those that `faro-cli causes` prints; one with
/// the code of the catalogue's takes its place.
///
/// # Example
///
/// ```
/// use faro_core::severity::{Rules, UserRules};
///
/// let user = UserRules::parse("
/// rules:
///   - name: payments-crash
///     match: {reason: BackOff, namespace: 'pay*'}
///     when: event.count > 3
///     severity: critical
///     examples:
///       - event: {reason: BackOff, type: Warning, count: 4, involvedObject: {kind: Pod, name: api-1, namespace: pay}}
///         severity: critical
/// ")?;
/// assert!(user.run_examples().iter().all(|outcome| outcome.ok));
/// let rules = Rules::with_user(user);
/// # let _ = rules;
/// # Ok::<(), faro_core::severity::RuleError>(())
/// ```
#[derive(Debug, Default)]
pub struct UserRules {
    text: Box<str>,
    rules: Vec<Rule>,
    // By exact reason the rules that name it, and the rules that name none or a pattern; both in file order.
    by_reason: HashMap<Box<str>, Vec<u16>>,
    for_any: Vec<u16>,
    examples: Vec<Example>,
    causes: Vec<CauseEntry>,
}

#[derive(Debug)]
struct Rule {
    name: Box<str>,
    reason: Vec<Pattern>,
    namespace: Vec<Pattern>,
    kind: Vec<Pattern>,
    types: Vec<&'static str>,
    component: Vec<Pattern>,
    message: Option<Regex>,
    families: Vec<Family>,
    when: Option<Condition>,
    severity: Option<Severity>,
    family: Option<Family>,
    escalate: Option<Box<[Escalation]>>,
}

impl UserRules {
    /// Reads and compiles a file of rules.
    ///
    /// # Errors
    ///
    /// The file is no YAML, has an unknown key or value, a duration, pattern or condition that is none, or an example that is no
    /// Event. The error says where, and what may have been meant.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        if text.len() > MAX_LENGTH {
            return Err(RuleError { line: 0, column: 0, cause: RuleCause::TooLong { limit: MAX_LENGTH } });
        }
        let written = file::read(text)?;
        let mut made = Self { text: text.into(), ..Self::default() };
        made.causes = causes(written.causes)?;
        for (number, mut rule) in (0_u16..).zip(written.rules) {
            let place = rule.name.referenced;
            if usize::from(number) >= MAX_RULES {
                return Err(RuleError::at(place, RuleCause::TooMany { limit: MAX_RULES }));
            }
            let examples = std::mem::take(&mut rule.examples);
            let rule = Rule::new(rule)?;
            if made.rules.iter().any(|other| other.name == rule.name) {
                return Err(RuleError::at(place, RuleCause::DuplicateName { name: rule.name.escape_debug().to_string() }));
            }
            for example in examples {
                made.examples.push(Example::new(number, example)?);
            }
            made.add(number, rule);
        }
        Ok(made)
    }

    fn add(&mut self, number: u16, rule: Rule) {
        if rule.reason.is_empty() || !rule.reason.iter().all(Pattern::is_exact) {
            self.for_any.push(number);
        } else {
            for reason in &rule.reason {
                let numbers = self.by_reason.entry(reason.as_str().into()).or_default();
                if numbers.last() != Some(&number) {
                    numbers.push(number);
                }
            }
        }
        self.rules.push(rule);
    }

    /// How many rules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Tells whether there are neither rules nor causes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.causes.is_empty()
    }

    /// The causes of incidents that the file adds to the catalogue.
    pub(super) fn causes(&self) -> &[CauseEntry] {
        &self.causes
    }

    /// Judges every example of the file.
    #[must_use]
    pub fn run_examples(&self) -> Vec<ExampleOutcome> {
        self.examples.iter().map(|example| example.run(self)).collect()
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The escalations that hold when that rule decided; `None` leaves them to the catalogue.
    pub(super) fn escalations(&self, number: usize) -> Option<&[Escalation]> {
        let rule = self.rules.get(number)?;
        match (&rule.escalate, rule.severity) {
            (Some(escalate), _) => Some(escalate),
            // Who says how bad it is has said it.
            (None, Some(_)) => Some(&[]),
            (None, None) => None,
        }
    }

    /// What that rule says; `None` is left to the catalogue.
    pub(super) fn outcome(&self, number: usize) -> (Option<Severity>, Option<Family>) {
        self.rules.get(number).map_or((None, None), |rule| (rule.severity, rule.family))
    }

    /// The number of the first rule that matches; `family` is the catalogue's.
    pub(super) fn decide(&self, report: &Report<'_>, family: Family) -> Option<usize> {
        let mut named = self.by_reason.get(report.reason()).map_or(&[][..], Vec::as_slice).iter().copied().peekable();
        let mut any = self.for_any.iter().copied().peekable();
        loop {
            let number = match (named.peek(), any.peek()) {
                (Some(first), Some(second)) if first < second => named.next(),
                (_, Some(_)) => any.next(),
                (Some(_), None) => named.next(),
                (None, None) => None,
            }?;
            if self.rules.get(usize::from(number)).is_some_and(|rule| rule.matches(report, family)) {
                return Some(usize::from(number));
            }
        }
    }
}

impl Rule {
    fn new(written: WrittenRule) -> Result<Self, RuleError> {
        let place = written.name.referenced;
        if written.name.value.trim().is_empty() {
            return Err(RuleError::bad(place, "name", &"the name is empty"));
        }
        let compile = |message: Spanned<String>| {
            let anchored = format!("^(?:{})$", message.value);
            // By itself first: a parenthesis too many would close the group that anchors it.
            let regex = Regex::new(&message.value)
                .and_then(|_| RegexBuilder::new(&anchored).dot_matches_new_line(true).size_limit(MAX_PATTERN).build());
            regex.map_err(|error| RuleError::bad(message.referenced, "message", &ConditionError::pattern(&message.value, &error)))
        };
        let condition =
            |when: Spanned<String>| Condition::of_report(&when.value).map_err(|error| RuleError::bad(when.referenced, "when", &error));
        let pattern = |text: &str, _| Ok(Pattern::from(text));
        let of = written.conditions;
        Ok(Self {
            name: written.name.value.into(),
            reason: AnyOf::each(of.reason, pattern)?,
            namespace: AnyOf::each(of.namespace, pattern)?,
            kind: AnyOf::each(of.kind, pattern)?,
            types: AnyOf::each(of.type_, |text, place| named(text, place, &TYPES, |type_| type_))?,
            component: AnyOf::each(of.component, pattern)?,
            message: of.message.map(compile).transpose()?,
            families: AnyOf::each(of.family, |text, place| named(text, place, Family::ALL, Family::name))?,
            when: written.when.map(condition).transpose()?,
            severity: written.severity,
            family: written.family,
            escalate: written.escalate.map(Vec::into_boxed_slice),
        })
    }

    /// Tells whether the rule is about a report; what costs most is looked at last.
    fn matches(&self, report: &Report<'_>, family: Family) -> bool {
        let namespace = || if report.involved().namespace().is_empty() { report.namespace() } else { report.involved().namespace() };
        fits(&self.reason, report.reason())
            && (self.families.is_empty() || self.families.contains(&family))
            && (self.types.is_empty() || self.types.contains(&report.type_()))
            && fits(&self.kind, report.involved().kind())
            && fits(&self.namespace, namespace())
            && fits(&self.component, report.component())
            && self.message.as_ref().is_none_or(|message| message.is_match(report.message()))
            && self.when.as_ref().is_none_or(|when| when.matches(report))
    }
}

/// Checks the causes of a file.
fn causes(written: Vec<Spanned<CauseEntry>>) -> Result<Vec<CauseEntry>, RuleError> {
    let mut made: Vec<CauseEntry> = Vec::new();
    for cause in written {
        let place = cause.referenced;
        if made.len() >= MAX_RULES {
            return Err(RuleError::at(place, RuleCause::TooMany { limit: MAX_RULES }));
        }
        causes::check(&cause.value).map_err(|(key, detail)| RuleError::bad(place, key, &detail))?;
        if made.iter().any(|other| other.code() == cause.value.code()) {
            return Err(RuleError::at(place, RuleCause::DuplicateCode { code: cause.value.code().to_owned() }));
        }
        made.push(cause.value);
    }
    Ok(made)
}

/// Tells whether one of the patterns matches, or there are none.
fn fits(patterns: &[Pattern], text: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(text))
}

#[cfg(test)]
mod tests;

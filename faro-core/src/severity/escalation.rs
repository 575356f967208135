//! When evidence in a group makes it worse than its first event looked.

use super::Severity;
use crate::duration::{DurationError, Span, parse_duration};
use crate::time::Nanos;
use serde::{Deserialize, Serialize};

/// One step up: at least `to`, once everything that is named holds. Severity never falls.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "Written<String>", into = "Written<Span>")]
pub struct Escalation {
    /// At least so many occurrences (`after`).
    pub after: Option<u64>,
    /// Only those within the last so many nanoseconds count for `after` (`within`).
    pub within: Option<Nanos>,
    /// The group has lasted at least so long (`for`).
    pub lasting: Option<Nanos>,
    /// At least so many involved objects (`objects`).
    pub objects: Option<u64>,
    /// The severity that the evidence asks for.
    pub to: Severity,
}

/// Why an escalation says nothing that can be decided.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EscalationError {
    /// Nothing that would have to hold.
    #[error("an escalation needs one of `after`, `for` and `objects`")]
    NoCondition,
    /// A span without a number of occurrences in it.
    #[error("`within` needs `after`")]
    WithinWithoutAfter,
    /// A span that cannot be read.
    #[error("`{key}`: {source}")]
    Duration {
        /// The key with the span.
        key: &'static str,
        /// What is wrong with it.
        source: DurationError,
    },
}

/// An escalation as a file spells it.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, bound(deserialize = "S: Deserialize<'de>", serialize = "S: Serialize"))]
struct Written<S> {
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    after: Option<u64>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    within: Option<S>,
    #[serde(default = "none", rename = "for", skip_serializing_if = "Option::is_none")]
    lasting: Option<S>,
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    objects: Option<u64>,
    to: Severity,
}

fn none<T>() -> Option<T> {
    None
}

impl TryFrom<Written<String>> for Escalation {
    type Error = EscalationError;

    fn try_from(written: Written<String>) -> Result<Self, EscalationError> {
        let span = |key, text: Option<String>| {
            text.map(|text| parse_duration(&text)).transpose().map_err(|source| EscalationError::Duration { key, source })
        };
        if written.within.is_some() && written.after.is_none() {
            return Err(EscalationError::WithinWithoutAfter);
        }
        if written.after.is_none() && written.lasting.is_none() && written.objects.is_none() {
            return Err(EscalationError::NoCondition);
        }
        Ok(Self {
            after: written.after,
            within: span("within", written.within)?,
            lasting: span("for", written.lasting)?,
            objects: written.objects,
            to: written.to,
        })
    }
}

impl From<Escalation> for Written<Span> {
    fn from(escalation: Escalation) -> Self {
        Self {
            after: escalation.after,
            within: escalation.within.map(Span),
            lasting: escalation.lasting.map(Span),
            objects: escalation.objects,
            to: escalation.to,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read_and_written_alike() {
        check("{after: 10, within: 5m, to: critical}", Ok(r#"{"after":10,"within":"5m","to":"critical"}"#));
        check("{for: 90s, to: high}", Ok(r#"{"for":"1m30s","to":"high"}"#));
        check("{objects: 5, after: 2, to: low}", Ok(r#"{"after":2,"objects":5,"to":"low"}"#));
    }

    #[test]
    fn what_cannot_be_decided_is_refused() {
        check("{to: high}", Err("an escalation needs one of `after`, `for` and `objects`"));
        check("{for: 1m, within: 5m, to: high}", Err("`within` needs `after`"));
        check("{for: long, to: high}", Err("`for`: bad duration `long`"));
        check("{after: 2}", Err("`to`"));
        check("{after: 2, to: high, unless: 3}", Err("`unless`"));
        check("{after: -2, to: high}", Err("-2"));
        check("{after: 2, to: bad}", Err("`bad`"));
    }

    #[track_caller]
    fn check(yaml: &str, want: Result<&str, &str>) {
        match (serde_saphyr::from_str::<Escalation>(yaml), want) {
            (Ok(escalation), Ok(json)) => assert_eq!(serde_json::to_string(&escalation).unwrap(), json),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (got, want) => panic!("{got:?}, not {want:?}"),
        }
    }
}

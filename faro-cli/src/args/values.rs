//! The values that options take.

use chrono::DateTime;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use faro_core::{Family, GroupBy, Nanos, Severity, parse_duration};

/// A type of record, or all of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Emitted {
    Object,
    Event,
    Group,
    Incident,
    Gap,
    Sync,
    Summary,
    All,
}

/// A point in time as an option gives it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Moment {
    /// Itself.
    At(Nanos),
    /// So long before now.
    Before(Nanos),
}

pub(super) fn duration(text: &str) -> Result<Nanos, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

pub(super) fn time(text: &str) -> Result<Nanos, String> {
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| "not RFC 3339: write it like 2026-03-01T12:00:00Z".to_owned())?;
    time.timestamp_nanos_opt().map(Nanos).ok_or_else(|| "outside of 1677 to 2262".to_owned())
}

pub(super) fn moment(text: &str) -> Result<Moment, String> {
    // Both begin with a digit; only a time has a date.
    if text.contains('T') || text.matches('-').count() > 1 {
        return time(text).map(Moment::At);
    }
    duration(text).map(Moment::Before)
}

pub(super) fn severity() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::ALL.map(Severity::name))
        .map(|name| Severity::ALL.into_iter().find(|severity| severity.name() == name).unwrap_or_default())
}

pub(super) fn family() -> impl TypedValueParser<Value = Family> {
    PossibleValuesParser::new(Family::ALL.iter().map(|family| family.name()))
        .map(|name| Family::ALL.iter().copied().find(|family| family.name() == name).unwrap_or_default())
}

pub(super) fn group_by() -> impl TypedValueParser<Value = GroupBy> {
    PossibleValuesParser::new(["object", "workload", "reason"]).map(|name| match name.as_str() {
        "workload" => GroupBy::Workload,
        "reason" => GroupBy::Reason,
        _ => GroupBy::Object,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_durations_are_told_apart() {
        assert_eq!(moment("90m"), Ok(Moment::Before(Nanos(5_400_000_000_000))));
        assert_eq!(moment("1970-01-01T00:00:01Z"), Ok(Moment::At(Nanos(1_000_000_000))));
        assert!(moment("1970-01-01").is_err() && moment("soon").is_err() && moment("-5m").is_err());
    }
}

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

/// `pod/web-1`.
pub(super) fn object(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() && !name.contains('/') => Ok((kind.to_owned(), name.to_owned())),
        Some(_) | None => Err("no object: write it like pod/web-1".to_owned()),
    }
}

/// Bytes: `1000`, `100k`, `100M`, `1Gi`.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit: u64 = match &text[digits..] {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return Err("not a size: write it like 100M or 1Gi".to_owned()),
    };
    let number: u64 = text[..digits].parse().map_err(|_| "not a size: write it like 100M or 1Gi".to_owned())?;
    number.checked_mul(unit).filter(|size| *size > 0).ok_or_else(|| "a size of at least one byte, below 16 EiB".to_owned())
}

/// A Lease as an option gives it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LeaseName {
    /// Empty means that of the kubeconfig's context, or of the pod.
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// `NAMESPACE/NAME` or `NAME`.
pub(super) fn lease(text: &str) -> Result<LeaseName, String> {
    let (namespace, name) = text.split_once('/').unwrap_or(("", text));
    let is_name = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    if !is_name(name) || (text.contains('/') && !is_name(namespace)) {
        return Err("not the name of a Lease: write it like faro or monitoring/faro".to_owned());
    }
    Ok(LeaseName { namespace: namespace.to_owned(), name: name.to_owned() })
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
    fn sizes_have_units_of_thousands_or_of_1024() {
        for (text, want) in [("7", 7), ("100M", 100_000_000), ("1Gi", 1 << 30), ("3k", 3_000)] {
            assert_eq!(size(text), Ok(want));
        }
        for text in ["", "M", "0", "-1", "1MB", "1.5G", "99999999999G"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn leases_have_a_name_and_perhaps_a_namespace() {
        let of = |namespace: &str, name: &str| Ok(LeaseName { namespace: namespace.to_owned(), name: name.to_owned() });
        assert_eq!(lease("faro"), of("", "faro"));
        assert_eq!(lease("monitoring/faro"), of("monitoring", "faro"));
        for text in ["", "/", "a/", "/a", "a/b/c", "a b"] {
            assert!(lease(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_and_durations_are_told_apart() {
        assert_eq!(moment("90m"), Ok(Moment::Before(Nanos(5_400_000_000_000))));
        assert_eq!(moment("1970-01-01T00:00:01Z"), Ok(Moment::At(Nanos(1_000_000_000))));
        assert!(moment("1970-01-01").is_err() && moment("soon").is_err() && moment("-5m").is_err());
    }
}

//! Spans of time as people write them: `5m`, `1h30m`, `500ms`, `2d`.

use crate::time::Nanos;
use serde::{Serialize, Serializer};
use std::fmt;

/// Why a text is no duration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DurationError {
    /// Nothing was given.
    #[error("duration is empty")]
    Empty,
    /// A duration before its beginning.
    #[error("duration is negative: `{text}`")]
    Negative {
        /// What was given.
        text: String,
    },
    /// A number without a unit.
    #[error("duration has no unit: `{text}`: write `{text}s`, `{text}m` or `{text}h`")]
    NoUnit {
        /// What was given.
        text: String,
    },
    /// A unit that is none.
    #[error("unknown unit `{unit}` in duration `{text}`: use d, h, m, s, ms, us or ns")]
    UnknownUnit {
        /// What stands in the place of the unit.
        unit: String,
        /// What was given.
        text: String,
    },
    /// Something that is no number where one is due.
    #[error("bad duration `{text}`: write it like `5m`, `1h30m` or `500ms`")]
    Malformed {
        /// What was given.
        text: String,
    },
    /// More than 292 years.
    #[error("duration is too long: `{text}`")]
    TooLong {
        /// What was given.
        text: String,
    },
}

/// The units that a duration may use, with the nanoseconds in each.
const UNITS: [(&str, i64); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Reads a duration as Go's `time.ParseDuration` does, with days (`d`, 24 hours) and without signs.
///
/// # Errors
///
/// The text is no duration, is negative, or does not fit 64 bits of nanoseconds.
///
/// # Example
///
/// ```
/// use faro_core::{Nanos, parse_duration};
///
/// assert_eq!(parse_duration("1h30m"), Ok(Nanos(5_400_000_000_000)));
/// assert!(parse_duration("-5m").is_err());
/// ```
pub fn parse_duration(text: &str) -> Result<Nanos, DurationError> {
    let shown = || text.chars().take(64).flat_map(char::escape_debug).collect::<String>();
    let malformed = || DurationError::Malformed { text: shown() };
    let too_long = || DurationError::TooLong { text: shown() };
    if text.is_empty() {
        return Err(DurationError::Empty);
    }
    if text == "0" {
        return Ok(Nanos(0));
    }
    if text.starts_with('-') {
        return Err(DurationError::Negative { text: shown() });
    }
    let (mut total, mut rest) = (0_i64, text);
    while !rest.is_empty() {
        let whole_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (whole, mut after) = rest.split_at(whole_end);
        let mut fraction = "";
        if let Some(tail) = after.strip_prefix('.') {
            let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
            (fraction, after) = tail.split_at(end);
        }
        if whole.is_empty() && fraction.is_empty() {
            return Err(malformed());
        }
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, left) = after.split_at(unit_end);
        if unit.is_empty() {
            return Err(DurationError::NoUnit { text: shown() });
        }
        let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(DurationError::UnknownUnit { unit: unit.chars().take(16).flat_map(char::escape_debug).collect(), text: shown() });
        };
        let mut value = 0_i64;
        for digit in whole.bytes() {
            value = value.checked_mul(10).and_then(|value| value.checked_add(i64::from(digit - b'0'))).ok_or_else(too_long)?;
        }
        let mut nanos = value.checked_mul(*scale).ok_or_else(too_long)?;
        // Each digit counts a tenth of the one before it; below a nanosecond nothing is left to count.
        let mut place = *scale;
        for digit in fraction.bytes() {
            place /= 10;
            nanos = nanos.checked_add(place * i64::from(digit - b'0')).ok_or_else(too_long)?;
        }
        total = total.checked_add(nanos).ok_or_else(too_long)?;
        rest = left;
    }
    Ok(Nanos(total))
}

/// A duration that prints as people write it: the counterpart of [`parse_duration`].
///
/// # Example
///
/// ```
/// use faro_core::{Nanos, Span};
///
/// assert_eq!(Span(Nanos(5_400_000_000_000)).to_string(), "1h30m");
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Span(pub Nanos);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.0.unsigned_abs();
        if left == 0 {
            return f.write_str("0s");
        }
        if self.0.0 < 0 {
            f.write_str("-")?;
        }
        for (unit, scale) in [
            ("d", 86_400_000_000_000),
            ("h", 3_600_000_000_000),
            ("m", 60_000_000_000),
            ("s", 1_000_000_000),
            ("ms", 1_000_000),
            ("us", 1_000),
            ("ns", 1),
        ] {
            let count = left / scale;
            left %= scale;
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_add_up() {
        check("5m", Ok(300_000_000_000));
        check("1h30m", Ok(5_400_000_000_000));
        check("500ms", Ok(500_000_000));
        check("2d", Ok(172_800_000_000_000));
        check("1.5h", Ok(5_400_000_000_000));
        check("0s", Ok(0));
        check("0", Ok(0));
        check("3us2ns", Ok(3_002));
    }

    #[test]
    fn nonsense_is_named() {
        check("", Err("duration is empty"));
        check("-5m", Err("duration is negative: `-5m`"));
        check("10", Err("duration has no unit: `10`: write `10s`, `10m` or `10h`"));
        check("5min", Err("unknown unit `min` in duration `5min`: use d, h, m, s, ms, us or ns"));
        check("soon", Err("bad duration `soon`: write it like `5m`, `1h30m` or `500ms`"));
        check("1h m", Err("unknown unit `h m` in duration `1h m`: use d, h, m, s, ms, us or ns"));
        check("+5m", Err("bad duration `+5m`: write it like `5m`, `1h30m` or `500ms`"));
    }

    #[test]
    fn overflow_is_refused() {
        check("292y", Err("unknown unit `y` in duration `292y`: use d, h, m, s, ms, us or ns"));
        check("106751d", Ok(9_223_286_400_000_000_000));
        check("106752d", Err("duration is too long: `106752d`"));
        check("99999999999999999999s", Err("duration is too long: `99999999999999999999s`"));
        check("106751d106751d", Err("duration is too long: `106751d106751d`"));
    }

    proptest! {
        #[test]
        fn printed_reads_as_the_same(nanos in 0..i64::MAX) {
            prop_assert_eq!(parse_duration(&Span(Nanos(nanos)).to_string()), Ok(Nanos(nanos)));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,24}|[0-9.]{0,6}[a-zµ]{0,3}[0-9.]{0,20}[smhd]?") {
            let _ = parse_duration(&text);
        }
    }

    #[track_caller]
    fn check(text: &str, want: Result<i64, &str>) {
        let got = parse_duration(text).map(|nanos| nanos.0).map_err(|error| error.to_string());
        assert_eq!(got, want.map_err(str::to_owned), "{text}");
    }
}

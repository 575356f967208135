//! Moments as Kubernetes writes them.
//!
//! The API has two time types: `metav1.Time` (RFC 3339, whole seconds) and `metav1.MicroTime` (RFC 3339, microseconds). Both
//! marshal their zero value as `null`, and old producers wrote it out as `0001-01-01T00:00:00Z`: such a moment is no moment.

use chrono::{DateTime, Utc};
use std::fmt;

/// Nanoseconds since the Unix epoch, UTC: chrono's time without the calendar.
///
/// Covers 1677 to 2262. Every stage counts in this; the public records and the engine's inputs use chrono.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Nanos(pub i64);

/// Nanoseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000_000;

/// Why a text is no moment that Faro can use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct BadTime;

impl Nanos {
    /// The latest moment that can be held.
    pub const MAX: Self = Self(i64::MAX);

    /// Adds a span of nanoseconds, stopping at the ends of the range.
    #[must_use]
    pub const fn plus(self, span: i64) -> Self {
        Self(self.0.saturating_add(span))
    }

    /// Subtracts a span of nanoseconds, stopping at the ends of the range.
    #[must_use]
    pub const fn minus(self, span: i64) -> Self {
        Self(self.0.saturating_sub(span))
    }

    /// Returns the nanoseconds from `earlier` to this moment, negative when it is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Reads RFC 3339. `None` is the zero time of year 0001.
    ///
    /// # Errors
    ///
    /// The text is not RFC 3339, or lies outside of 1677 to 2262.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, BadTime> {
        if let Some(plain) = parse_utc(text.as_bytes()) {
            return Ok(Some(plain));
        }
        if text.starts_with("0001-01-01T") {
            return Ok(None);
        }
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| BadTime)?;
        time.timestamp_nanos_opt().map(|nanos| Some(Self(nanos))).ok_or(BadTime)
    }
}

/// Reads the form that every Go program writes, `2025-09-12T21:54:11Z` with or without a fraction, for the years 1970 to 2200.
fn parse_utc(text: &[u8]) -> Option<Nanos> {
    let (head, tail) = text.split_first_chunk::<19>()?;
    let fixed = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if fixed.iter().any(|&(at, byte)| head[at] != byte) {
        return None;
    }
    let number = |from: usize, to: usize| {
        head[from..to].iter().try_fold(0_i64, |sum, &byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let (last, fraction) = tail.split_last()?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    let sane = (1970..=2200).contains(&year) && (1..=days_in_month).contains(&day) && hour < 24 && minute < 60 && second < 60;
    if *last != b'Z' || !sane {
        return None;
    }
    let nanos = match fraction.split_first() {
        None => 0,
        Some((b'.', digits)) if (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) => {
            let value = digits.iter().fold(0_i64, |sum, byte| sum * 10 + i64::from(byte - b'0'));
            (digits.len()..9).fold(value, |value, _| value * 10)
        }
        Some(_) => return None,
    };
    // Days since the epoch, counted from March so that the leap day comes last (the civil calendar's usual arithmetic).
    let (shifted_year, shifted_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        365 * shifted_year + shifted_year / 4 - shifted_year / 100 + shifted_year / 400 + (153 * shifted_month + 2) / 5 + day - 719_469;
    Some(Nanos(((days * 24 + hour) * 60 + minute) * 60 * SECOND + second * SECOND + nanos))
}

impl From<DateTime<Utc>> for Nanos {
    /// Moments outside of 1677 to 2262 become the nearest end of that range.
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_nanos_opt().unwrap_or(if time.timestamp() < 0 { i64::MIN } else { i64::MAX }))
    }
}

impl From<std::time::SystemTime> for Nanos {
    /// Moments outside of 1970 to 2262 become the nearest end of that range.
    fn from(time: std::time::SystemTime) -> Self {
        let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl From<Nanos> for DateTime<Utc> {
    fn from(nanos: Nanos) -> Self {
        Self::from_timestamp_nanos(nanos.0)
    }
}

/// The longest form, `2025-09-12T21:54:11.123456789Z`.
const TEXT_BYTES: usize = 30;

impl Nanos {
    /// Writes RFC 3339 in UTC, with 0, 3, 6 or 9 fractional digits as the value needs, and returns its length.
    fn write(self, text: &mut [u8; TEXT_BYTES]) -> usize {
        let (seconds, nanos) = (self.0.div_euclid(SECOND), self.0.rem_euclid(SECOND));
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let shifted = days + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        *text = *b"0000-00-00T00:00:00.000000000Z";
        let mut put = |at: usize, width: usize, mut value: i64| {
            for place in (at..at + width).rev() {
                // A digit always fits a byte.
                text[place] = b'0' + u8::try_from(value % 10).unwrap_or(0);
                value /= 10;
            }
        };
        put(0, 4, year);
        put(5, 2, month);
        put(8, 2, day);
        put(11, 2, of_day / 3_600);
        put(14, 2, of_day / 60 % 60);
        put(17, 2, of_day % 60);
        if nanos == 0 {
            text[19] = b'Z';
            return 20;
        }
        put(20, 9, nanos);
        let end = match nanos {
            n if n % 1_000_000 == 0 => 23,
            n if n % 1_000 == 0 => 26,
            _ => 29,
        };
        text[end] = b'Z';
        end + 1
    }

    /// Calls `with` with the RFC 3339 text.
    fn with_text<T>(self, with: impl FnOnce(&str) -> T) -> T {
        let mut text = [0; TEXT_BYTES];
        let length = self.write(&mut text);
        // It is ASCII.
        with(std::str::from_utf8(&text[..length]).unwrap_or_default())
    }
}

impl fmt::Display for Nanos {
    /// RFC 3339 in UTC, with 0, 3, 6 or 9 fractional digits as the value needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.write_str(text))
    }
}

impl serde::Serialize for Nanos {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_text(|text| serializer.serialize_str(text))
    }
}

impl<'de> serde::Deserialize<'de> for Nanos {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok().flatten().ok_or_else(|| serde::de::Error::custom("not a time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn year_one_is_no_time() {
        assert_eq!(Nanos::parse("0001-01-01T00:00:00Z"), Ok(None));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "yesterday",
            "2025-13-01T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2025-09-12",
            "9999-01-01T00:00:00Z",
            "2025-09-12T21:54:11",
            "1500-01-01T00:00:00Z",
        ] {
            assert_eq!(Nanos::parse(text), Err(BadTime), "{text}");
        }
    }

    #[test]
    fn offsets_are_utc_in_the_end() {
        assert_eq!(Nanos::parse("2025-09-12T23:54:11+02:00"), Nanos::parse("2025-09-12T21:54:11Z"));
    }

    #[test]
    fn fraction_is_written_as_far_as_known() {
        for text in ["2024-02-29T21:54:11Z", "2025-09-12T21:54:11.100Z", "2025-09-12T21:54:11.000001Z", "2025-09-12T21:54:11.000000001Z"] {
            assert_eq!(Nanos::parse(text).unwrap().unwrap().to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn calendar_agrees_with_chrono(nanos in any::<i64>()) {
            let text = Nanos(nanos).to_string();
            prop_assert_eq!(DateTime::parse_from_rfc3339(&text).unwrap().timestamp_nanos_opt(), Some(nanos));
            prop_assert_eq!(Nanos::parse(&text), Ok(Some(Nanos(nanos))));
        }
    }
}

//! Uids: text that nearly always is a UUID, and is kept and compared as one.

use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// Where the dashes stand.
const DASHES: [usize; 4] = [8, 13, 18, 23];

/// Where each byte's two digits begin.
const DIGITS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

/// The value of a digit; more than 15 for what is none.
const VALUES: [u8; 256] = {
    let mut values = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// A UUID in its canonical form, `6c1b7b0a-3f0e-4a52-9d5a-0a4e0f1d2c3b`, in 16 bytes; all zeros are none.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct CanonicalUid([u8; 16]);

impl CanonicalUid {
    /// Reads the canonical form in lower case; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: &[u8; 36] = text.as_bytes().try_into().ok()?;
        if DASHES.iter().any(|&at| bytes[at] != b'-') {
            return None;
        }
        let mut uid = [0; 16];
        let mut wrong = 0;
        for (byte, &at) in uid.iter_mut().zip(&DIGITS) {
            let (high, low) = (VALUES[usize::from(bytes[at])], VALUES[usize::from(bytes[at + 1])]);
            wrong |= high | low;
            *byte = high << 4 | low & 15;
        }
        if wrong > 15 {
            return None;
        }
        (uid != [0; 16]).then_some(Self(uid))
    }

    const fn is_none(self) -> bool {
        u128::from_ne_bytes(self.0) == 0
    }

    fn with_text<T>(self, with: impl FnOnce(&str) -> T) -> T {
        if self.is_none() {
            return with("");
        }
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = b"0123456789abcdef"[usize::from(byte >> 4)];
            text[at + 1] = b"0123456789abcdef"[usize::from(byte & 15)];
            at += 2;
        }
        // It is ASCII.
        with(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// The uid of an object, which becomes text when somebody asks: most groups are printed far less often than they change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Uid<'a> {
    /// A UUID, or nothing.
    Canonical(CanonicalUid),
    /// Any other text: a static pod's hash, a test's word.
    Other(&'a str),
}

impl<'a> From<&'a str> for Uid<'a> {
    fn from(text: &'a str) -> Self {
        match CanonicalUid::parse(text) {
            Some(uid) => Self::Canonical(uid),
            None if text.is_empty() => Self::Canonical(CanonicalUid::default()),
            None => Self::Other(text),
        }
    }
}

impl Uid<'_> {
    /// Tells whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        match self {
            Self::Canonical(uid) => uid.is_none(),
            Self::Other(text) => text.is_empty(),
        }
    }

    fn with_text<T>(self, with: impl FnOnce(&str) -> T) -> T {
        match self {
            Self::Canonical(uid) => uid.with_text(with),
            Self::Other(text) => with(text),
        }
    }
}

impl fmt::Display for Uid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.write_str(text))
    }
}

impl Serialize for Uid<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_text(|text| serializer.serialize_str(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_it_was() {
        for text in [
            "6c1b7b0a-3f0e-4a52-9d5a-0a4e0f1d2c3b",
            "00000000-0000-0000-0000-000000000001",
            "00000000-0000-0000-0000-000000000000",
            "6C1B7B0A-3f0e-4a52-9d5a-0a4e0f1d2c3b",
            "6c1b7b0a-3f0e-4a52-9d5a-0a4e0f1d2c3g",
            "6c1b7b0a03f0e-4a52-9d5a-0a4e0f1d2c3b",
            "7fa3c96cbb4dd4ae2cc1b18b4f4c5a2e",
            "n1",
            "",
        ] {
            assert_eq!(Uid::from(text).to_string(), text);
            assert_eq!(Uid::from(text).is_empty(), text.is_empty(), "{text}");
        }
    }

    #[test]
    fn canonical_ones_take_16_bytes() {
        assert!(matches!(Uid::from("6c1b7b0a-3f0e-4a52-9d5a-0a4e0f1d2c3b"), Uid::Canonical(_)));
        assert!(matches!(Uid::from("00000000-0000-0000-0000-000000000000"), Uid::Other(_)), "all zeros mean none");
    }
}

//! `metadata.uid` and `metadata.resourceVersion`, packed where they have their usual form.

use serde::{Deserialize, Serialize};
use std::fmt;

/// `metadata.uid`: sixteen bytes when it is a UUID in canonical form, as the API server makes them, else its text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "String", into = "String")]
pub struct Uid(Form);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Form {
    Uuid([u8; 16]),
    Text(Box<str>),
}

/// `metadata.resourceVersion`: a number when it is one in canonical form, else its text.
///
/// Compared for equality. An order exists between numbers only: KEP-5504 promises it for resources of the API server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "String", into = "String")]
pub struct Version(VersionForm);

#[derive(Clone, Debug, Eq, PartialEq)]
enum VersionForm {
    Number(u64),
    Text(Box<str>),
}

/// Where the hyphens of a UUID stand.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

impl Uid {
    /// Reads a uid; none is empty.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(uuid(text.as_bytes()).map_or_else(|| Form::Text(text.into()), Form::Uuid))
    }

    pub(super) fn pack(&self, packed: &mut Vec<u8>) {
        match &self.0 {
            Form::Uuid(bytes) => {
                packed.push(0);
                packed.extend_from_slice(bytes);
            }
            Form::Text(text) => pack_text(text, packed),
        }
    }

    pub(super) fn unpack(packed: &[u8]) -> (Self, &[u8]) {
        match unpack::<16>(packed) {
            (Packed::Fixed(bytes), rest) => (Self(Form::Uuid(bytes)), rest),
            (Packed::Text(text), rest) => (Self(Form::Text(text.into())), rest),
        }
    }
}

impl Version {
    /// Reads a version; none is empty.
    #[must_use]
    pub fn new(text: &str) -> Self {
        // A sign or a leading zero would not come back.
        let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        let number = if canonical { text.parse().ok() } else { None };
        Self(number.map_or_else(|| VersionForm::Text(text.into()), VersionForm::Number))
    }

    /// Tells whether this version is known to be later than `other`; `None` when either is no number.
    #[must_use]
    pub const fn is_later(&self, other: &Self) -> Option<bool> {
        match (&self.0, &other.0) {
            (VersionForm::Number(this), VersionForm::Number(other)) => Some(*this > *other),
            (VersionForm::Number(_) | VersionForm::Text(_), VersionForm::Number(_) | VersionForm::Text(_)) => None,
        }
    }

    pub(super) fn pack(&self, packed: &mut Vec<u8>) {
        match &self.0 {
            VersionForm::Number(number) => {
                packed.push(0);
                packed.extend_from_slice(&number.to_le_bytes());
            }
            VersionForm::Text(text) => pack_text(text, packed),
        }
    }

    pub(super) fn unpack(packed: &[u8]) -> (Self, &[u8]) {
        match unpack::<8>(packed) {
            (Packed::Fixed(bytes), rest) => (Self(VersionForm::Number(u64::from_le_bytes(bytes))), rest),
            (Packed::Text(text), rest) => (Self(VersionForm::Text(text.into())), rest),
        }
    }
}

enum Packed<'a, const N: usize> {
    Fixed([u8; N]),
    Text(&'a str),
}

/// A tag of 1, the length as two bytes, the text: no identity is longer than the server's limit of 1 KiB for annotations' keys and
/// the like, and what is longer is cut rather than refused.
fn pack_text(text: &str, packed: &mut Vec<u8>) {
    let mut length = text.len().min(usize::from(u16::MAX));
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    packed.push(1);
    packed.extend_from_slice(&u16::try_from(length).unwrap_or(0).to_le_bytes());
    packed.extend_from_slice(&text.as_bytes()[..length]);
}

fn unpack<const N: usize>(packed: &[u8]) -> (Packed<'_, N>, &[u8]) {
    if packed[0] == 0 {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&packed[1..=N]);
        return (Packed::Fixed(bytes), &packed[1 + N..]);
    }
    let end = 3 + usize::from(u16::from_le_bytes([packed[1], packed[2]]));
    // It was packed from text.
    (Packed::Text(std::str::from_utf8(&packed[3..end]).unwrap_or_default()), &packed[end..])
}

fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 36 || HYPHENS.iter().any(|&at| text[at] != b'-') {
        return None;
    }
    let mut bytes = [0; 16];
    let mut digits = 0;
    for (at, &byte) in text.iter().enumerate() {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'-' if HYPHENS.contains(&at) => continue,
            _ => return None,
        };
        bytes[digits / 2] |= digit << (4 * (1 - digits % 2));
        digits += 1;
    }
    Some(bytes)
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Text(text) => f.write_str(text),
            Form::Uuid(bytes) => {
                for (index, byte) in bytes.iter().enumerate() {
                    if matches!(index, 4 | 6 | 8 | 10) {
                        f.write_str("-")?;
                    }
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            VersionForm::Text(text) => f.write_str(text),
            VersionForm::Number(number) => write!(f, "{number}"),
        }
    }
}

impl From<String> for Uid {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<Uid> for String {
    fn from(uid: Uid) -> Self {
        uid.to_string()
    }
}

impl From<String> for Version {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn identities_come_back_as_they_were(uid in "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\\PC{0,40}", version in "0|[1-9][0-9]{0,20}|\\PC{0,9}") {
            let mut packed = Vec::new();
            Uid::new(&uid).pack(&mut packed);
            Version::new(&version).pack(&mut packed);
            let (read_uid, rest) = Uid::unpack(&packed);
            let (read_version, rest) = Version::unpack(rest);
            prop_assert_eq!((read_uid.to_string(), read_version.to_string(), rest.len()), (uid, version, 0));
        }
    }

    #[test]
    fn order_is_between_numbers_only() {
        assert_eq!(Version::new("10").is_later(&Version::new("9")), Some(true));
        assert_eq!(Version::new("abc").is_later(&Version::new("9")), None);
        assert_eq!(Version::new("010").is_later(&Version::new("9")), None);
    }
}

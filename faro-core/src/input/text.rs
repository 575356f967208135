//! The small values that documents are made of, read without copying where the input allows it.

use crate::time::Nanos;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// A string of the input: borrowed unless it held escapes. Empty when the field is absent, `null` or empty, which the
/// Kubernetes API does not tell apart either (`omitempty`).
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    /// Nothing.
    pub(crate) const EMPTY: Self = Self(Cow::Borrowed(""));

    /// Returns a copy that does not borrow from the input.
    #[must_use]
    pub fn into_owned(self) -> Text<'static> {
        Text(Cow::Owned(self.0.into_owned()))
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de: 'a, 'a> serde::Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Text::default())
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
                deserializer.deserialize_str(self)
            }
        }
        deserializer.deserialize_option(TextVisitor)
    }
}

/// Labels or annotations, in the order in which they were sent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Fields<'a>(pub Vec<(Text<'a>, Text<'a>)>);

impl Fields<'_> {
    /// Returns the value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| &**name == key).map(|(_, value)| &**value)
    }

    /// Tells whether nothing was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de: 'a, 'a> serde::Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of strings")
            }

            fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Fields::default())
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
                deserializer.deserialize_map(self)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    fields.push(entry);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_option(FieldsVisitor)
    }
}

/// A moment of the input; `None` when absent, `null`, empty or of year 0001.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Moment(pub(crate) Option<Nanos>);

/// How the text of an unusable time begins in an error message.
pub(crate) const BAD_TIME: &str = "bad time";

struct MomentVisitor {
    epoch_nanos: bool,
}

impl<'de> Visitor<'de> for MomentVisitor {
    type Value = Moment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RFC 3339 time")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Moment, E> {
        if text.is_empty() {
            return Ok(Moment(None));
        }
        Nanos::parse(text).map(Moment).map_err(|_| E::custom(format_args!("{BAD_TIME} `{}`", text.escape_debug())))
    }

    fn visit_u64<E: Error>(self, nanos: u64) -> Result<Moment, E> {
        match i64::try_from(nanos) {
            Ok(nanos) if self.epoch_nanos => Ok(Moment(Some(Nanos(nanos)))),
            Ok(_) | Err(_) => Err(E::custom(format_args!("{BAD_TIME} `{nanos}`"))),
        }
    }

    fn visit_none<E: Error>(self) -> Result<Moment, E> {
        Ok(Moment(None))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Moment, D::Error> {
        if self.epoch_nanos { deserializer.deserialize_any(self) } else { deserializer.deserialize_str(self) }
    }
}

impl<'de> serde::Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(MomentVisitor { epoch_nanos: false })
    }
}

/// When a watch delivered something: RFC 3339, or nanoseconds since the epoch.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct ReceivedAt(pub(crate) Option<Nanos>);

impl<'de> serde::Deserialize<'de> for ReceivedAt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(MomentVisitor { epoch_nanos: true }).map(|moment| Self(moment.0))
    }
}

/// `managedFields`, skipped while reading: only its newest time is ever asked for, and seldom.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum ManagedFields<'a> {
    /// Not sent.
    #[default]
    None,
    /// As sent.
    Unread(&'a RawValue),
    /// A record of Faro's says only when.
    Newest(Nanos),
}

impl ManagedFields<'_> {
    /// The newest `managedFields[].time`; nothing else of the list is read. What cannot be read has no time.
    pub(crate) fn newest(self) -> Option<Nanos> {
        #[derive(serde::Deserialize)]
        struct Entry {
            #[serde(default)]
            time: Moment,
        }

        match self {
            Self::None => None,
            Self::Newest(time) => Some(time),
            Self::Unread(raw) => {
                let entries: Vec<Entry> = serde_json::from_str(raw.get()).unwrap_or_default();
                entries.into_iter().filter_map(|entry| entry.time.0).max()
            }
        }
    }
}

impl<'de: 'a, 'a> serde::Deserialize<'de> for ManagedFields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: Option<&'de RawValue> = serde::Deserialize::deserialize(deserializer)?;
        Ok(raw.map_or(Self::None, Self::Unread))
    }
}

//! `involvedObject` and `related`: a `v1.ObjectReference`, kept whole and in the order in which it was sent.

use super::text::Text;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;

const NAMES: [&str; 7] = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"];

/// A reference to an object, as an Event carries it (`ObjectReference` of core/v1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reference<'a> {
    known: [Text<'a>; 7],
    // Which of the known fields were sent, in that order: index plus one, 0 for none.
    order: [u8; 7],
    // Fields that core/v1 does not have; each with how many known fields were sent before it.
    others: Vec<(u8, Text<'a>, serde_json::Value)>,
}

impl<'a> Reference<'a> {
    /// A reference of which nothing was sent.
    pub(crate) const EMPTY: Self = Self { known: [const { Text::EMPTY }; 7], order: [0; 7], others: Vec::new() };

    /// Makes a reference from its fields; empty ones count as not sent.
    #[must_use]
    pub fn new(kind: &'a str, namespace: &'a str, name: &'a str, uid: &'a str, api_version: &'a str) -> Self {
        let mut made = Self::default();
        for (index, text) in [kind, namespace, name, uid, api_version].into_iter().enumerate() {
            if !text.is_empty() {
                made.known[index] = Text::from(text);
                made.place(index);
            }
        }
        made
    }

    /// Tells whether the server sent a reference with any field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order[0] == 0 && self.others.is_empty()
    }

    /// The object's kind, `Pod`; empty when not sent.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.known[0]
    }

    /// The object's namespace; empty for cluster-scoped objects.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.known[1]
    }

    /// The object's name; empty when not sent.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.known[2]
    }

    /// The object's uid as sent. A kubelet sends a Node's name here.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.known[3]
    }

    /// The object's group and version, `apps/v1`; empty when not sent.
    #[must_use]
    pub fn api_version(&self) -> &str {
        &self.known[4]
    }

    /// The part of the object that is meant, `spec.containers{app}`; empty when not sent.
    #[must_use]
    pub fn field_path(&self) -> &str {
        &self.known[6]
    }

    fn place(&mut self, index: usize) {
        if let Some(free) = self.order.iter_mut().find(|place| **place == 0) {
            // There are seven.
            *free = u8::try_from(index + 1).unwrap_or(0);
        }
    }

    fn placed(&self) -> u8 {
        u8::try_from(self.order.iter().filter(|place| **place != 0).count()).unwrap_or(0)
    }
}

impl Serialize for Reference<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut others = self.others.iter().peekable();
        for (sent, place) in (0..).zip(&self.order) {
            while let Some((_, key, value)) = others.next_if(|(before, ..)| *before <= sent) {
                map.serialize_entry(key, value)?;
            }
            if let Some(index) = place.checked_sub(1).map(usize::from) {
                map.serialize_entry(NAMES[index], &self.known[index])?;
            }
        }
        for (_, key, value) in others {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de: 'a, 'a> serde::Deserialize<'de> for Reference<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ReferenceVisitor;

        impl<'de> Visitor<'de> for ReferenceVisitor {
            type Value = Reference<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object reference")
            }

            fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Reference::default())
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
                deserializer.deserialize_map(self)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut reference = Reference::default();
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    if let Some(index) = NAMES.iter().position(|name| *name == &*key) {
                        if reference.order.iter().any(|place| usize::from(*place) == index + 1) {
                            return Err(A::Error::duplicate_field(NAMES[index]));
                        }
                        reference.known[index] = map.next_value()?;
                        reference.place(index);
                    } else {
                        let before = reference.placed();
                        reference.others.push((before, key, map.next_value()?));
                    }
                }
                Ok(reference)
            }
        }
        deserializer.deserialize_option(ReferenceVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_as_sent() {
        check(
            r#"{"uid":"u","kind":"Pod","zone":"a","name":"web","apiVersion":"v1","fieldPath":"spec.containers{app}","extra":[1,{}],"namespace":""}"#,
        );
        check("{}");
    }

    #[test]
    fn duplicate_field_is_refused() {
        assert!(
            serde_json::from_str::<Reference<'_>>(r#"{"kind":"Pod","kind":"Node"}"#)
                .unwrap_err()
                .to_string()
                .starts_with("duplicate field")
        );
    }

    #[track_caller]
    fn check(json: &str) {
        let reference: Reference<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&reference).unwrap(), json);
    }
}

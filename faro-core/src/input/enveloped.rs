//! The object in a watch envelope, which is no envelope itself: depth is not up to the sender.

use super::document::Document;
use serde::Deserialize;
use serde::de::value::{BorrowedStrDeserializer, CowStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A document whose own `object` is passed over unread. Read as a document, each level of a nested one would be a level of
/// recursion, of many kilobytes each.
#[derive(Debug)]
pub(crate) struct Enveloped<'a>(pub(crate) Box<Document<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Enveloped<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OneObject)
    }
}

struct OneObject;

impl<'de> Visitor<'de> for OneObject {
    type Value = Enveloped<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Deserialize::deserialize(MapAccessDeserializer::new(Members(map))).map(Enveloped)
    }
}

/// The members of a map, less `object`.
struct Members<A>(A);

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Members<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        loop {
            match self.0.next_key()? {
                Some(Key(key)) if key == "object" => self.0.next_value::<Passed>().map(drop)?,
                Some(Key(Cow::Borrowed(key))) => return seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some),
                Some(Key(key)) => return seed.deserialize(CowStrDeserializer::new(key)).map(Some),
                None => return Ok(None),
            };
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.0.next_value_seed(seed)
    }
}

/// A value that is passed over level by level, so that the parser counts them and refuses too many; [`IgnoredAny`] has no limit.
struct Passed;

impl<'de> Deserialize<'de> for Passed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Passed {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<IgnoredAny, Self>()?.is_some() {}
        Ok(self)
    }
}

/// A key; borrowed unless it was written with escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(OneKey)
    }
}

struct OneKey;

impl<'de> Visitor<'de> for OneKey {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Key(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Key(Cow::Owned(text.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use crate::input::{self, Body, Cause, Change};

    #[test]
    fn enveloped_object_may_have_a_field_of_that_name() {
        let item = input::read(r#"{"type":"ADDED","object":{"object":{"object":7},"kind":"Widget","metadata":{"name":"a"}}}"#);
        assert!(matches!(item, Ok(input::Item { change: Change::Added, body: Body::Object(object), .. }) if object.kind() == "Widget"));
    }

    #[test]
    fn escaped_keys_are_keys() {
        let item = input::read(r#"{"type":"ADDED","object":{"\u006fbject":{"kind":1},"\u006bind":"Event","metadata":{"name":"a"}}}"#);
        assert!(matches!(item, Ok(input::Item { body: Body::Event(_), .. })));
    }

    #[test]
    fn envelopes_in_envelopes_need_no_stack() {
        let text = format!("{}1{}", r#"{"type":"ADDED","object":"#.repeat(100_000), "}".repeat(100_000));
        assert_eq!(input::read(&text).map(drop).unwrap_err().cause, Cause::TooDeep);
    }
}

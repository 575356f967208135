//! What is read of a watch line or a list's item: enough to follow it, never the whole object.
//!
//! The API server writes a watch event as one line, `{"type":"ADDED","object":{...}}` (`k8s.io/apimachinery/pkg/apis/meta/v1`,
//! `WatchEvent`), and a list as `{"metadata":{"resourceVersion","continue"},"items":[...]}` (`ListMeta`).

use faro_core::input::Text;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::ops::Range;

/// What a watch line says happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LineType {
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
}

impl LineType {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
            Self::Bookmark => "BOOKMARK",
            Self::Error => "ERROR",
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::Added, Self::Modified, Self::Deleted, Self::Bookmark, Self::Error].into_iter().find(|one| one.name() == name)
    }
}

/// An object, of which only the metadata is read.
#[derive(Debug, Deserialize)]
pub(crate) struct Object<'a> {
    /// The JSON text it was read from.
    #[serde(skip)]
    pub(crate) text: &'a str,
    #[serde(borrow, default)]
    pub(crate) kind: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "apiVersion")]
    pub(crate) api_version: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) metadata: Metadata<'a>,
    // Of a `Status`; anything in another kind.
    #[serde(borrow, default)]
    code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    details: Option<&'a RawValue>,
}

/// The part of `metadata` that later lines need.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Metadata<'a> {
    #[serde(borrow)]
    pub(crate) uid: Text<'a>,
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow)]
    pub(crate) namespace: Text<'a>,
    #[serde(borrow, rename = "resourceVersion")]
    pub(crate) resource_version: Text<'a>,
    #[serde(borrow)]
    labels: Option<&'a RawValue>,
    #[serde(borrow, rename = "ownerReferences")]
    owner_references: Option<&'a RawValue>,
}

impl<'a> Metadata<'a> {
    /// The labels as sent, a JSON object; empty when none were.
    pub(crate) fn labels(&self) -> &'a str {
        self.labels.map_or("", RawValue::get)
    }

    /// The owners as sent, a JSON array; empty when none were.
    pub(crate) fn owner_references(&self) -> &'a str {
        self.owner_references.map_or("", RawValue::get)
    }
}

/// What a `Status` says (`k8s.io/apimachinery/pkg/apis/meta/v1`, `Status`).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Status {
    pub(crate) code: u16,
    pub(crate) reason: String,
    pub(crate) message: String,
    /// `details.retryAfterSeconds`.
    pub(crate) retry_after: Option<u64>,
    /// Whether `details.causes` names a resource version that the server has not reached yet.
    pub(crate) ahead: bool,
}

impl<'a> Object<'a> {
    /// Reads one object.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let object: Self = serde_json::from_str(text).ok()?;
        Some(Self { text, ..object })
    }

    /// Where a value that was read from the object stands in its text.
    pub(crate) fn place(&self, value: &RawValue) -> Range<usize> {
        let start = (value.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        start..start + value.get().len()
    }

    /// Reads the object as the `Status` that it is.
    pub(crate) fn status(&self) -> Status {
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        struct Details<'a> {
            retry_after_seconds: u64,
            #[serde(borrow)]
            causes: Option<Vec<CauseOf<'a>>>,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct CauseOf<'a> {
            #[serde(borrow)]
            reason: Text<'a>,
        }
        fn text(value: Option<&RawValue>) -> String {
            value.and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
        }
        let message = text(self.message);
        let details: Details<'_> = self.details.and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default();
        let causes = details.causes.unwrap_or_default();
        Status {
            code: self.code.and_then(|value| value.get().parse().ok()).unwrap_or_default(),
            reason: text(self.reason),
            // `storage.NewTooLargeResourceVersionError` in k8s.io/apiserver.
            ahead: causes.iter().any(|cause| &*cause.reason == "ResourceVersionTooLarge")
                || message.starts_with("Too large resource version"),
            message,
            retry_after: (details.retry_after_seconds > 0).then_some(details.retry_after_seconds),
        }
    }
}

impl Status {
    /// Reads the body of an answer, when it is a `Status`.
    pub(crate) fn read(body: &str) -> Option<Self> {
        let object = Object::read(body)?;
        let is_status = object.kind.is_some_and(|kind| kind.get() == "\"Status\"");
        is_status.then(|| object.status())
    }
}

/// How every line of an API server begins.
const HEAD: &str = "{\"type\":\"";
const OBJECT: &str = "\",\"object\":";

/// Reads a watch line; `None` when it is none.
pub(crate) fn read(line: &str) -> Option<(LineType, Object<'_>)> {
    let line = line.trim_ascii();
    // As the API server writes it the object is found without parsing it twice.
    let quick = line.strip_prefix(HEAD).and_then(|rest| rest.split_once('"')).and_then(|(name, _)| {
        let object = line[HEAD.len() + name.len()..].strip_prefix(OBJECT)?.strip_suffix('}')?;
        Some((LineType::of(name)?, Object::read(object)?))
    });
    quick.or_else(|| {
        #[derive(Deserialize)]
        struct Envelope<'a> {
            #[serde(borrow, rename = "type")]
            kind: Text<'a>,
            #[serde(borrow)]
            object: &'a RawValue,
        }
        let envelope: Envelope<'_> = serde_json::from_str(line).ok()?;
        Some((LineType::of(&envelope.kind)?, Object::read(envelope.object.get())?))
    })
}

/// One page of a list, its items unread.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<'a> {
    #[serde(borrow, default)]
    pub(crate) kind: Text<'a>,
    #[serde(borrow)]
    pub(crate) metadata: ListMetadata<'a>,
    // Go writes an empty list as `null`.
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

/// The part of `ListMeta` that paging needs.
#[derive(Debug, Deserialize)]
pub(crate) struct ListMetadata<'a> {
    #[serde(borrow, default, rename = "resourceVersion")]
    pub(crate) resource_version: Text<'a>,
    #[serde(borrow, default, rename = "continue")]
    pub(crate) continue_token: Text<'a>,
}

impl<'a> Page<'a> {
    /// Reads a page; `None` when it is none.
    pub(crate) fn read(body: &'a str) -> Option<Self> {
        let page: Self = serde_json::from_str(body).ok()?;
        // Without a version nothing can be watched from it.
        (page.kind.ends_with("List") && !page.metadata.resource_version.is_empty()).then_some(page)
    }

    /// The items, as far as they are objects.
    pub(crate) fn items(&self) -> impl Iterator<Item = Object<'a>> {
        self.items.iter().flatten().filter_map(|raw| Object::read(raw.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_however_they_are_spaced() {
        let object = r#"{"kind":"Pod","metadata":{"name":"a","uid":"u1","resourceVersion":"7","labels":{"x":"}"}}}"#;
        check(&format!(r#"{{"type":"ADDED","object":{object}}}"#), Some((LineType::Added, "a", "7")));
        check(&format!(r#"{{ "type" : "DELETED", "object" : {object} }}"#), Some((LineType::Deleted, "a", "7")));
        check(&format!(r#"{{"object":{object},"type":"MODIFIED"}}"#), Some((LineType::Modified, "a", "7")));
        check(&format!(r#"{{"type":"ADDED","object":{object},"more":1}}"#), Some((LineType::Added, "a", "7")));
        check(
            r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9","creationTimestamp":null}}}"#,
            Some((LineType::Bookmark, "", "9")),
        );
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for text in ["", "<html>", r#"{"type":"ADDED","object":{"metadata":{"na"#, r#"{"type":"NEW","object":{}}"#, "{}"] {
            check(text, None);
        }
    }

    #[test]
    fn status_is_read_only_where_it_is_one() {
        let (_, object) = read(r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"#).unwrap();
        assert_eq!(object.status().code, 410);
        assert!(
            Object::read(r#"{"kind":"Widget","code":{"a":1},"reason":[],"details":"none"}"#).is_some(),
            "fields of others may be anything"
        );
    }

    #[track_caller]
    fn check(line: &str, want: Option<(LineType, &str, &str)>) {
        let got = read(line);
        let got = got.as_ref().map(|(kind, object)| (*kind, &*object.metadata.name, &*object.metadata.resource_version));
        assert_eq!(got, want, "{line}");
    }
}

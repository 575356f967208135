//! What goes in: one JSON value, read into what it means without copying its text.
//!
//! Understood are Events of `v1`, `events.k8s.io/v1` and `events.k8s.io/v1beta1`; objects of any other kind; watch envelopes
//! (`{"type", "object"}`, with or without `receivedAt`); `List`s of mixed kinds; the control lines of a recording; and Faro's own
//! `event` and `object` records. [`Framer`] cuts a byte stream into such values, [`read`] reads one.
//!
//! # Example
//!
//! ```
//! use faro_core::input::{self, Body};
//!
//! let item = input::read(r#"{"type":"MODIFIED","object":{"apiVersion":"v1","kind":"Event",
//!     "metadata":{"name":"web-1.17a","namespace":"shop"},"involvedObject":{"kind":"Pod","name":"web-1"},
//!     "reason":"BackOff","count":5}}"#)?;
//! assert!(matches!(item.body, Body::Event(event) if event.reason() == "BackOff"));
//! # Ok::<(), input::Malformed>(())
//! ```

mod control;
mod document;
mod enveloped;
mod frame;
mod malformed;
mod own;
mod reference;
mod text;
mod yaml;

pub use control::{Control, Gap, Position};
pub use document::Source;
pub use frame::{DEFAULT_LIMIT, Frame, Framer, Frames, Holder};
pub use malformed::{Cause, Malformed};
pub use reference::Reference;
use text::ManagedFields;
pub use text::{Fields, Text};
pub use yaml::{YamlFramer, looks_like_yaml, to_json};

use crate::time::Nanos;
pub(crate) use document::Document;
use document::{Metadata, OwnerReference};
use serde_json::value::RawValue;
pub(crate) use text::Moment;

/// One value of the input.
#[derive(Debug)]
pub struct Item<'a> {
    /// When a watch delivered it (`receivedAt`), or when Faro did that printed it (`timestamp`).
    pub observed: Option<Nanos>,
    /// Whether the moment of delivery is known, so that the input is a stream; else it is part of a list.
    pub timed: bool,
    /// What the envelope says happened.
    pub change: Change,
    /// How that is known.
    pub origin: Origin,
    /// The cluster's name, when the envelope gives one.
    pub cluster: Text<'a>,
    /// The collection, when the envelope gives one.
    pub gvr: Text<'a>,
    /// What it is.
    pub body: Body<'a>,
}

/// What an envelope says happened to its object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// No envelope: the object as a list shows it.
    Bare,
    /// `ADDED`
    Added,
    /// `MODIFIED`
    Modified,
    /// `DELETED`
    Deleted,
}

/// How a watch knows of a change.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Origin {
    /// The API server sent it.
    #[default]
    Watch,
    /// A relist showed it, and no watch event carried it (`synthesized`).
    Relist,
    /// The object goes on, but no longer matches what is selected (`leftSelector`).
    Selector,
    /// Both: a relist showed it.
    RelistSelector,
}

impl Origin {
    const fn of(synthesized: bool, left_selector: bool) -> Self {
        match (synthesized, left_selector) {
            (false, false) => Self::Watch,
            (true, false) => Self::Relist,
            (false, true) => Self::Selector,
            (true, true) => Self::RelistSelector,
        }
    }
}

/// What one value of the input is.
#[derive(Debug)]
pub enum Body<'a> {
    /// An operational event.
    Event(RawEvent<'a>),
    /// An object of any other kind.
    Object(RawObject<'a>),
    /// Several objects.
    List(List<'a>),
    /// A control point of the watch that was recorded.
    Control(Control<'a>),
    /// Something that says nothing about an object.
    Ignored(Ignored),
}

/// Values that say nothing about an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ignored {
    /// A watch bookmark: a position, no change.
    Bookmark,
    /// The `Status` with which a watch ended.
    Status,
    /// A list without items: Go writes an empty one as `null`.
    EmptyList,
    /// A record that Faro derived: `group`, `incident`, `gap`, `sync`, `summary`.
    Derived,
}

/// The objects of a `List`, still unread.
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    items: &'a RawValue,
    of_events: bool,
    // In how many lists it lies.
    depth: usize,
}

/// How deep lists may lie in lists; each level is one of recursion for whoever reads them.
const MAX_LISTS: usize = 16;

impl<'a> List<'a> {
    /// Reads every object of the list in turn.
    ///
    /// # Errors
    ///
    /// `items` is no array. What is wrong with a single item is in its place.
    pub fn items(&self) -> Result<Vec<Result<Item<'a>, Malformed>>, Malformed> {
        let raw: Vec<&'a RawValue> = serde_json::from_str(self.items.get()).map_err(|error| Malformed::from_json(&error))?;
        Ok(raw.into_iter().map(|raw| self.item(raw.get())).collect())
    }

    fn item(&self, text: &'a str) -> Result<Item<'a>, Malformed> {
        let mut item = if self.of_events { read_event(text) } else { read(text) }?;
        if let Body::List(list) = &mut item.body {
            list.depth = self.depth + 1;
            if list.depth > MAX_LISTS {
                return Err(Malformed::new(Cause::TooDeep, format!("lists lie more than {MAX_LISTS} deep in lists")));
            }
        }
        Ok(item)
    }
}

/// An Event as sent, in either API version.
#[derive(Debug)]
pub struct RawEvent<'a>(pub(crate) Box<Document<'a>>);

/// An object of any kind but Event, as sent; `spec`, `status` and `data` are unread.
#[derive(Debug)]
pub struct RawObject<'a>(pub(crate) Box<Document<'a>>);

impl<'a> RawEvent<'a> {
    /// The object that the Event is about (`involvedObject`, `regarding`).
    #[must_use]
    pub fn involved_object(&self) -> &Reference<'a> {
        &self.0.involved_object
    }

    /// Why it was reported; empty when not sent.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// What happened, for people, as sent (`message`, `note`).
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The newest of the times that the Event carries; of its metadata only where it has no other.
    #[must_use]
    pub fn newest_time(&self) -> Option<Nanos> {
        let document = &*self.0;
        let series = document.series.and_then(|series| series.last_observed_time.0);
        let own = [series, document.last_timestamp.0, document.event_time.0, document.first_timestamp.0];
        own.into_iter().max().flatten().or_else(|| document.metadata.newest())
    }
}

impl<'a> RawObject<'a> {
    /// Group and version; empty when not sent.
    #[must_use]
    pub fn api_version(&self) -> &str {
        &self.0.api_version
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// The object's namespace; empty for cluster-scoped ones.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.0.metadata.namespace
    }

    /// The object's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.metadata.name
    }

    /// The newest of all times that the object's metadata carries.
    #[must_use]
    pub fn newest_time(&self) -> Option<Nanos> {
        self.0.metadata.newest()
    }

    pub(crate) fn metadata(&self) -> &Metadata<'a> {
        &self.0.metadata
    }

    /// The controller that owns the object (`ownerReferences` with `controller: true`): kind and name.
    pub(crate) fn controller(&self) -> Option<(&str, &str)> {
        let owners: &[OwnerReference<'_>] = self.metadata().owner_references.as_deref().unwrap_or_default();
        owners.iter().find(|owner| owner.controller == Some(true)).map(|owner| (&*owner.kind, &*owner.name))
    }
}

impl Metadata<'_> {
    fn newest(&self) -> Option<Nanos> {
        [self.managed_fields.newest(), self.creation_timestamp.0, self.deletion_timestamp.0].into_iter().max().flatten()
    }
}

/// Reads one JSON value.
///
/// # Errors
///
/// The value cannot be understood; the error says why and where.
pub fn read(text: &str) -> Result<Item<'_>, Malformed> {
    let document = Document::read(text)?;
    if document.record.is_empty() {
        return if document.control.is_empty() || document.object.is_some() { item(document, false) } else { control::read(text) };
    }
    match &*document.record {
        "event" | "object" => own::read(text),
        "group" | "incident" | "gap" | "sync" | "summary" => Ok(bare(Body::Ignored(Ignored::Derived))),
        other => Err(Malformed::new(Cause::UnknownShape, format!("unknown record `{}`", other.escape_debug()))),
    }
}

/// Reads one item of a list whose kind says that it holds Events: the API server leaves out `kind` and `apiVersion` there.
///
/// # Errors
///
/// The value cannot be understood; the error says why and where.
pub fn read_event(text: &str) -> Result<Item<'_>, Malformed> {
    item(Document::read(text)?, true)
}

/// Reads a value as text.
///
/// # Errors
///
/// Some byte is no UTF-8; the error says where.
pub fn utf8(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        Malformed {
            line: before.iter().filter(|&&byte| byte == b'\n').count() + 1,
            column: before.len() - line_start + 1,
            ..Malformed::new(Cause::InvalidUtf8, format!("byte {:#04x} is no UTF-8", bytes[before.len()]))
        }
    })
}

fn bare(body: Body<'_>) -> Item<'_> {
    Item { observed: None, timed: false, change: Change::Bare, origin: Origin::Watch, cluster: Text::default(), gvr: Text::default(), body }
}

fn item(mut document: Box<Document<'_>>, of_events: bool) -> Result<Item<'_>, Malformed> {
    let Some(object) = document.object.take() else {
        let cluster = std::mem::take(&mut document.cluster);
        return Ok(Item { cluster, ..bare(body(document, of_events)?) });
    };
    let document = *document;
    let (observed, cluster, gvr) = (document.received_at.0, document.cluster, document.gvr);
    let origin = Origin::of(document.synthesized, document.left_selector);
    let enveloped = |change, body| Item { observed, timed: observed.is_some(), change, origin, cluster, gvr, body };
    let change = match &*document.type_ {
        "ADDED" => Change::Added,
        "MODIFIED" => Change::Modified,
        "DELETED" => Change::Deleted,
        "BOOKMARK" => return Ok(enveloped(Change::Bare, Body::Ignored(Ignored::Bookmark))),
        "ERROR" => return Ok(enveloped(Change::Bare, Body::Ignored(Ignored::Status))),
        other => return Err(Malformed::new(Cause::UnknownShape, format!("unknown watch event type `{}`", other.escape_debug()))),
    };
    let mut object = object.0;
    if let (Some(time), ManagedFields::None) = (document.changed_at.0, object.metadata.managed_fields) {
        // A recording keeps of the managed fields only the newest time.
        object.metadata.managed_fields = ManagedFields::Newest(time);
    }
    match body(object, false)? {
        Body::Event(event) => Ok(enveloped(change, Body::Event(event))),
        Body::Object(object) => Ok(enveloped(change, Body::Object(object))),
        Body::List(_) | Body::Control(_) | Body::Ignored(_) => {
            Err(Malformed::new(Cause::UnknownShape, "a watch envelope holds one object"))
        }
    }
}

fn body(document: Box<Document<'_>>, of_events: bool) -> Result<Body<'_>, Malformed> {
    if let Some(items) = document.items
        && (document.kind.ends_with("List") || document.metadata.name.is_empty())
    {
        return Ok(Body::List(List { items, of_events: &*document.kind == "EventList", depth: 0 }));
    }
    if document.kind.ends_with("List") && document.metadata.name.is_empty() {
        return Ok(Body::Ignored(Ignored::EmptyList));
    }
    let is_event = match &*document.kind {
        "Event" => matches!(&*document.api_version, "" | "v1" | "events.k8s.io/v1" | "events.k8s.io/v1beta1"),
        // The API server leaves out the kind of a list's items.
        "" => of_events || !document.involved_object.is_empty(),
        _ => false,
    };
    if is_event {
        return Ok(Body::Event(event(document)?));
    }
    if document.kind.is_empty() {
        return Err(Malformed::new(Cause::UnknownShape, "neither a Kubernetes object nor a record of Faro"));
    }
    if &*document.kind == "Status" && &*document.api_version == "v1" {
        return Ok(Body::Ignored(Ignored::Status));
    }
    if document.metadata.name.is_empty() {
        return Err(Malformed::missing("metadata.name"));
    }
    Ok(Body::Object(RawObject(document)))
}

fn event(document: Box<Document<'_>>) -> Result<RawEvent<'_>, Malformed> {
    if document.metadata.name.is_empty() {
        return Err(Malformed::missing("metadata.name"));
    }
    let series = document.series.and_then(|series| series.count);
    for count in [series, document.count].into_iter().flatten() {
        if count < 0 {
            return Err(Malformed::new(Cause::NegativeCount, format!("event count is negative: {count}")));
        }
        if count > i64::from(i32::MAX) {
            return Err(Malformed::new(Cause::HugeCount, format!("event count is beyond int32: {count}")));
        }
    }
    Ok(RawEvent(document))
}

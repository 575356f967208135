//! The JSON document of every shape in one pass: which fields are read, and nothing else.

use super::enveloped::Enveloped;
use super::malformed::{Cause, Malformed};
use super::reference::Reference;
use super::text::{Fields, ManagedFields, Moment, ReceivedAt, Text};
use serde::Deserialize;
use serde_json::value::RawValue;

/// `metadata`, as far as any record needs it (`ObjectMeta` of meta/v1).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Metadata<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow)]
    pub(crate) namespace: Text<'a>,
    #[serde(borrow)]
    pub(crate) uid: Text<'a>,
    #[serde(borrow)]
    pub(crate) resource_version: Text<'a>,
    pub(crate) creation_timestamp: Moment,
    pub(crate) deletion_timestamp: Moment,
    #[serde(borrow)]
    pub(crate) labels: Fields<'a>,
    #[serde(borrow)]
    pub(crate) annotations: Fields<'a>,
    #[serde(borrow)]
    pub(crate) owner_references: Option<Vec<OwnerReference<'a>>>,
    #[serde(borrow)]
    pub(crate) managed_fields: ManagedFields<'a>,
}

/// One of `metadata.ownerReferences`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct OwnerReference<'a> {
    #[serde(borrow)]
    pub(crate) kind: Text<'a>,
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow)]
    pub(crate) uid: Text<'a>,
    pub(crate) controller: Option<bool>,
}

/// Who reported (`EventSource` of core/v1).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Source<'a> {
    /// The reporting component, `kubelet`.
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub component: Text<'a>,
    /// The node it reports from.
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub host: Text<'a>,
}

impl Source<'_> {
    /// A source of which nothing was sent.
    pub(crate) const EMPTY: Self = Self { component: Text::EMPTY, host: Text::EMPTY };

    /// Tells whether neither component nor host was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.component.is_empty() && self.host.is_empty()
    }
}

/// `series` of either API version.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Series {
    pub(crate) count: Option<i64>,
    pub(crate) last_observed_time: Moment,
}

/// One document of the input. Fields of all shapes side by side; which shape it is shows afterwards.
///
/// The two API versions of Events are two views of one stored object under other names, so one field takes both.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Document<'a> {
    // Shapes.
    #[serde(borrow)]
    pub(crate) record: Text<'a>,
    #[serde(borrow)]
    pub(crate) control: Text<'a>,
    #[serde(borrow)]
    pub(crate) object: Option<Enveloped<'a>>,
    #[serde(borrow)]
    pub(crate) items: Option<&'a RawValue>,
    // Envelopes and control lines.
    pub(crate) received_at: ReceivedAt,
    pub(crate) changed_at: Moment,
    pub(crate) synthesized: bool,
    pub(crate) left_selector: bool,
    #[serde(borrow)]
    pub(crate) cluster: Text<'a>,
    #[serde(borrow)]
    pub(crate) gvr: Text<'a>,
    // Objects.
    #[serde(borrow)]
    pub(crate) api_version: Text<'a>,
    #[serde(borrow)]
    pub(crate) kind: Text<'a>,
    #[serde(borrow)]
    pub(crate) metadata: Metadata<'a>,
    #[serde(borrow)]
    pub(crate) spec: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) status: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) data: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) binary_data: Option<&'a RawValue>,
    // Events.
    #[serde(borrow, alias = "regarding")]
    pub(crate) involved_object: Reference<'a>,
    #[serde(borrow)]
    pub(crate) related: Option<Box<Reference<'a>>>,
    #[serde(borrow)]
    pub(crate) reason: Text<'a>,
    #[serde(borrow, rename = "type")]
    pub(crate) type_: Text<'a>,
    #[serde(borrow, alias = "note")]
    pub(crate) message: Text<'a>,
    #[serde(borrow)]
    pub(crate) action: Text<'a>,
    #[serde(borrow, alias = "deprecatedSource")]
    pub(crate) source: Option<Source<'a>>,
    #[serde(borrow, alias = "reportingController")]
    pub(crate) reporting_component: Text<'a>,
    #[serde(borrow)]
    pub(crate) reporting_instance: Text<'a>,
    #[serde(alias = "deprecatedCount")]
    pub(crate) count: Option<i64>,
    pub(crate) series: Option<Series>,
    #[serde(alias = "deprecatedFirstTimestamp")]
    pub(crate) first_timestamp: Moment,
    #[serde(alias = "deprecatedLastTimestamp")]
    pub(crate) last_timestamp: Moment,
    pub(crate) event_time: Moment,
    // Whether the recorder's prefix was removed from the message before; only a record of Faro's knows.
    #[serde(skip)]
    pub(crate) combined: bool,
}

/// The fields of objects that are no Events: those may use an Event's field names for values of any type.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Lenient<'a> {
    #[serde(borrow)]
    object: Option<&'a RawValue>,
    received_at: ReceivedAt,
    #[serde(borrow)]
    changed_at: Option<&'a RawValue>,
    #[serde(borrow)]
    synthesized: Option<&'a RawValue>,
    #[serde(borrow)]
    left_selector: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    type_: Option<&'a RawValue>,
    #[serde(borrow)]
    cluster: Option<&'a RawValue>,
    #[serde(borrow)]
    gvr: Option<&'a RawValue>,
    #[serde(borrow)]
    record: Option<&'a RawValue>,
    #[serde(borrow)]
    api_version: Text<'a>,
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow)]
    spec: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    binary_data: Option<&'a RawValue>,
}

impl<'a> Document<'a> {
    /// Reads one JSON value.
    pub(crate) fn read(text: &'a str) -> Result<Box<Self>, Malformed> {
        let error = match serde_json::from_str::<Box<Self>>(text) {
            Ok(document) => return Ok(document),
            Err(error) => error,
        };
        let refused = Malformed::from_json(&error);
        let perhaps_another_kind = matches!(refused.cause, Cause::WrongType | Cause::BadTime);
        let lenient = if perhaps_another_kind { Self::read_leniently(text, false) } else { None };
        lenient.map(Box::new).ok_or(refused)
    }

    fn read_leniently(text: &'a str, enveloped: bool) -> Option<Self> {
        let lenient: Lenient<'a> = serde_json::from_str(text).ok()?;
        // What lies in an envelope is no envelope, or depth would be up to the sender.
        if let Some(object) = lenient.object
            && !enveloped
        {
            let document = Self::read_leniently(object.get(), true)?;
            let string = |raw: Option<&'a RawValue>| raw.map_or_else(|| Some(Text::default()), |raw| serde_json::from_str(raw.get()).ok());
            let flag = |raw: Option<&'a RawValue>| raw.map_or(Some(false), |raw| serde_json::from_str(raw.get()).ok());
            return Some(Self {
                object: Some(Enveloped(Box::new(document))),
                received_at: lenient.received_at,
                changed_at: lenient.changed_at.map_or(Some(Moment::default()), |raw| serde_json::from_str(raw.get()).ok())?,
                synthesized: flag(lenient.synthesized)?,
                left_selector: flag(lenient.left_selector)?,
                type_: string(lenient.type_)?,
                cluster: string(lenient.cluster)?,
                gvr: string(lenient.gvr)?,
                ..Self::default()
            });
        }
        let plain_object =
            lenient.record.is_none() && !lenient.kind.is_empty() && !matches!(&*lenient.kind, "Event" | "List" | "EventList");
        plain_object.then(|| Self {
            api_version: lenient.api_version,
            kind: lenient.kind,
            metadata: lenient.metadata,
            spec: lenient.spec,
            status: lenient.status,
            data: lenient.data,
            binary_data: lenient.binary_data,
            ..Self::default()
        })
    }
}

//! Only deserialising the needed fields: nothing that reads JSON can be faster than that.

use faro_core::input::Text;
use serde::Deserialize;

/// The fields of an Event that grouping needs.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the fields of core/v1 Event")]
pub struct Needed<'a> {
    #[serde(borrow)]
    pub kind: Text<'a>,
    #[serde(borrow)]
    pub reason: Text<'a>,
    #[serde(borrow)]
    pub message: Text<'a>,
    #[serde(borrow, rename = "type")]
    pub type_: Text<'a>,
    pub count: Option<i64>,
    #[serde(borrow)]
    pub first_timestamp: Text<'a>,
    #[serde(borrow)]
    pub last_timestamp: Text<'a>,
    #[serde(borrow)]
    pub event_time: Text<'a>,
    #[serde(borrow)]
    pub metadata: NeededMetadata<'a>,
    #[serde(borrow)]
    pub involved_object: NeededReference<'a>,
    #[serde(borrow)]
    pub source: NeededSource<'a>,
    #[serde(borrow)]
    pub reporting_component: Text<'a>,
}

/// The needed part of `metadata`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the fields of ObjectMeta")]
pub struct NeededMetadata<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow)]
    pub namespace: Text<'a>,
    #[serde(borrow)]
    pub uid: Text<'a>,
    #[serde(borrow)]
    pub resource_version: Text<'a>,
    #[serde(borrow)]
    pub creation_timestamp: Text<'a>,
}

/// The needed part of `involvedObject`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the fields of ObjectReference")]
pub struct NeededReference<'a> {
    #[serde(borrow)]
    pub kind: Text<'a>,
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow)]
    pub namespace: Text<'a>,
    #[serde(borrow)]
    pub uid: Text<'a>,
    #[serde(borrow)]
    pub api_version: Text<'a>,
    #[serde(borrow)]
    pub field_path: Text<'a>,
}

/// The needed part of `source`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields of EventSource")]
pub struct NeededSource<'a> {
    #[serde(borrow)]
    pub component: Text<'a>,
}

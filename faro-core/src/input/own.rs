//! Faro's own records as input: an `event` or `object` line means what its source meant.

use super::document::{Document, Metadata, Source};
use super::malformed::Malformed;
use super::reference::Reference;
use super::text::{Fields, ManagedFields, Moment, Text};
use super::{Body, Change, Item, Origin, RawObject, event};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Own<'a> {
    #[serde(borrow)]
    cluster: Text<'a>,
    #[serde(borrow)]
    gvr: Text<'a>,
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    namespace: Text<'a>,
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    uid: Text<'a>,
    #[serde(borrow)]
    resource_version: Text<'a>,
    #[serde(borrow)]
    event_type: Text<'a>,
    timestamp: Moment,
    changed_at: Moment,
    initial: bool,
    synthesized: bool,
    left_selector: bool,
    #[serde(borrow)]
    labels: Fields<'a>,
    #[serde(borrow)]
    annotations: Fields<'a>,
    #[serde(borrow)]
    involved_object: Reference<'a>,
    #[serde(borrow)]
    related: Option<Box<Reference<'a>>>,
    #[serde(borrow)]
    reason: Text<'a>,
    #[serde(borrow, rename = "type")]
    type_: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow)]
    action: Text<'a>,
    #[serde(borrow)]
    source: Option<Source<'a>>,
    #[serde(borrow)]
    reporting_component: Text<'a>,
    #[serde(borrow)]
    reporting_instance: Text<'a>,
    count: Option<i64>,
    combined: bool,
    first_seen: Moment,
    last_seen: Moment,
}

/// Reads an `event` or `object` record.
pub(super) fn read(text: &str) -> Result<Item<'_>, Malformed> {
    let own: Own<'_> = serde_json::from_str(text).map_err(|error| Malformed::from_json(&error))?;
    let is_event = &*own.gvr == "v1/events";
    let metadata = Metadata {
        name: own.name,
        namespace: own.namespace,
        uid: own.uid,
        resource_version: own.resource_version,
        labels: own.labels,
        annotations: own.annotations,
        managed_fields: own.changed_at.0.map_or(ManagedFields::None, ManagedFields::Newest),
        ..Metadata::default()
    };
    let change = match &*own.event_type {
        "DELETED" => Change::Deleted,
        "UPDATED" => Change::Modified,
        _ if own.initial => Change::Bare,
        _ => Change::Added,
    };
    let (api_version, _) = own.gvr.rsplit_once('/').unwrap_or_default();
    let document = Document {
        api_version: Text::from(api_version).into_owned(),
        kind: own.kind,
        metadata,
        involved_object: own.involved_object,
        related: own.related,
        reason: own.reason,
        type_: own.type_,
        message: own.message,
        action: own.action,
        source: own.source,
        reporting_component: own.reporting_component,
        reporting_instance: own.reporting_instance,
        count: own.count,
        first_timestamp: own.first_seen,
        last_timestamp: own.last_seen,
        combined: own.combined,
        ..Document::default()
    };
    let body = if is_event { Body::Event(event(Box::new(document))?) } else { Body::Object(RawObject(Box::new(document))) };
    let origin = Origin::of(own.synthesized, own.left_selector);
    Ok(Item { observed: own.timestamp.0, timed: false, change, origin, cluster: own.cluster, gvr: own.gvr, body })
}

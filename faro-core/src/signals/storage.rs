//! Claims and volumes.

use super::{part, reference};
use crate::input::{RawObject, Text};
use crate::time::Nanos;
use crate::topology::{Fact, Reading, Relation};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec<'a> {
    #[serde(borrow)]
    storage_class_name: Text<'a>,
    #[serde(borrow)]
    volume_name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status<'a> {
    #[serde(borrow)]
    phase: Text<'a>,
    #[serde(borrow)]
    message: Text<'a>,
    #[serde(borrow)]
    reason: Text<'a>,
}

pub(super) fn read(object: &RawObject<'_>, reading: &mut Reading) {
    let spec: Spec<'_> = part(object.0.spec);
    let status: Status<'_> = part(object.0.status);
    if !spec.storage_class_name.is_empty() {
        reading.refs.push(reference(Relation::OfClass, "StorageClass", "", &spec.storage_class_name));
    }
    let claim = object.kind() == "PersistentVolumeClaim";
    if claim && !spec.volume_name.is_empty() {
        reading.refs.push(reference(Relation::BoundTo, "PersistentVolume", "", &spec.volume_name));
    }
    let since = object.metadata().creation_timestamp.0.unwrap_or(Nanos(0));
    let fact = match (claim, &*status.phase) {
        (true, "Pending") => ("claim-pending", "no volume is bound".to_owned()),
        (true, "Lost") => ("claim-lost", "its volume is gone".to_owned()),
        (false, "Failed") => ("volume-failed", format!("{} {}", status.reason, status.message).trim().to_owned()),
        _ => return,
    };
    reading.facts.push(Fact::new(fact.0, fact.1, since));
}

//! Kinds that Faro does not know: references by kind and name, and the conditions that operators agree on.

use super::{Condition, part, reference};
use crate::input::RawObject;
use crate::topology::{Fact, Reading, Relation};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status<'a> {
    #[serde(borrow)]
    conditions: Option<Vec<Condition<'a>>>,
}

/// So many references of one object are followed.
const REFERENCES: usize = 16;

pub(super) fn read(object: &RawObject<'_>, reading: &mut Reading) {
    if let Some(Value::Object(spec)) = object.0.spec.and_then(|raw| serde_json::from_str(raw.get()).ok()) {
        for (field, value) in spec.iter().filter(|(field, _)| field.ends_with("Ref")).take(REFERENCES) {
            let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
            let kind = if field == "secretRef" { "Secret" } else { text("kind") };
            if !kind.is_empty() && !text("name").is_empty() {
                reading.refs.push(reference(Relation::RefersTo, kind, object.namespace(), text("name")));
            }
        }
    }
    let status: Status<'_> = part(object.0.status);
    let created = object.metadata().creation_timestamp.0;
    for condition in status.conditions.iter().flatten() {
        let name = match (&*condition.type_, &*condition.status) {
            ("Degraded" | "Failing" | "Stalled", "True") => "degraded",
            ("Available", "False") if object.kind() == "APIService" => "api-unavailable",
            ("Available" | "Ready", "False") => "resource-not-ready",
            _ => continue,
        };
        reading.facts.push(Fact::new(
            name,
            format!("{} is {}: {}", condition.type_, condition.status, condition.says()),
            condition.since(created),
        ));
    }
}

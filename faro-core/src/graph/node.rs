//! What objects and records say as nodes.

use super::{Label, Node, Value};
use crate::engine::ObjectState;
use crate::record::EventType;
use crate::time::Nanos;

/// An object as far as records tell.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) cluster: String,
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) state: ObjectState,
}

impl Object {
    pub(super) fn node(self, id: String) -> Node {
        let properties = vec![
            ("cluster", Value::Text(self.cluster)),
            ("kind", Value::Text(self.kind)),
            ("namespace", Value::Text(self.namespace)),
            ("name", Value::Text(self.name)),
            ("uid", Value::Text(self.uid)),
            ("state", Value::Text(self.state.name().to_owned())),
        ];
        Node { id, label: Label::Object, properties }
    }
}

/// What a record says.
pub(super) struct Report<'a> {
    pub(super) cluster: &'a str,
    pub(super) stream: &'static str,
    pub(super) event_type: EventType,
    pub(super) timestamp: Nanos,
    pub(super) reason: &'a str,
    pub(super) severity: &'static str,
    pub(super) message: String,
    pub(super) occurrences: u32,
}

impl Default for Report<'_> {
    fn default() -> Self {
        Self {
            cluster: "",
            stream: "",
            event_type: EventType::Added,
            timestamp: Nanos(0),
            reason: "",
            severity: "",
            message: String::new(),
            occurrences: 0,
        }
    }
}

impl Report<'_> {
    pub(super) fn node(self, id: String) -> Node {
        let text = |text: &str| Value::Text(text.to_owned());
        let event_type = match self.event_type {
            EventType::Added => "ADDED",
            EventType::Updated => "UPDATED",
            EventType::Deleted => "DELETED",
        };
        let properties = vec![
            ("cluster", text(self.cluster)),
            ("stream", text(self.stream)),
            ("eventType", text(event_type)),
            ("timestamp", Value::Text(self.timestamp.to_string())),
            ("reason", text(self.reason)),
            ("severity", text(self.severity)),
            ("message", Value::Text(self.message)),
            ("occurrences", Value::Integer(self.occurrences.into())),
        ];
        Node { id, label: Label::Record, properties }
    }
}

//! The elements of a graph, and what they are in JSON.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// What a node stands for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Label {
    /// An object of a cluster.
    Object,
    /// One lifecycle change, or one operational event as it was reported.
    Record,
    /// Similar events merged over a window.
    Group,
    /// One cause, with everything it explains.
    Incident,
}

impl Label {
    /// Every label.
    pub const ALL: [Self; 4] = [Self::Object, Self::Record, Self::Group, Self::Incident];

    /// Returns its name: `Object`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Object => "Object",
            Self::Record => "Record",
            Self::Group => "EventGroup",
            Self::Incident => "Incident",
        }
    }
}

/// The value of a property.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text; empty when there is none. Times are RFC 3339.
    Text(String),
    /// A count.
    Integer(i64),
    /// A share or a score.
    Real(f64),
}

/// A node or an edge.
#[derive(Clone, Debug, PartialEq)]
pub enum Element {
    /// A node; each is given once.
    Node(Node),
    /// An edge. What it connects may be given after it.
    Edge(Edge),
}

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Unique within the graph. Of an object it is its graph key, `v1/pods:shop/web-1`, after the cluster's name and `|` where it has one.
    pub id: String,
    /// What it stands for.
    pub label: Label,
    /// Names and values; nodes of one label have the same names in the same order.
    pub properties: Vec<(&'static str, Value)>,
}

/// One end of an edge.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct End {
    /// The label of the node.
    pub label: Label,
    /// Its id.
    pub id: String,
}

/// An edge.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Edge {
    /// `LIFECYCLE`, `OPERATIONAL`, `IN_GROUP`, `ROOT_CAUSE`, `AFFECTS`, `CAUSES`, or how objects depend on each other: `OWNED_BY`.
    pub type_: String,
    /// Where it begins.
    pub from: End,
    /// Where it ends.
    pub to: End,
    /// How the one leads to the other; empty for all but `CAUSES`.
    pub relation: String,
}

impl Serialize for Element {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Node(node) => {
                map.serialize_entry("record", "node")?;
                map.serialize_entry("type", node.label.name())?;
                map.serialize_entry("id", &node.id)?;
                for (name, value) in &node.properties {
                    match value {
                        Value::Text(text) if text.is_empty() => {}
                        Value::Text(text) => map.serialize_entry(name, text)?,
                        Value::Integer(number) => map.serialize_entry(name, number)?,
                        Value::Real(number) => map.serialize_entry(name, number)?,
                    }
                }
            }
            Self::Edge(edge) => {
                map.serialize_entry("record", "edge")?;
                map.serialize_entry("type", &edge.type_)?;
                map.serialize_entry("from", &edge.from.id)?;
                map.serialize_entry("to", &edge.to.id)?;
                if !edge.relation.is_empty() {
                    map.serialize_entry("relation", &edge.relation)?;
                }
            }
        }
        map.end()
    }
}

//! A graph in openCypher.
//!
//! Each statement takes many rows of one shape and stands on one line. Nodes are merged by `id`, so loading twice changes nothing, and
//! an edge may come before what it connects. Neo4j, Memgraph and the like take the statements as they are; a database with a schema
//! wants a table for each label first, with `id` as its key.

use super::{Edge, Element, End, Label, Node, Value};
use std::collections::BTreeMap;
use std::fmt::Write;

/// So many rows stand in one statement.
const ROWS: usize = 250;

/// Collects elements into statements.
#[derive(Debug, Default)]
pub struct Cypher {
    nodes: BTreeMap<Label, Vec<Node>>,
    edges: BTreeMap<(String, Label, Label), Vec<Edge>>,
}

impl Cypher {
    /// Takes one element, and appends a statement when enough are of its shape.
    pub fn write(&mut self, element: Element, to: &mut String) {
        match element {
            Element::Node(node) => {
                let rows = self.nodes.entry(node.label).or_default();
                rows.push(node);
                if rows.len() >= ROWS {
                    nodes(&std::mem::take(rows), to);
                }
            }
            Element::Edge(edge) => {
                let rows = self.edges.entry((edge.type_.clone(), edge.from.label, edge.to.label)).or_default();
                rows.push(edge);
                if rows.len() >= ROWS {
                    edges(&std::mem::take(rows), to);
                }
            }
        }
    }

    /// Appends what is left.
    pub fn finish(self, to: &mut String) {
        self.nodes.values().for_each(|rows| nodes(rows, to));
        self.edges.values().for_each(|rows| edges(rows, to));
    }
}

// Writing to a String does not fail.
fn nodes(rows: &[Node], to: &mut String) {
    let Some(first) = rows.first() else { return };
    to.push_str("UNWIND [");
    for (place, row) in rows.iter().enumerate() {
        to.push_str(if place == 0 { "{id: " } else { ", {id: " });
        quoted(&row.id, to);
        for (name, value) in &row.properties {
            let _ = write!(to, ", {name}: ");
            match value {
                Value::Text(text) => quoted(text, to),
                Value::Integer(number) => drop(write!(to, "{number}")),
                Value::Real(number) => drop(write!(to, "{number:?}")),
            }
        }
        to.push('}');
    }
    let _ = write!(to, "] AS row MERGE (n:{} {{id: row.id}}) SET ", first.label.name());
    for (place, (name, _)) in first.properties.iter().enumerate() {
        let _ = write!(to, "{}n.{name} = row.{name}", if place == 0 { "" } else { ", " });
    }
    to.push_str(";\n");
}

fn edges(rows: &[Edge], to: &mut String) {
    let Some(Edge { type_, from: End { label: from, .. }, to: End { label: end, .. }, .. }) = rows.first() else { return };
    to.push_str("UNWIND [");
    for (place, row) in rows.iter().enumerate() {
        to.push_str(if place == 0 { "{from: " } else { ", {from: " });
        quoted(&row.from.id, to);
        to.push_str(", to: ");
        quoted(&row.to.id, to);
        to.push_str(", relation: ");
        quoted(&row.relation, to);
        to.push('}');
    }
    let (from, end) = (from.name(), end.name());
    let _ = write!(to, "] AS row MERGE (a:{from} {{id: row.from}}) MERGE (b:{end} {{id: row.to}}) MERGE (a)-[e:{type_}]->(b)");
    to.push_str(if rows.iter().any(|row| !row.relation.is_empty()) { " SET e.relation = row.relation;\n" } else { ";\n" });
}

/// Writes a string literal.
fn quoted(text: &str, to: &mut String) {
    to.push('\'');
    for c in text.chars() {
        match c {
            '\'' | '\\' => to.extend(['\\', c]),
            '\n' => to.push_str("\\n"),
            '\r' => to.push_str("\\r"),
            '\t' => to.push_str("\\t"),
            c if c.is_control() => drop(write!(to, "\\u{:04x}", u32::from(c))),
            c => to.push(c),
        }
    }
    to.push('\'');
}

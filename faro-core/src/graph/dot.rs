//! A graph in Graphviz' language.

use super::{Edge, Element, Label, Node, Value};
use std::fmt::Write;

/// How a graph begins.
pub const BEGIN: &str = "digraph faro {\n  rankdir=LR;\n  node [fontname=\"Helvetica\"];\n";

/// How it ends.
pub const END: &str = "}\n";

/// Appends one element, on a line of its own.
pub fn write(element: &Element, to: &mut String) {
    match element {
        Element::Node(node) => {
            let shape = match node.label {
                Label::Object => "box",
                Label::Record => "note",
                Label::Group => "ellipse",
                Label::Incident => "octagon",
            };
            to.push_str("  ");
            quoted(&node.id, to);
            to.push_str(" [label=");
            quoted(&title(node), to);
            // Writing to a String does not fail.
            let _ = writeln!(to, ", shape={shape}];");
        }
        Element::Edge(Edge { type_, from, to: end, relation }) => {
            to.push_str("  ");
            quoted(&from.id, to);
            to.push_str(" -> ");
            quoted(&end.id, to);
            to.push_str(" [label=");
            quoted(if relation.is_empty() { type_ } else { relation }, to);
            to.push_str("];\n");
        }
    }
}

/// What a person reads on a node.
fn title(node: &Node) -> String {
    let text = |wanted: &str| {
        let found = node.properties.iter().find(|(name, _)| *name == wanted);
        found.map_or_else(String::new, |(_, value)| match value {
            Value::Text(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Real(number) => number.to_string(),
        })
    };
    match node.label {
        Label::Object => {
            let namespace = text("namespace");
            let name = if namespace.is_empty() { text("name") } else { format!("{namespace}/{}", text("name")) };
            format!("{} {name}", text("kind"))
        }
        Label::Record if text("reason").is_empty() => text("eventType"),
        Label::Record => text("reason"),
        Label::Group => format!("{}x {}", text("count"), text("reason")),
        Label::Incident => text("title"),
    }
}

/// Writes a quoted identifier. A backslash would begin an escape of Graphviz' own.
fn quoted(text: &str, to: &mut String) {
    to.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => to.extend(['\\', c]),
            c if c.is_control() => to.push(' '),
            c => to.push(c),
        }
    }
    to.push('"');
}

//! The sample recording as a graph: whole, by the schema, and in a database.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "graph/database.rs"]
mod database;

use faro_core::graph::cypher::Cypher;
use faro_core::graph::{Element, Graph, Label, Parts, Value, dependency_types, dot};
use faro_core::{Emit, EngineConfig, Nanos, Record, Replay, input};
use faro_tests::cilium_night::{DEFAULT_SEED, truth, write};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

const ALL: Parts = Parts { object: true, event: true, group: true, incident: true };

fn night() -> Vec<Element> {
    let mut bytes = Vec::new();
    write(&mut bytes, DEFAULT_SEED).unwrap();
    graph(String::from_utf8(bytes).unwrap().lines(), Some(truth(DEFAULT_SEED).end.into()))
}

fn graph<'a>(lines: impl Iterator<Item = &'a str>, now: Option<Nanos>) -> Vec<Element> {
    let (mut elements, mut graph) = (Vec::new(), Graph::new(ALL));
    let mut replay = Replay::new(EngineConfig::default().emit(Emit::ALL), now);
    for line in lines {
        replay.feed(input::read(line).unwrap(), &mut |record: &Record<'_>| graph.record(record, &mut |element| elements.push(element)));
    }
    replay.finish(&mut |record: &Record<'_>| graph.record(record, &mut |element| elements.push(element)));
    graph.finish(replay.engine(), &mut |element| elements.push(element));
    elements
}

fn count(elements: &[Element], type_: &str) -> usize {
    elements.iter().filter(|element| matches!(element, Element::Edge(edge) if edge.type_ == type_)).count()
}

#[test]
fn every_node_is_given_once_and_every_edge_has_both_ends() {
    let elements = night();
    let mut nodes = BTreeSet::new();
    for element in &elements {
        if let Element::Node(node) = element {
            assert!(nodes.insert((node.label, node.id.clone())), "twice: {node:?}");
        }
    }
    for element in &elements {
        if let Element::Edge(edge) = element {
            for end in [&edge.from, &edge.to] {
                assert!(nodes.contains(&(end.label, end.id.clone())), "nowhere: {edge:?}");
            }
        }
    }
}

#[test]
fn both_streams_hang_on_the_objects_they_are_about() {
    let elements = night();
    let text =
        |wanted: &str| elements.iter().map(|element| serde_json::to_string(element).unwrap()).filter(|line| line.contains(wanted)).count();
    let records = text(r#""record":"node","type":"Record""#);
    assert_eq!(text(r#""stream":"lifecycle""#), count(&elements, "LIFECYCLE"));
    assert_eq!(records, count(&elements, "LIFECYCLE") + text(r#""stream":"operational""#));
    // Every report that brought news is in a group, and every group of one object hangs on it.
    let news = |element: &&Element| match element {
        Element::Node(node) => node.properties.iter().any(|(name, value)| *name == "occurrences" && matches!(value, Value::Integer(1..))),
        Element::Edge(_) => false,
    };
    assert_eq!(elements.iter().filter(news).count(), count(&elements, "IN_GROUP"));
    for type_ in ["OWNED_BY", "RUNS_ON", "SELECTS", "ROOT_CAUSE", "AFFECTS", "CAUSES"] {
        assert!(count(&elements, type_) > 0, "{type_}");
    }
}

#[test]
fn every_line_is_by_the_schema() {
    let schema = serde_json::from_str(faro_core::record::SCHEMA).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for element in night() {
        let line = serde_json::to_value(&element).unwrap();
        assert!(schema.is_valid(&line), "{line}: {:?}", schema.iter_errors(&line).next());
    }
}

#[test]
fn quotes_and_controls_cannot_end_a_name() {
    let pod = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "a"}, "reason": "x\"];\n\u{7}'}]-",
        "message": "it's \\ \"so\"\n", "involvedObject": {"kind": "Pod", "namespace": "a", "name": "b'c\"d\\"}});
    let elements = graph([pod.to_string().as_str()].into_iter(), None);
    let mut text = String::new();
    elements.iter().for_each(|element| dot::write(element, &mut text));
    for line in text.lines() {
        let plain = line.replace(r"\\", "").replace("\\\"", "");
        assert_eq!(plain.matches('"').count() % 2, 0, "{line}");
        assert!(line.ends_with("];") && !line.contains('\u{7}'), "{line}");
    }
    for line in statements(elements).lines() {
        let plain = line.replace(r"\\", "").replace(r"\'", "");
        assert_eq!(plain.matches('\'').count() % 2, 0, "{line}");
        assert!(line.ends_with(';'), "{line}");
    }
}

fn statements(elements: Vec<Element>) -> String {
    let (mut cypher, mut text) = (Cypher::default(), String::new());
    elements.into_iter().for_each(|element| cypher.write(element, &mut text));
    cypher.finish(&mut text);
    text
}

/// The tables that a database with a schema wants: one for each label and type, by what the graph holds.
fn tables(elements: &[Element]) -> String {
    let mut nodes: BTreeMap<Label, String> = BTreeMap::new();
    let mut edges: BTreeMap<String, BTreeSet<(Label, Label)>> = BTreeMap::new();
    for element in elements {
        match element {
            Element::Node(node) => {
                nodes.entry(node.label).or_insert_with(|| {
                    let mut columns = "id STRING".to_owned();
                    for (name, value) in &node.properties {
                        let type_ = match value {
                            Value::Text(_) => "STRING",
                            Value::Integer(_) => "INT64",
                            Value::Real(_) => "DOUBLE",
                        };
                        write!(columns, ", {name} {type_}").unwrap();
                    }
                    columns
                });
            }
            Element::Edge(edge) => drop(edges.entry(edge.type_.clone()).or_default().insert((edge.from.label, edge.to.label))),
        }
    }
    let mut text = String::new();
    for (label, columns) in nodes {
        writeln!(text, "CREATE NODE TABLE {}({columns}, PRIMARY KEY(id));", label.name()).unwrap();
    }
    for (type_, ends) in edges {
        let ends: Vec<String> = ends.iter().map(|(from, to)| format!("FROM {} TO {}", from.name(), to.name())).collect();
        writeln!(text, "CREATE REL TABLE {type_}({}, relation STRING);", ends.join(", ")).unwrap();
    }
    text
}

#[test]
fn a_graph_database_takes_all_of_it_and_finds_the_root() {
    let elements = night();
    let (nodes, edges): (Vec<&Element>, Vec<&Element>) = elements.iter().partition(|element| matches!(element, Element::Node(_)));
    let (nodes, edges) = (nodes.len(), edges.len());
    let mut text = tables(&elements);
    let load = statements(elements);
    // A second time changes nothing.
    text.push_str(&load);
    text.push_str(&load);
    text.push_str("MATCH (n) RETURN count(*);\nMATCH ()-[e]->() RETURN count(*);\n");
    text.push_str("MATCH (i:Incident)-[:ROOT_CAUSE]->(o:Object), (i)-[:AFFECTS]->(p:Object)<-[:OPERATIONAL]-(g:EventGroup) ");
    text.push_str("WHERE i.state = 'open' AND g.reason = 'FailedCreatePodSandBox' RETURN DISTINCT o.id;\n");
    let Some(answers) = database::ask(&text) else { return };
    assert_eq!(answers, [json!([[nodes]]), json!([[edges]]), json!([["apps/v1/daemonsets:kube-system/cilium"]])]);
}

#[test]
fn edges_between_objects_have_the_names_that_are_told() {
    let between = |element: &Element| match element {
        Element::Edge(edge) if (edge.from.label, edge.to.label) == (Label::Object, Label::Object) && edge.relation.is_empty() => {
            Some(edge.type_.clone())
        }
        Element::Edge(_) | Element::Node(_) => None,
    };
    let found: BTreeSet<String> = night().iter().filter_map(between).collect();
    assert!(found.is_subset(&dependency_types()) && found.len() > 5, "{found:?}");
}

//! The schema against a list of fields written by hand, so that neither drifts with the code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use faro_core::Family;
use faro_core::record::SCHEMA;
use serde_json::Value;
use std::collections::BTreeSet;

/// Every field of every record type, required ones with a `!`.
const FIELDS: &[(&str, &str)] = &[
    (
        "object",
        "record! cluster gvr! kind namespace name! uid resourceVersion eventType! timestamp! initial synthesized leftSelector changedAt \
         link! operational labels annotations owner changes",
    ),
    (
        "event",
        "record! cluster gvr! kind! namespace name! uid resourceVersion eventType! timestamp! initial synthesized leftSelector changedAt \
         link labels annotations involvedObject related reason type message action source reportingComponent reportingInstance count \
         occurrences! combined clamped firstSeen lastSeen severity family workload",
    ),
    (
        "group",
        "record! cluster id! version! state! previous mergedInto pattern period resource workload reason type family! severity! count! \
         events! objects firstSeen! lastSeen! message messages! summary! evicted",
    ),
    (
        "incident",
        "record! cluster id! version! state! severity! title! firstSeen! lastSeen! cause! reopened follows rootCause impact affected! \
         path evidence actions score!",
    ),
    ("gap", "record! cluster gvr! namespace from! to! cause! recovered lost"),
    ("sync", "record! cluster gvr! namespace objects! resourceVersion"),
    ("summary", "record! records! occurrences! groups! malformed late! clamped! gaps! oddities"),
    (
        "story",
        "record! cluster link! kind! namespace name! uid state! workload dependsOn neededBy dependents! changes! events! occurrences! \
         incidents",
    ),
    ("entry", "record! timestamp! stream! link! eventType! reason text severity occurrences group incident shown! why!"),
    (
        "node",
        "record! type! id! cluster kind namespace name uid state stream eventType timestamp reason severity family message occurrences \
         count code confidence title impact score firstSeen lastSeen",
    ),
    ("edge", "record! type! from! to! relation"),
];

/// Where values are given as sent, so that they may have any field.
const AS_SENT: [&str; 4] = ["involvedObject", "related", "labels", "annotations"];

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

#[test]
fn schema_is_a_schema() {
    assert!(jsonschema::draft202012::meta::is_valid(&schema()));
}

#[test]
fn every_record_has_exactly_its_fields() {
    let schema = schema();
    let types: Vec<&str> = schema["oneOf"].as_array().unwrap().iter().map(|one| one["$ref"].as_str().unwrap()).collect();
    assert_eq!(types, FIELDS.iter().map(|(name, _)| format!("#/$defs/{name}Record")).collect::<Vec<_>>());
    for (name, fields) in FIELDS {
        let record = &schema["$defs"][format!("{name}Record")];
        let required: BTreeSet<&str> = record["required"].as_array().unwrap().iter().map(|field| field.as_str().unwrap()).collect();
        let given: BTreeSet<String> = record["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(|field| format!("{field}{}", if required.contains(&**field) { "!" } else { "" }))
            .collect();
        assert_eq!(given, fields.split_whitespace().map(str::to_owned).collect(), "{name}");
        assert_eq!(record["properties"]["record"]["const"], *name);
    }
}

#[test]
fn nothing_unknown_is_allowed_but_in_what_is_given_as_sent() {
    let schema = schema();
    walk("", &schema, &mut |name, node| {
        if node["type"] == "object" && !AS_SENT.contains(&name) {
            assert_eq!(node["additionalProperties"], false, "{name}");
        }
    });
}

#[test]
fn every_field_is_described() {
    let schema = schema();
    walk("", &schema, &mut |_, node| {
        for (field, what) in node["properties"].as_object().into_iter().flatten() {
            assert!(what["description"].as_str().is_some_and(|text| text.ends_with('.') || text.ends_with('`')), "{field}: {what}");
        }
    });
}

#[test]
fn families_are_those_of_the_code() {
    let names: Vec<&str> = Family::ALL.iter().map(|family| family.name()).collect();
    assert_eq!(schema()["$defs"]["family"]["enum"], serde_json::json!(names));
}

#[test]
fn unknown_fields_and_types_are_refused() {
    let validator = jsonschema::options().should_validate_formats(true).build(&schema()).unwrap();
    let good = serde_json::json!({"record": "sync", "gvr": "v1/pods", "objects": 3});
    assert!(validator.is_valid(&good));
    for (field, value) in
        [("record", "snyc".into()), ("objects", (-1).into()), ("more", 1.into()), ("gvr", Value::Null), ("namespace", "".into())]
    {
        let mut bad = good.clone();
        bad[field] = value;
        assert!(!validator.is_valid(&bad), "{bad}");
    }
}

/// Visits every object of the schema with the name of the property that it is the schema of.
fn walk(name: &str, node: &Value, visit: &mut impl FnMut(&str, &Value)) {
    visit(name, node);
    match node {
        Value::Object(fields) => fields.iter().for_each(|(name, node)| walk(name, node, visit)),
        Value::Array(nodes) => nodes.iter().for_each(|node| walk(name, node, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

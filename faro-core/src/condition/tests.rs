use super::*;
use crate::input::{self, Body};
use crate::time::Nanos;
use proptest::prelude::*;

const EVENT_JSON: &str = r#"{"kind":"Event","metadata":{"name":"api-1.17a","namespace":"pay","labels":{"team":"a"}},
    "involvedObject":{"kind":"Pod","namespace":"pay","name":"api-1"},"reason":"BackOff","type":"Warning","count":5,
    "message":"Back-off restarting failed container app","source":{"component":"kubelet"},
    "firstTimestamp":"2025-09-12T21:00:00Z","lastTimestamp":"2025-09-12T21:10:00Z"}"#;

#[test]
fn every_field_of_a_report_is_there() {
    for holds in [
        "event.count > 3 && event.involvedObject.name.startsWith('api-')",
        "event.reason in ['BackOff', 'Failed'] && event.type == 'Warning'",
        "event.namespace == 'pay' && event.name.endsWith('17a') && event.source.component == 'kubelet'",
        "event.labels.team == 'a' && event.labels['team'] == 'a' && 'team' in event.labels",
        "has(event.reason) && !has(event.action) && !has(event.labels.tier)",
        "timestamp(event.lastSeen) - timestamp(event.firstSeen) >= duration('10m')",
        "event.message.matches('(?i)back-off .* container') && !event.message.matches('^restarting')",
        "matches(event.message, 'app$')",
        "event.involvedObject == {'kind': 'Pod', 'namespace': 'pay', 'name': 'api-1'}",
        "['api-1', 'api-2'].exists(name, name == event.involvedObject.name)",
        "event.combined ? false : true",
        "size(event.message) > 10 && type(event.count) == int",
        "event.count + 1 == 6",
    ] {
        check(holds, Ok(true));
    }
}

#[test]
fn what_fails_does_not_hold() {
    check("event.action == 'Killing'", Ok(false));
    check("event.labels.tier == 'x'", Ok(false));
    check("event.count / 0 == 1", Ok(false));
    check("event.message.matches(event.namespace + '(')", Ok(false));
    check("timestamp('soon') > 0", Ok(false));
    check("event.labels.tier == 'x' || event.count == 5", Ok(true));
}

#[test]
fn wrong_names_are_named() {
    check("evnt.count > 1", Err("unknown variable `evnt`, did you mean `event`?, at character 1"));
    check("event.coutn > 1", Err("unknown field `coutn`, did you mean `count`?, at character 6"));
    check("event.involvedObject.nmae == ''", Err("unknown field `nmae`, did you mean `name`?, at character 21"));
    check("event.reason.length > 1", Err("unknown field `length`, at character 13"));
    check("event.reason.startswith('a')", Err("unknown function `startswith`, did you mean `startsWith`?, at character 24"));
    check("now() > 1", Err("unknown function `now`, at character 4"));
    check("['a'].exists(x, y == 'a')", Err("unknown variable `y`, at character 17"));
    check("Pod{name: 'a'}.name == 'a'", Err("unknown type `Pod`, at character 4"));
    check("event.message.matches('(')", Err("bad regular expression `(`: unclosed group"));
}

#[test]
fn what_is_neither_true_nor_false_is_refused() {
    for text in [
        "1",
        "'a'",
        "event.reason",
        "event.count + 1",
        "size(event.reason)",
        "[true]",
        "{}",
        "event",
        "event.labels",
        "true ? 1 : 2",
        "'a' && true",
        "['a'].map(x, x)",
        "int",
    ] {
        check(text, Err("the expression is neither true nor false"));
    }
    check("event.combined", Ok(false));
    check("true", Ok(true));
    check("!false || false", Ok(true));
}

#[test]
fn what_the_interpreter_cannot_bear_is_refused() {
    check("", Err("the expression is empty"));
    check(&" ".repeat(9_000), Err("the expression is empty"));
    check(&format!("'{}' == ''", "a".repeat(5_000)), Err("the expression has 5008 bytes, more than 4096"));
    check(&format!("{}1 > 0", "1+".repeat(1_000)), Err("the expression has 1001 operators and brackets, more than 400"));
    check(&format!("{}true{}", "[1].all(x, ".repeat(3), ")".repeat(3)), Err("loops stand more than 2 deep within each other"));
    check("event.count >", Err("mismatched input"));
    check("true true", Err("extraneous input"));
    check("for", Err("reserved identifier"));
}

#[test]
fn what_is_within_the_limits_is_borne() {
    check(&format!("{}0 > 0", "1+".repeat(398)), Ok(true));
    check(&format!("{}true{}", "(".repeat(90), ")".repeat(90)), Ok(true));
    check(&format!("{}{}0 > 0{}", "(".repeat(90), "1+".repeat(300), ")".repeat(90)), Ok(true));
    check(&format!("{}true{}", "!(".repeat(90), ")".repeat(90)), Ok(true));
    check(&format!("event.namespace in [{}'pay']", "'some-namespace', ".repeat(200)), Ok(true));
}

#[test]
fn namespace_is_a_name_like_any_other() {
    assert_eq!(
        unreserved(r#"namespace == "namespace" && a.namespace == 'it\'s namespace' && namespaces"#),
        r#"nAmespace == "namespace" && a.namespace == 'it\'s namespace' && namespaces"#
    );
    assert_eq!(
        Condition::parse("namespce == ''").unwrap_err().to_string(),
        "unknown variable `namespce`, did you mean `namespace`?, at character 1"
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,60}|[a-z.()'\"\\[\\]{}?:!&|<>=+*/%0-9 -]{0,60}") {
        if let Ok(condition) = Condition::of_report(&text) {
            let item = input::read(EVENT_JSON).unwrap();
            let Body::Event(event) = item.body else { unreachable!() };
            condition.matches(&Report::new(event, item.change, Nanos(0)));
        }
    }
}

#[track_caller]
fn check(text: &str, want: Result<bool, &str>) {
    let item = input::read(EVENT_JSON).unwrap();
    let Body::Event(event) = item.body else { unreachable!() };
    let report = Report::new(event, item.change, Nanos(i64::MAX));
    match (Condition::of_report(text), want) {
        (Ok(condition), Ok(want)) => assert_eq!(condition.matches(&report), want, "{text}"),
        (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{text}: {error}"),
        (got, want) => panic!("{text}: {got:?}, not {want:?}"),
    }
}

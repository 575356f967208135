//! What is shown: V11.

use crate::stage::{WEB_UID, at, counted, event, everything, once, play, play_with, pod, watched, with};
use faro_core::Severity;
use faro_core::condition::Condition;
use faro_core::filter::Filter;
use faro_core::severity::{Rules, UserRules};
use faro_tests::replayed::Run;
use serde_json::{Value, json};

#[test]
fn v11_filters_look_at_the_severity_that_the_rules_gave() {
    let readiness = |number: i64| {
        with(once(&format!("web-1.{number}"), number * 100), json!({"reason": "Unhealthy", "message": "Readiness probe failed: no"}))
    };
    let stream: Vec<Value> = (0..12).map(|number| watched("ADDED", number * 100, &readiness(number))).collect();
    let run = play_with(everything().filter(Filter::default().severity(Severity::High)), &stream);
    let groups = run.records("group");
    // Medium at first, high once it persists: the first version that passes is the first one printed.
    assert_eq!((&groups[0]["state"], &groups[0]["version"], &groups[0]["severity"]), (&json!("open"), &json!(1), &json!("high")));
    assert!(groups[0]["count"].as_u64() > Some(1));
    assert_eq!(groups.last().expect("a group")["count"], 12);
    assert!(run.records("event").iter().all(|event| event["severity"] == "high"));
    assert_eq!((run.summary.groups.printed, run.summary.groups.hidden), (1, 0));
}

#[test]
fn v11_type_says_nothing_about_severity() {
    let normal = event("web-1.17a", json!({"type": "Normal"}));
    let run = play_with(everything().filter(Filter::default().severity(Severity::Critical)), &[normal]);
    assert_eq!(run.records("group").len(), 1);
}

#[test]
fn v11_filters_choose_what_is_printed_not_what_is_counted() {
    let (all, some) = (play(&mixed()), filtered(Filter::default().severity(Severity::Critical)));
    assert_eq!(some.summary.occurrences.total, all.summary.occurrences.total);
    assert_eq!(some.summary.groups.total, all.summary.groups.total);
    assert_eq!(some.summary.groups.printed + some.summary.groups.hidden, some.summary.groups.total);
    assert_eq!((some.summary.groups.hidden, some.summary.occurrences.filtered), (2, 6));
}

#[test]
fn v11_filters_combine() {
    let names = |filter| {
        let mut names: Vec<String> = filtered(filter).groups().iter().map(|group| group["resource"]["name"].to_string()).collect();
        names.sort();
        names
    };
    let critical = Filter::default().severity(Severity::Critical);
    assert_eq!(names(critical.clone()), [r#""api-1""#, r#""web-1""#]);
    assert_eq!(names(critical.clone().for_object("pod", "web-1")), [r#""web-1""#]);
    assert_eq!(names(critical.clone().types(vec!["Normal".to_owned()])), [r#""api-1""#]);
    assert_eq!(names(critical.types(vec!["Normal".to_owned()]).for_object("pod", "web-1")), [""; 0]);
}

#[test]
fn v11_conditions_see_every_version_and_combine_with_the_others() {
    let many = Filter::default().where_(Condition::parse("count >= 5").expect("a condition"));
    let run = play_with(everything().filter(many), &mixed());
    assert!(run.groups().iter().all(|group| group["count"].as_u64() >= Some(5)), "{:#?}", run.groups());
    assert_eq!(run.groups().len(), 2);
    let both = Filter::default().severity(Severity::Critical).where_(Condition::parse("count >= 5").expect("a condition"));
    assert_eq!(filtered(both).groups().len(), 1);
}

#[test]
fn v11_user_rules_come_before_filters() {
    let rules = UserRules::parse("rules: [{name: calm, match: {reason: FailedCreatePodSandBox}, severity: low}]").expect("rules");
    let rules = Rules::with_user(rules);
    let config = || everything().rules(rules.clone());
    let run = play_with(config(), &[event("web-1.17a", json!({}))]);
    assert_eq!((&run.records("event")[0]["severity"], &run.groups()[0]["severity"]), (&json!("low"), &json!("low")));
    let run = play_with(config().filter(Filter::default().severity(Severity::Medium)), &[event("web-1.17a", json!({}))]);
    assert_eq!((run.records("group").len(), run.records("event").len()), (0, 0));
}

fn filtered(filter: Filter) -> Run {
    play_with(everything().filter(filter), &mixed())
}

/// A critical group of each type, one that is high and one of normal life.
fn mixed() -> Vec<Value> {
    let api = with(counted("api-1.17a", 9, 60), json!({"involvedObject": pod("api-1", ""), "type": "Normal"}));
    let probe = with(counted("web-1.17b", 5, 60), json!({"reason": "Unhealthy", "message": "Liveness probe failed: no"}));
    let pulled = with(once("web-1.17c", 0), json!({"reason": "Pulled", "type": "Normal", "message": "Container image is already present"}));
    vec![counted("web-1.17a", 1, 0), api, probe, pulled]
}

#[test]
fn group_that_was_printed_before_its_owner_was_known_is_printed_with_it() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop", "uid": WEB_UID, "resourceVersion": "5",
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d4f8", "uid": "rs", "controller": true}]}});
    let run = play(&[watched("ADDED", 0, &once("a", 0)), watched("ADDED", 1, &pod), json!({"control": "end", "receivedAt": at(60)})]);
    let told: Vec<Value> =
        run.records("group").iter().map(|group| json!([group["state"], group["workload"]["name"], group["count"]])).collect();
    assert_eq!(told, [json!(["open", null, 1]), json!(["update", "web-5d4f8", 1])]);
}

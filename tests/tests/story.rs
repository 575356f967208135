//! Stories from the sample recording, and why each record is or is not shown.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use faro_core::filter::Filter;
use faro_core::story::{Entry, Head, Line, Question, Role, Story, StoryError, Stream};
use faro_core::{Emit, EngineConfig, Nanos, Record, Replay, Severity, input};
use faro_tests::cilium_night::{DEFAULT_SEED, truth, write};
use serde_json::{Value, json};

fn question(kind: &str, name: &str) -> Question {
    Question {
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespaces: Vec::new(),
        emit: Emit { group: true, incident: true, ..Emit::default() },
        filter: Filter::default(),
        window: Nanos(300_000_000_000),
    }
}

fn tell<'a>(lines: impl Iterator<Item = &'a str>, question: Question, now: Option<Nanos>) -> Result<(Head, Vec<Entry>), StoryError> {
    let mut story = Story::new(question);
    let mut replay = Replay::new(EngineConfig::default().emit(Emit::ALL), now);
    for line in lines {
        replay.feed(input::read(line).unwrap(), &mut |record: &Record<'_>| story.record(record));
    }
    replay.finish(&mut |record: &Record<'_>| story.record(record));
    let lines = story.tell(replay.engine())?;
    let schema = serde_json::from_str(faro_core::record::SCHEMA).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let (mut head, mut entries) = (None, Vec::new());
    for line in lines {
        let value: Value = serde_json::to_value(&line).unwrap();
        assert!(schema.is_valid(&value), "{value}: {:?}", schema.iter_errors(&value).next());
        match line {
            Line::Story(told) => assert!(head.replace(*told).is_none(), "the head is told once"),
            Line::Entry(entry) => entries.push(*entry),
        }
    }
    Ok((head.unwrap(), entries))
}

fn of_the_night(question: Question) -> (Head, Vec<Entry>) {
    let mut bytes = Vec::new();
    write(&mut bytes, DEFAULT_SEED).unwrap();
    tell(String::from_utf8(bytes).unwrap().lines(), question, Some(truth(DEFAULT_SEED).end.into())).unwrap()
}

#[test]
fn a_blocked_pod_is_a_symptom_of_the_agent_that_is_down() {
    let (head, entries) = of_the_night(question("po", "search-2"));
    let part = head.incidents.iter().find(|part| part.cause.code == "cni-agent-down").unwrap();
    assert_eq!((part.role, part.state), (Role::Symptom, "open"));
    assert_eq!(part.root_cause.as_ref().map(|root| (root.kind.as_str(), root.name.as_str())), Some(("DaemonSet", "cilium")));
    assert_eq!(part.path.last().map(|step| step.to.as_str()), Some(head.incidents[0].path.last().unwrap().to.as_str()));
    let failures: Vec<&Entry> =
        entries.iter().filter(|entry| entry.reason == "FailedCreatePodSandBox" && !entry.group.is_empty()).collect();
    assert!(failures.len() > 3);
    for failure in failures {
        assert!(failure.shown && failure.incident == part.id, "{failure:?}");
        assert!(failure.why.contains("a symptom of incident") && failure.why.contains("root DaemonSet cilium"), "{}", failure.why);
    }
    assert!(head.depends_on.iter().any(|related| related.relation == "runs-on"), "{:?}", head.depends_on);
}

#[test]
fn the_story_is_in_the_order_of_time_and_accounts_for_every_occurrence() {
    let (head, entries) = of_the_night(question("pods", "search-2"));
    assert!(entries.is_sorted_by_key(|entry| entry.timestamp));
    let told: u64 = entries.iter().filter_map(|entry| entry.occurrences).map(u64::from).sum();
    assert_eq!((told, usize::try_from(head.changes + head.events).unwrap()), (head.occurrences, entries.len()));
    // What brought news is in a group, and nothing else is.
    for entry in entries.iter().filter(|entry| entry.stream == Stream::Operational) {
        assert_eq!(entry.occurrences != Some(0), !entry.group.is_empty(), "{entry:?}");
    }
}

#[test]
fn a_workloads_story_is_its_pods_too() {
    let (head, entries) = of_the_night(question("deploy", "checkout"));
    assert_eq!((head.kind.as_str(), head.namespace.as_str(), head.state), ("Deployment", "shop", "present"));
    assert!(entries.iter().any(|entry| entry.link.starts_with("v1/pods:shop/checkout-")), "no pods");
    assert!(entries.iter().any(|entry| entry.link == "apps/v1/deployments:shop/checkout"), "not itself");
}

#[test]
fn what_hides_a_record_is_named() {
    let filter = Filter::default().severity(Severity::Critical);
    let (_, entries) = of_the_night(Question { filter, ..question("pod", "search-2") });
    let (hidden, shown): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().filter(|entry| !entry.group.is_empty()).partition(|entry| !entry.shown);
    assert!(!hidden.is_empty() && !shown.is_empty());
    assert!(hidden.iter().all(|entry| entry.why.contains("is hidden by --severity")), "{hidden:?}");
    assert!(shown.iter().all(|entry| entry.reason == "FailedCreatePodSandBox"), "{shown:?}");
    assert!(entries.iter().filter(|entry| entry.stream == Stream::Lifecycle).all(|entry| entry.why.contains("--emit object")));
}

fn event(namespace: &str, count: u32, minute: u32) -> String {
    json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "web.1", "namespace": namespace, "uid": format!("e-{namespace}")},
        "type": "Warning", "reason": "BackOff", "message": "Back-off restarting failed container", "count": count,
        "firstTimestamp": "2026-01-02T03:00:00Z", "lastTimestamp": format!("2026-01-02T03:{minute:02}:00Z"),
        "involvedObject": {"kind": "Pod", "namespace": namespace, "name": "web"}})
    .to_string()
}

#[test]
fn what_repeats_says_so() {
    let lines = [event("a", 1, 0), event("a", 3, 2), event("a", 3, 2)];
    let (head, entries) = tell(lines.iter().map(String::as_str), question("pod", "web"), None).unwrap();
    assert_eq!((head.occurrences, head.state), (3, "named"));
    assert!(entries[0].why.starts_with("opens group"), "{entries:?}");
    assert!(entries[1].why.ends_with("of 3: the same, no more than 5m after the one before"), "{entries:?}");
    assert_eq!(entries.len(), 2, "a copy of what was printed is no record");
}

#[test]
fn what_is_not_known_or_not_one_is_an_error() {
    let lines = [event("a", 1, 0), event("b", 1, 0)];
    let wrong = tell(lines.iter().map(String::as_str), question("pod", "web"), None).unwrap_err();
    assert_eq!(wrong.to_string(), "pod/web is there more than once, choose a namespace: a, b");
    let chosen = Question { namespaces: vec!["b".to_owned()], ..question("pod", "web") };
    assert_eq!(tell(lines.iter().map(String::as_str), chosen, None).unwrap().0.namespace, "b");
    let wrong = tell(lines.iter().map(String::as_str), question("svc", "web"), None).unwrap_err();
    assert_eq!(wrong.to_string(), "nothing is known of svc/web");
}

use super::*;
use crate::gvr::Link;
use crate::input::{Fields, Reference, Source, Text};
use crate::record::{EventType, FieldChange, GroupState, GroupSummary, Operational, Owner, Pattern as Spread, Resource, Summary, Uid};
use std::borrow::Cow;
use std::collections::BTreeSet;

const ALL: &[&str] = &["object", "event", "group", "node", "node-event", "node-group", "other", "summary"];

#[test]
fn without_a_setting_all_pass() {
    assert!(Filter::default().is_empty());
    check(Filter::default(), ALL);
}

#[test]
fn severity_leaves_objects_alone() {
    check(Filter::default().severity(Severity::High), &["object", "group", "node", "other", "summary"]);
}

#[test]
fn namespace_keeps_what_is_about_cluster_scoped_objects() {
    check(Filter::default().namespaces(vec!["shop".into()]), &["object", "event", "group", "node-event", "node-group", "summary"]);
}

#[test]
fn reasons_types_and_families_are_of_events_and_groups() {
    let objects = ["object", "node", "summary"];
    check(Filter::default().reasons(vec![Pattern::from("Back*")]), &["object", "event", "group", "node", "other", "summary"]);
    check(Filter::default().reasons(vec![Pattern::from("Back")]), &objects);
    check(Filter::default().types(vec!["warning".into()]), &["object", "event", "group", "node", "other", "summary"]);
    check(Filter::default().families(vec![Family::NodeDown]), &["object", "node", "node-event", "node-group", "summary"]);
}

#[test]
fn kind_is_that_of_the_involved_object() {
    check(Filter::default().kinds(&["no"]), &["node", "node-event", "node-group", "other", "summary"]);
    check(Filter::default().kinds(&["pods", "Widget"]), &["object", "event", "group", "other", "summary"]);
}

#[test]
fn object_is_found_in_its_records_its_events_and_its_workload() {
    check(Filter::default().for_object("po", "web-1"), &["object", "event", "group", "summary"]);
    check(Filter::default().for_object("deploy", "web"), &["event", "group", "other", "summary"]);
    check(Filter::default().for_object("node", "n1"), &["node", "node-event", "node-group", "summary"]);
    check(Filter::default().for_object("rs", "web"), &["summary"]);
}

#[test]
fn gvr_leaves_groups_alone() {
    check(Filter::default().gvrs(&["v1/nodes"]), &["group", "node", "node-group", "other", "summary"]);
    check(Filter::default().gvrs(&["events.k8s.io/v1/events"]), &["event", "group", "node-event", "node-group", "other", "summary"]);
}

#[test]
fn both_ends_of_a_span_belong_to_it() {
    check(Filter::default().since(Nanos(20)).until(Nanos(20)), &["event", "node-event", "summary"]);
    check(Filter::default().since(Nanos(21)), &["group", "node-group", "other", "summary"]);
    check(Filter::default().until(Nanos(19)), &["object", "node", "summary"]);
}

#[test]
fn labels_leave_groups_alone() {
    let selector = |text| Filter::default().selector(LabelSelector::parse(text).unwrap());
    check(selector("app=web"), &["object", "group", "node-group", "other", "summary"]);
    check(selector("!app"), &["event", "group", "node", "node-event", "node-group", "other", "summary"]);
}

#[test]
fn fields_leave_alone_what_lacks_them() {
    let fields = |text| Filter::default().field_selector(FieldSelector::parse(text).unwrap());
    check(fields("involvedObject.name=web-1"), &["object", "event", "group", "node", "other", "summary"]);
    check(fields("regarding.kind==Node,reason!=BackOff"), &["object", "node", "node-event", "node-group", "summary"]);
    check(fields("metadata.name=n1"), &["group", "node", "node-group", "other", "summary"]);
    check(fields("metadata.namespace!=shop"), &["group", "node", "node-event", "node-group", "other", "summary"]);
    check(fields("source=kubelet"), &["object", "event", "group", "node", "node-group", "other", "summary"]);
    check(fields("reportingController=node-controller"), &["object", "group", "node", "node-event", "node-group", "other", "summary"]);
}

#[test]
fn wrong_field_is_named() {
    let error = |text| FieldSelector::parse(text).unwrap_err().to_string();
    assert_eq!(error("involvedObject.nmae=x"), "unknown field `involvedObject.nmae`, did you mean `involvedObject.name`?");
    assert_eq!(error("spec.nodeName=x"), "unknown field `spec.nodeName`");
    assert_eq!(error("reason"), "bad selector `reason`");
}

#[test]
fn condition_leaves_alone_what_lacks_its_fields() {
    let condition = |text| Filter::default().where_(Condition::parse(text).unwrap());
    check(condition("count > 3"), &["object", "group", "node", "other", "summary"]);
    check(condition("namespace == 'shop'"), &["object", "event", "group", "node-group", "other", "summary"]);
    check(condition("type == 'Warning' && !evicted"), &["object", "event", "group", "node", "node-event", "other", "summary"]);
    check(condition("workload.kind == 'Deployment'"), &["object", "event", "group", "node", "other", "summary"]);
    check(condition("labels.app == 'web'"), &["object", "group", "node-group", "other", "summary"]);
    check(condition("resource.name.matches('^web')"), &["object", "event", "group", "node", "node-event", "summary"]);
    check(
        condition("timestamp(lastSeen) > timestamp('1970-01-01T00:00:00.000000020Z')"),
        &["object", "group", "node", "node-group", "other", "summary"],
    );
}

#[test]
fn every_setting_must_hold() {
    let filter = Filter::default().severity(Severity::High).namespaces(vec!["shop".into()]).kinds(&["pod"]);
    check(filter.where_(Condition::parse("count > 100").unwrap()), &["object", "summary"]);
}

#[test]
fn every_field_of_a_record_is_a_variable() {
    with_records(|name, record| {
        let fields = serde_json::to_value(record).unwrap();
        for field in fields.as_object().unwrap().keys().filter(|_| name != "summary") {
            assert!(Condition::parse(&format!("{field} == {field}")).is_ok(), "{field} of {name}");
        }
    });
}

/// Asserts which of the sample records pass.
#[track_caller]
fn check(filter: Filter, want: &[&str]) {
    let mut passed = BTreeSet::new();
    with_records(|name, record| {
        if filter.passes(record) {
            passed.insert(name);
        }
    });
    assert_eq!(passed, want.iter().copied().collect());
}

fn with_records(mut each: impl FnMut(&'static str, &Record<'_>)) {
    let app = Fields(vec![(Text::from("app"), Text::from("web"))]);
    let none = Fields::default();
    let pod = Reference::new("Pod", "shop", "web-1", "u1", "v1");
    let node = Reference::new("Node", "", "n1", "n1", "");
    let nothing = Reference::default();
    let kubelet = Source { component: Text::from("kubelet"), host: Text::from("n1") };
    let nobody = Source::default();
    let workload = || Workload { kind: Cow::Borrowed("Deployment"), namespace: Cow::Borrowed("shop"), name: Cow::Borrowed("web") };
    let pods = Gvr { api_version: "v1", resource: "pods" };
    let nodes = Gvr { api_version: "v1", resource: "nodes" };
    let object = |gvr, kind, namespace, name, labels| {
        Record::Object(ObjectRecord {
            cluster: "c",
            gvr,
            kind,
            namespace,
            name,
            uid: "u",
            resource_version: "1",
            event_type: EventType::Updated,
            timestamp: Nanos(10),
            initial: true,
            synthesized: true,
            left_selector: true,
            changed_at: Some(Nanos(1)),
            link: Link { gvr, namespace, name },
            operational: vec![Operational {
                reason: "BackOff".into(),
                family: Family::CrashLoop,
                severity: Severity::High,
                count: 1,
                last_seen: Nanos(1),
            }],
            labels,
            annotations: &app,
            owner: Some(Owner { kind: "ReplicaSet", name: "web-5d" }),
            changes: vec![FieldChange { path: "spec".into(), from: None, to: None }],
        })
    };
    let event = |namespace, name, involved_object, source, reporting_component, reason, family, gvr, workload| {
        Record::Event(EventRecord {
            cluster: "c",
            gvr: Gvr::EVENTS,
            kind: "Event",
            namespace,
            name,
            uid: "u",
            resource_version: "1",
            event_type: EventType::Added,
            timestamp: Nanos(30),
            initial: false,
            synthesized: false,
            left_selector: false,
            changed_at: None,
            link: Some(Link { gvr, namespace, name }),
            labels: &none,
            annotations: &none,
            involved_object,
            related: &nothing,
            reason,
            type_: if family == Family::NodeDown { "Normal" } else { "Warning" },
            message: "m",
            action: "",
            source,
            reporting_component,
            reporting_instance: "",
            count: Some(3),
            occurrences: 1,
            combined: false,
            clamped: false,
            first_seen: Some(Nanos(5)),
            last_seen: Some(Nanos(20)),
            severity: Some(Severity::Medium),
            family: Some(family),
            workload,
        })
    };
    let group = |resource, workload, reason, family, severity, evicted| {
        Record::Group(GroupRecord {
            cluster: "c",
            id: 1,
            version: 1,
            shown_before: false,
            state: GroupState::Open,
            previous: Some(2),
            merged_into: Some(3),
            pattern: Some(Spread::Periodic),
            period: Some(1.5),
            resource,
            workload,
            reason,
            type_: if family == Family::NodeDown { "Normal" } else { "Warning" },
            family,
            severity,
            count: if family == Family::NodeDown { 2 } else { 9 },
            events: 1,
            objects: Some(1),
            first_seen: Nanos(5),
            last_seen: Nanos(40),
            message: "m",
            messages: 1,
            summary: GroupSummary(9),
            evicted,
        })
    };
    let resource = |kind, namespace, name| Some(Resource { kind, namespace, name, uid: Uid::from("u"), api_version: "v1" });
    each("object", &object(pods, "Pod", "shop", "web-1", &app));
    each("event", &event("shop", "web-1.17a", &pod, &kubelet, "", "BackOff", Family::CrashLoop, pods, Some(workload())));
    each("group", &group(resource("Pod", "shop", "web-1"), Some(workload()), "BackOff", Family::CrashLoop, Severity::Critical, false));
    each("node", &object(nodes, "Node", "", "n1", &none));
    each("node-event", &event("default", "n1.17a", &node, &nobody, "node-controller", "NodeNotReady", Family::NodeDown, nodes, None));
    each("node-group", &group(resource("Node", "", "n1"), None, "NodeNotReady", Family::NodeDown, Severity::Medium, true));
    let mut other = workload();
    other.namespace = Cow::Borrowed("pay");
    each("other", &group(None, Some(other), "BackOff", Family::CrashLoop, Severity::High, false));
    each("summary", &Record::Summary(Summary::default()));
}

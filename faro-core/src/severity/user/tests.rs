use super::*;
use crate::input::{self, Body};
use crate::severity::{RuleId, Rules};
use crate::time::Nanos;
use proptest::prelude::*;

const POD: &str = r#""involvedObject":{"kind":"Pod","namespace":"pay","name":"api-1"},"source":{"component":"kubelet"}"#;

#[test]
fn first_rule_that_matches_decides() {
    let rules = "rules:
  - {name: a, match: {reason: BackOff, namespace: other}, severity: info}
  - {name: b, match: {reason: [Failed, BackOff], namespace: 'pa*'}, severity: low}
  - {name: c, match: {reason: 'Back*'}, severity: high}
  - {name: d, severity: medium}";
    check(rules, "BackOff", "Back-off restarting failed container", (Severity::Low, Family::CrashLoop));
    check(rules, "BackingOff", "", (Severity::High, Family::Other));
    check(rules, "Whatever", "", (Severity::Medium, Family::Other));
}

#[test]
fn rules_with_and_without_a_reason_keep_their_order() {
    let rules = "rules:
  - {name: any, match: {kind: Node}, severity: info}
  - {name: named, match: {reason: BackOff}, severity: low}
  - {name: later, match: {kind: Pod}, severity: high}";
    check(rules, "BackOff", "", (Severity::Low, Family::Container));
    check(&rules.replace("kind: Node", "kind: Pod"), "BackOff", "", (Severity::Info, Family::Container));
}

#[test]
fn what_a_rule_leaves_out_stays() {
    check("rules: [{name: a, match: {reason: Evicted}, family: quota}]", "Evicted", "", (Severity::High, Family::Quota));
    check("rules: [{name: a, match: {reason: Evicted}, severity: low}]", "Evicted", "", (Severity::Low, Family::Eviction));
    check("rules: [{name: a, match: {reason: Evicted}}]", "Evicted", "", (Severity::High, Family::Eviction));
    check("rules: []", "Evicted", "", (Severity::High, Family::Eviction));
    check("# nothing yet", "Evicted", "", (Severity::High, Family::Eviction));
}

#[test]
fn every_condition_must_hold() {
    let of = |condition: &str| format!("rules: [{{name: a, match: {{{condition}}}, severity: low}}]");
    let (low, critical) = ((Severity::Low, Family::CrashLoop), (Severity::Critical, Family::CrashLoop));
    let message = "Back-off restarting failed container app\nin pod api-1";
    for (condition, want) in [
        ("family: crash-loop", low),
        ("family: [oom, image-pull]", critical),
        ("type: Warning", low),
        ("type: Normal", critical),
        ("component: kube*", low),
        ("component: scheduler", critical),
        ("kind: [Node, Pod]", low),
        ("kind: Node", critical),
        ("message: 'Back-off .* api-1'", low),
        ("message: 'Back-off'", critical),
        ("message: 'x|Back-off'", critical),
        ("namespace: 'p*', kind: Pod, message: '.*app.*'", low),
        ("namespace: 'p*', kind: Pod, message: '.*db.*'", critical),
    ] {
        check(&of(condition), "BackOff", message, want);
    }
}

#[test]
fn condition_is_looked_at_last() {
    check(
        "rules: [{name: a, match: {reason: BackOff}, when: event.count > 4, severity: low}]",
        "BackOff",
        "Back-off pulling image x",
        (Severity::Low, Family::ImagePull),
    );
    check(
        "rules: [{name: a, match: {reason: BackOff}, when: event.count > 5, severity: low}]",
        "BackOff",
        "Back-off pulling image x",
        (Severity::Critical, Family::ImagePull),
    );
    check(
        "rules: [{name: a, match: {reason: BackOff}, when: event.labels.x == '', severity: low}]",
        "BackOff",
        "Back-off pulling image x",
        (Severity::Critical, Family::ImagePull),
    );
}

#[test]
fn escalations_of_the_catalogue_end_where_a_rule_sets_the_severity() {
    let steps = |rules: &str| {
        let rules = Rules::with_user(UserRules::parse(rules).unwrap());
        let rule = judge(&rules, "NodeNotReady", "").rule;
        (rules.escalations(rule).to_vec(), rules.opposite(rule).map(str::to_owned))
    };
    let builtin = Rules::builtin();
    let base = judge(&builtin, "NodeNotReady", "").rule;
    let (own, opposite) = (builtin.escalations(base).to_vec(), builtin.opposite(base).map(str::to_owned));
    assert_eq!(opposite.as_deref(), Some("NodeReady"));
    assert_eq!(steps("rules: [{name: a, family: node}]"), (own, opposite.clone()));
    assert_eq!(steps("rules: [{name: a, severity: low}]"), (Vec::new(), opposite.clone()));
    let step = Escalation { after: Some(10), within: Some(Nanos(300_000_000_000)), lasting: None, objects: None, to: Severity::Critical };
    assert_eq!(steps("rules: [{name: a, severity: low, escalate: [{after: 10, within: 5m, to: critical}]}]"), (vec![step], opposite));
}

#[test]
fn readiness_keeps_its_escalation_under_a_rule_that_names_the_family() {
    let rules = Rules::with_user(UserRules::parse("rules: [{name: a, match: {reason: Unhealthy}, family: network}]").unwrap());
    let verdict = judge(&rules, "Unhealthy", "Readiness probe failed: x");
    assert_eq!((verdict.severity, verdict.family), (Severity::Medium, Family::Network));
    assert!(rules.escalations(verdict.rule).iter().any(|step| step.to == Severity::High));
    assert_eq!(RuleId::from_index(verdict.rule.index()), verdict.rule);
}

#[test]
fn every_id_of_the_largest_file_fits() {
    let text: String =
        (0..MAX_RULES).map(|number| format!("  - {{name: r{number}, match: {{reason: R{number}}}, severity: low}}\n")).collect();
    let rules = Rules::with_user(UserRules::parse(&format!("rules:\n{text}")).unwrap());
    let last = judge(&rules, &format!("R{}", MAX_RULES - 1), "");
    assert_ne!(last.rule, RuleId::DEFAULT);
    assert!(rules.largest_id() <= usize::from(u16::MAX), "{}", rules.largest_id());
    wrong(&format!("rules:\n{text}  - {{name: more}}\n"), "line 514, column 12: more than 512 rules");
}

#[test]
fn other_rules_have_another_fingerprint() {
    let of = |text| Rules::with_user(UserRules::parse(text).unwrap()).fingerprint();
    assert_ne!(of("rules: [{name: a, severity: low}]"), of("rules: [{name: a, severity: high}]"));
    assert_eq!(of("rules: [{name: a, severity: low}]"), of("rules: [{name: a, severity: low}]"));
    assert_eq!(of("rules: []"), Rules::builtin().fingerprint());
}

#[test]
fn mistakes_are_shown_where_they_are() {
    wrong("rules:\n  - name: a\n    serverity: low", "line 3, column 5: unknown key `serverity`, did you mean `severity`?");
    wrong("rules:\n  - name: a\n    severity: hihg", "line 3, column 15: unknown value `hihg`, did you mean `high`?");
    wrong("rules:\n  - name: a\n    family: crashloop", "line 3, column 13: unknown value `crashloop`, did you mean `crash-loop`?");
    wrong("rules:\n  - name: a\n    match: {reson: BackOff}", "line 3, column 13: unknown key `reson`, did you mean `reason`?");
    wrong("rules:\n  - name: a\n    match: {type: warning}", "line 3, column 19: unknown value `warning`, did you mean `Warning`?");
    wrong(
        "rules:\n  - name: a\n    match: {family: [oom, nodedown]}",
        "line 3, column 27: unknown value `nodedown`, did you mean `node-down`?",
    );
    wrong("rules:\n  - severity: low", "line 2, column 5: no `name`");
    wrong("rule: []", "line 1, column 1: unknown key `rule`, did you mean `rules`?");
    wrong("rules:\n  - name: a\n  - name: a", "line 3, column 11: two rules are named `a`");
    wrong("rules:\n  - name: ''", "line 2, column 11: `name`: the name is empty");
    wrong("rules:\n  - name: a\n    match: {message: '('}", "line 3, column 22: `message`: bad regular expression `(`: unclosed group");
    wrong(
        "rules:\n  - name: a\n    match: {message: 'a)(b'}",
        "line 3, column 22: `message`: bad regular expression `a)(b`: unopened group",
    );
    wrong(
        "rules:\n  - name: a\n    when: event.coutn > 1",
        "line 3, column 11: `when`: unknown field `coutn`, did you mean `count`?, at character 6",
    );
    wrong("rules:\n  - name: a\n    when: event.count", "line 3, column 11: `when`: the expression is neither true nor false");
    wrong("rules:\n  - name: a\n    when: count > 1", "line 3, column 11: `when`: unknown variable `count`, at character 1");
    wrong("rules:\n  - name: a\n    escalate: [{for: 5min, to: high}]", "unknown unit `min` in duration `5min`");
    wrong("rules:\n  - name: a\n    escalate: [{after: 5, untill: 5m, to: high}]", "line 3, column 27: unknown key `untill`");
    wrong(
        "rules:\n  - name: a\n    examples: [{event: {reason: X, count: -1}}]",
        "line 3, column 24: `event`: negative-count: event count is negative: -1",
    );
    wrong("rules:\n  - name: a\n    examples: [{event: {kind: Pod}}]", "line 3, column 24: `event`: not an Event");
    wrong("rules:\n  - name: a\n    match: {reason: []}", "the list is empty");
    wrong("rules:\n  - name: a\n   severity: low", "line 3");
}

#[test]
fn examples_say_what_they_found() {
    let outcomes = UserRules::parse(
        "rules:
  - name: a
    match: {reason: BackOff}
    when: event.count > 3
    severity: low
    examples:
      - event: {reason: BackOff, message: Back-off pulling image x, count: 4}
        severity: low
        family: image-pull
        matches: true
      - event: {reason: BackOff, message: Back-off pulling image x, count: 3}
        severity: low
      - event: {reason: Started}
        matches: false",
    )
    .unwrap()
    .run_examples();
    let shown: Vec<_> = outcomes.iter().map(|outcome| (outcome.line, outcome.ok, &*outcome.expected, &*outcome.got)).collect();
    assert_eq!(
        shown,
        [
            (7, true, "severity low, family image-pull, by rule a", "severity low, family image-pull, by rule a"),
            (11, false, "severity low", "severity critical, family image-pull, by no rule of this file"),
            (13, true, "by not rule a", "severity info, family lifecycle, by no rule of this file"),
        ]
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,60}|(rules:\n)?( {0,6}(- )?(name|match|when|severity|escalate|examples|event|reason|message)?: ?[\\[{&*!|>'\"a-z(]{0,6}[\\]}]?\n){0,8}") {
        let _ = UserRules::parse(&text);
    }
}

#[track_caller]
fn wrong(text: &str, part: &str) {
    let error = UserRules::parse(text).unwrap_err().to_string();
    assert!(error.contains(part), "{error}\n  not: {part}");
}

#[track_caller]
fn check(rules: &str, reason: &str, message: &str, want: (Severity, Family)) {
    let verdict = judge(&Rules::with_user(UserRules::parse(rules).unwrap()), reason, message);
    assert_eq!((verdict.severity, verdict.family), want, "{reason}: {rules}");
}

fn judge(rules: &Rules, reason: &str, message: &str) -> crate::severity::Verdict {
    let message = serde_json::to_string(message).unwrap();
    let json = format!(
        r#"{{"kind":"Event","metadata":{{"name":"e","namespace":"pay"}},"reason":"{reason}","type":"Warning","message":{message},"count":5,{POD}}}"#
    );
    let item = input::read(&json).unwrap();
    let Body::Event(event) = item.body else { unreachable!() };
    rules.judge(&Report::new(event, item.change, Nanos(0)))
}

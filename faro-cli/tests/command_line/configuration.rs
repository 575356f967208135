//! Wrong files of `watch` are found before anything starts: W3.

use crate::Shell;

#[test]
fn w3_wrong_configuration_is_refused_before_anything_starts() {
    let resources = |more: &str| format!("window: 5m\nresources:\n  - gvr: v1/configmaps\n    {more}\n");
    // An unknown key.
    check(&resources("name_seletor: a"), &["faro.yaml:4: ", "unknown key `name_seletor`, did you mean `name_selector`?"]);
    check("namespaces:\n- name_selector: a\n  resorces: {}\n", &["faro.yaml:3: ", "unknown key `resorces`, did you mean `resources`?"]);
    check("resource: []\n", &["faro.yaml:1: ", "unknown option `resource`, did you mean `resources`?"]);
    check("emit: [event]\nwindwo: 5m\n", &["faro.yaml:2: ", "unknown option `windwo`, did you mean `window`?"]);
    // A collection that is none.
    check(
        "resources:\n- namespace_names: [a]\n  gvr: configmaps\n",
        &["faro.yaml:3: ", "resources[0]: `gvr`: `configmaps` is no collection"],
    );
    check("namespaces:\n- resources:\n    pods: {}\n", &["faro.yaml:3: ", "namespaces[0].resources[pods]: `gvr`: `pods` is no collection"]);
    check("window: 5m\ngvr: [pods]\n", &["faro.yaml:2: ", "--gvr", "`pods` is no collection"]);
    // A selector.
    check(&resources("label_selector: \"app in\""), &["faro.yaml:4: ", "resources[0]: `label_selector`: ", "`app in`"]);
    check(&resources("field_selector: metadata.name"), &["faro.yaml:4: ", "resources[0]: `field_selector`: `metadata.name`"]);
    check("window: 5m\nselector: \"app in (\"\n", &["faro.yaml:2: ", "--selector"]);
    check("field-selector: metadata.nmae=x\n", &["faro.yaml:1: ", "--field-selector", "did you mean `metadata.name`?"]);
    // A condition.
    check("window: 5m\nwhere: \"cuont > 3\"\n", &["faro.yaml:2: ", "--where", "`cuont`", "`count`"]);
    check("window: 5m\nwhere: \"count >\"\n", &["faro.yaml:2: ", "--where"]);
}

#[test]
fn w3_wrong_rules_are_refused_before_anything_starts() {
    let rule = |more: &str| format!("rules:\n  - name: a\n    {more}\n");
    // An unknown field, a regular expression, a condition.
    check_rules(&rule("sevrity: low"), &["rules.yaml:3:", "`sevrity`", "did you mean `severity`?"]);
    check_rules(&rule("match: {raeson: BackOff}"), &["rules.yaml:3:", "`raeson`", "did you mean `reason`?"]);
    check_rules(&rule("severity: low\n    match: {message: 'a('}"), &["rules.yaml:4:", "message"]);
    check_rules(&rule("severity: low\n    when: event.cuont > 3"), &["rules.yaml:4:", "when", "cuont"]);
    check_rules(&rule("severity: hihg"), &["rules.yaml:3:", "`hihg`", "did you mean `high`?"]);
}

#[track_caller]
fn check(config: &str, words: &[&str]) {
    let shell = Shell::new();
    shell.file("faro.yaml", config);
    check_nothing_started(&shell, &["--config", "faro.yaml"], words);
}

#[track_caller]
fn check_rules(rules: &str, words: &[&str]) {
    let shell = Shell::new();
    shell.file("rules.yaml", rules);
    check_nothing_started(&shell, &["--rules", "rules.yaml"], words);
    // The same where a file of options names it.
    shell.file("faro.yaml", "rules: rules.yaml\nresources: [{gvr: v1/pods}]\n");
    check_nothing_started(&shell, &["--config", "faro.yaml"], words);
}

/// Exit code 2 and one line, though there is neither a kubeconfig nor a cluster to fail at; and no file was made.
#[track_caller]
fn check_nothing_started(shell: &Shell, options: &[&str], words: &[&str]) {
    let arguments = ["watch", "--kubeconfig", "none.yaml", "--checkpoint", "checkpoint", "--record", "recording.ndjson"];
    let ran = shell.run(&[&arguments, options].concat());
    ran.refused(2, words);
    assert_eq!((ran.out.as_str(), ran.err.lines().count()), ("", 1), "{ran:?}");
    for made in ["checkpoint", "recording.ndjson"] {
        assert!(!shell.folder.path().join(made).exists(), "{made}");
    }
}

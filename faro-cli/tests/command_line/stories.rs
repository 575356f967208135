//! `explain` and `graph` on recordings.

use super::{Shell, event};
use serde_json::json;

#[test]
fn a_story_is_told_in_json_and_for_people() {
    let shell = Shell::new();
    shell.file("events.json", event("web-1", 3));
    let ran = shell.run(&["explain", "pod/web-1", "events.json"]);
    let records = ran.records();
    assert_eq!((&records[0]["record"], &records[0]["occurrences"]), (&json!("story"), &json!(3)));
    assert_eq!((&records[1]["record"], &records[1]["shown"]), (&json!("entry"), &json!(true)));
    let ran = shell.run(&["explain", "po/web-1", "events.json", "--severity", "critical", "-o", "text"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.starts_with("Pod web-1"), "{}", ran.out);
}

#[test]
fn an_object_that_nothing_speaks_of_is_a_failure() {
    let shell = Shell::new();
    shell.file("events.json", event("web-1", 3));
    shell.run(&["explain", "pod/web-2", "events.json"]).refused(1, &["nothing is known of pod/web-2"]);
    shell.run(&["explain", "web-1", "events.json"]).refused(2, &["KIND/NAME", "pod/web-1"]);
    shell.run(&["explain", "pod/web-1", "missing.json"]).refused(1, &["missing.json"]);
}

#[test]
fn a_graph_has_three_languages() {
    let shell = Shell::new();
    shell.file("events.json", event("web-1", 3));
    let types = |ran: &super::Ran| ran.records().iter().map(|record| record["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let all = types(&shell.run(&["graph", "events.json"]));
    assert!(all.contains(&"Record".to_owned()) && all.contains(&"IN_GROUP".to_owned()) && all.contains(&"Object".to_owned()), "{all:?}");
    let groups = types(&shell.run(&["graph", "events.json", "--emit", "group"]));
    assert!(groups.contains(&"EventGroup".to_owned()) && !groups.contains(&"Record".to_owned()), "{groups:?}");
    let dot = shell.run(&["graph", "events.json", "-o", "dot"]);
    assert!(dot.code == Some(0) && dot.out.starts_with("digraph faro {") && dot.out.ends_with("}\n"), "{dot:?}");
    let cypher = shell.run(&["graph", "events.json", "-o", "cypher"]);
    assert!(cypher.code == Some(0) && cypher.out.lines().all(|line| line.starts_with("UNWIND [") && line.ends_with(';')), "{cypher:?}");
}

//! Input that nobody should have to read.

use super::inputs::gzip;
use super::{Shell, event};
use serde_json::json;

#[test]
fn each_kind_of_bad_value_is_counted_and_the_rest_goes_on() {
    let good = event("a", 3);
    let with = |from: &str, to: &str| {
        let changed = good.replace(from, to);
        assert_ne!(changed, good, "{from}");
        changed
    };
    let deep =
        format!(r#"{{"kind":"Event","metadata":{{"name":"e"}},"involvedObject":{{"extra":{}{}}}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    let nested = format!("{}{{}}{}", "{\"object\":".repeat(5_000), "}".repeat(5_000));
    for (bad, cause) in [
        (good[..200].to_owned().into_bytes(), "truncated"),
        (b"\x00\x01\x02binary".to_vec(), "invalid-json"),
        (b"\x7fELF\xff\xfe\x80".to_vec(), "invalid-utf8"),
        (with("Back-off", "Back-\u{1}off").into_bytes(), "invalid-json"),
        ([b"{\"kind\":\"Event\",\"metadata\":{\"name\":\"".as_slice(), b"\xff\xfe", b"\"}}"].concat(), "invalid-utf8"),
        (with("\"count\":3", "\"count\":\"3\"").into_bytes(), "wrong-type"),
        (with("\"message\":\"Back-off restarting failed container app in pod web-1\"", "\"message\":{}").into_bytes(), "wrong-type"),
        (with("\"metadata\":{", "\"metadata\":7,\"x\":{").into_bytes(), "wrong-type"),
        (with("\"type\":", "\"reason\":\"Other\",\"type\":").into_bytes(), "duplicate-key"),
        (deep.into_bytes(), "too-deep"),
        (nested.into_bytes(), "too-deep"),
        (with("\"count\":3", "\"count\":-3").into_bytes(), "negative-count"),
        (with("\"count\":3", "\"count\":4294967296").into_bytes(), "huge-count"),
        (with("2026-03-01T10:04:00Z", "tomorrow").into_bytes(), "bad-time"),
        (with("\"name\":\"a\",", "").into_bytes(), "missing-field"),
        (b"{\"hello\":\"world\"}".to_vec(), "unknown-shape"),
        (b"[7]".to_vec(), "wrong-type"),
        (b"null".to_vec(), "wrong-type"),
    ] {
        let shell = Shell::new();
        shell.file("events.ndjson", [good.as_bytes(), b"\n", &bad, b"\n", event("b", 2).as_bytes(), b"\n"].concat());
        let ran = shell.run(&["replay", "events.ndjson"]);
        let summary = ran.summary();
        assert_eq!(summary["malformed"], json!({cause: 1}), "{:.80}: {}", String::from_utf8_lossy(&bad), ran.err);
        assert_eq!(summary["occurrences"]["total"], 5);
        assert!(ran.err.starts_with("faro-cli: events.ndjson:2:") && ran.err.contains(cause), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1);
    }
}

#[test]
fn one_example_of_each_cause_is_shown() {
    let shell = Shell::new();
    shell.file("events.ndjson", format!("{}\n{{\n\"x\n{{}}\n{{}}\nnoise\nnoise\n", event("a", 3)));
    let ran = shell.run(&["replay", "events.ndjson"]);
    let malformed = ran.summary()["malformed"].as_object().unwrap().clone();
    assert_eq!(ran.err.lines().count(), malformed.len(), "{ran:?}");
    let quiet = shell.command(&["replay", "events.ndjson"]).env("RUST_LOG", "error").output().unwrap();
    assert!(quiet.stderr.is_empty());
}

#[test]
fn strict_ends_at_the_first_with_its_place() {
    let shell = Shell::new();
    let bad = event("b", 2).replace("\"count\":2", "\"count\":true");
    let column = bad.find("true").unwrap() + 4;
    shell.file("events.ndjson", format!("{}\n\n{bad}\nnoise\n", event("a", 3)));
    shell.run(&["replay", "--strict", "events.ndjson"]).refused(1, &[&format!("events.ndjson:3:{column}: wrong-type")]);
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&bad).unwrap()).unwrap();
    let line = pretty.lines().position(|line| line.contains("\"count\"")).unwrap() + 2;
    shell.file("pretty.json", format!("[\n{pretty}\n]"));
    shell.run(&["replay", "--strict", "pretty.json"]).refused(1, &[&format!("pretty.json:{line}:")]);
    shell.file("documents.yaml", "kind: Pod\nmetadata:\n  name: a\n---\nkind: [\n");
    shell.run(&["replay", "--strict", "documents.yaml"]).refused(1, &["documents.yaml:5:7: invalid-yaml"]);
}

#[test]
fn line_of_64_mb_is_skipped() {
    let shell = Shell::new();
    let long = event("long", 1).replace("Back-off restarting", &"x".repeat(64 << 20));
    shell.file("events.ndjson", format!("{}\n{long}\n{}\n", event("a", 3), event("b", 2)));
    let summary = shell.run(&["replay", "events.ndjson"]).summary();
    assert_eq!((&summary["malformed"], &summary["occurrences"]["total"]), (&json!({"too-long": 1}), &json!(5)));
}

#[test]
fn binary_files_end_quickly() {
    let shell = Shell::new();
    // The same bytes in every run: a multiplicative generator.
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..4 << 20)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            u8::try_from(state >> 56).unwrap()
        })
        .collect();
    shell.file("noise.json", noise);
    let ran = shell.run(&["replay", "noise.json"]);
    assert_eq!(ran.summary()["records"]["total"], 0);
}

#[test]
fn year_one_is_no_time() {
    let shell = Shell::new();
    let zero =
        event("a", 3).replace("2026-03-01T10:00:00Z", "0001-01-01T00:00:00Z").replace("2026-03-01T10:04:00Z", "0001-01-01T00:00:00Z");
    shell.file("a.json", zero);
    let ran = shell.run(&["replay", "--emit", "all", "--now", "2026-03-01T12:00:00Z", "a.json"]);
    assert_eq!(ran.summary()["occurrences"]["total"], 3);
    assert!(!ran.out.contains("0001-01-01"));
}

#[test]
fn packed_file_that_is_cut_short_gives_what_it_has() {
    let shell = Shell::new();
    let lines = (0..2_000).map(|n| event(&format!("e{n}"), 1) + "\n").collect::<String>();
    let packed = gzip(&[&lines]);
    shell.file("cut.gz", &packed[..packed.len() / 2]);
    let ran = shell.run(&["replay", "cut.gz"]);
    let summary = ran.summary();
    assert!(summary["records"]["total"].as_u64().unwrap() > 100, "{summary}");
    assert!(ran.err.contains("cut.gz") && ran.err.contains("truncated"), "{}", ran.err);
}

#[test]
fn control_characters_never_reach_a_terminal() {
    let shell = Shell::new();
    let hostile = r"\u001b[2J\u001b]0;x\u0007\r\u202e\u009b31m";
    let lines = [
        event("a", 3).replace("Back-off restarting", &format!("Back-off restarting{hostile}")),
        event("b", 1).replace("\"name\":\"web-1\"", &format!("\"name\":\"web{hostile}\"")),
        event("c", 1).replace("\"type\":\"Warning\"", &format!("\"record\":\"{hostile}\"")),
        event("d", 1).replace("2026-03-01T10:00:00Z", hostile),
        "\u{1b}[31mnoise".to_owned(),
    ];
    shell.file("a.ndjson", lines.join("\n"));
    for output in ["json", "text"] {
        let ran = shell.run(&["replay", "--emit", "all", "-o", output, "a.ndjson"]);
        assert_eq!(ran.code, Some(0));
        let raw = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!ran.out.contains(raw), "{:?}", ran.out);
        assert!(!ran.err.contains(|c: char| c.is_control() && c != '\n'), "{:?}", ran.err);
    }
    shell.run(&["replay", "\u{1b}[31m"]).refused(1, &["\\u{1b}[31m"]);
}

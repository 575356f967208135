use super::*;

#[test]
fn yaml_is_told_from_json_and_from_noise() {
    for yes in [
        "apiVersion: v1\nkind: Event\n",
        "---\na: 1\n",
        "# a comment\n---\n",
        "\u{feff}items:\n- a: 1\n",
        "- a: 1\n",
        "\"a\": 1\n",
        "\n\na: 1",
    ] {
        assert!(looks_like_yaml(yes.as_bytes()), "{yes}");
    }
    for no in
        ["", "{\"a\": 1}", "noise\n", "\0\u{1}: \u{2}", "Warning: old API\n{\"a\":1}\n", "Error from server (NotFound)\n", "key:value\n"]
    {
        assert!(!looks_like_yaml(no.as_bytes()), "{no}");
    }
}

#[test]
fn documents_are_cut_at_their_markers() {
    check(
        "a: 1\n---\n# nothing\n---\nb: |\n  x\n  --- y\n--- {c: [2]}\n...\nd: ~\n",
        r#"1:1 {"a":1}|5:1 {"b":"x\n--- y\n"}|8:5 {"c":[2]}|10:1 {"d":null}"#,
    );
}

#[test]
fn lists_come_out_by_item() {
    check(
        "apiVersion: v1\nitems:\n- a: 1\n  b:\n  - 2\n- a: 3\nkind: List\nmetadata:\n  resourceVersion: \"\"\n---\nc: 4\n",
        r#"3:1 i{"a":1,"b":[2]}|6:1 i{"a":3}|11:1 {"c":4}"#,
    );
    check("kind: EventList\nitems:\n  - a: 1\n    b: 2\n  -\n    a: 3\n", r#"3:1 e{"a":1,"b":2}|5:1 e{"a":3}"#);
}

#[test]
fn items_of_other_kinds_stay_inside() {
    check("kind: Menu\nitems:\n- a: 1\n", r#"1:1 {"items":[{"a":1}],"kind":"Menu"}"#);
}

#[test]
fn what_is_wrong_has_its_place() {
    check("a: 1\n---\nb: 1\nc: [\n---\nd: 2\n", r#"1:1 {"a":1}|4:4 invalid-yaml|6:1 {"d":2}"#);
    check("items:\n- a: 1\n  a: 2\n- a: 3\n", r#"3:3 duplicate-key|4:1 i{"a":3}"#);
}

#[test]
fn alias_bomb_is_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let alias = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!("a{level}: &a{level} [{alias}]\n"));
    }
    let shown = run(bomb.as_bytes(), usize::MAX, DEFAULT_LIMIT);
    assert!(shown.ends_with(" invalid-yaml"), "{shown}");
}

#[test]
fn too_long_document_is_skipped() {
    let long = format!("a: 1\n---\nb: {}\n---\nc: 3\n", "x".repeat(1_000));
    for chunk in [7, usize::MAX] {
        assert_eq!(run(long.as_bytes(), chunk, 100), r#"1:1 {"a":1}|3:1 too-long|5:1 {"c":3}"#);
    }
    let lines = format!("a: 1\n---\nb:\n{}---\nc: 3\n", "- x\n".repeat(100));
    for chunk in [7, usize::MAX] {
        assert_eq!(run(lines.as_bytes(), chunk, 100), r#"1:1 {"a":1}|3:1 too-long|105:1 {"c":3}"#);
    }
}

#[track_caller]
fn check(text: &str, want: &str) {
    for chunk in [usize::MAX, 1, 3] {
        assert_eq!(run(text.as_bytes(), chunk, DEFAULT_LIMIT), want, "in chunks of {chunk}");
    }
}

fn run(bytes: &[u8], chunk: usize, limit: usize) -> String {
    let mut framer = YamlFramer::new(limit);
    let mut seen = Vec::new();
    for chunk in bytes.chunks(chunk) {
        framer.fill(|buffer| buffer.extend_from_slice(chunk));
        show(&to_json(&framer.take()), &mut seen);
    }
    framer.finish();
    show(&to_json(&framer.take()), &mut seen);
    seen.join("|")
}

fn show(frames: &Frames, seen: &mut Vec<String>) {
    for frame in &frames.frames {
        seen.push(match frame {
            Ok(frame) => {
                let text = String::from_utf8_lossy(&frames.bytes[frame.start..frame.end]);
                let holder = match frame.holder {
                    Holder::Nothing => "",
                    Holder::List => "i",
                    Holder::EventList => "e",
                };
                format!("{}:{} {holder}{text}", frame.line, frame.column)
            }
            Err(malformed) => format!("{}:{} {}", malformed.line, malformed.column, malformed.cause),
        });
    }
}

use super::*;
use proptest::prelude::*;

#[test]
fn lines_are_values() {
    check("{\"a\":1}\n{\"a\":2}\r\n\n  {\"a\":3}", "1:1 {\"a\":1}|2:1 {\"a\":2}|4:3 {\"a\":3}");
}

#[test]
fn byte_order_mark_and_trailing_commas_are_passed() {
    check("\u{feff}{\"a\":1},\n\u{feff}{\"a\":2},\n{\"a\":3},", "1:4 {\"a\":1}|2:4 {\"a\":2}|3:1 {\"a\":3}");
}

#[test]
fn broken_line_costs_itself() {
    check("{\"a\":1}\n{\"a\":\"tru\n{\"a\":3}\nnoise\n{\"a\":5}\n", "1:1 {\"a\":1}|2:1 {\"a\":\"tru|3:1 {\"a\":3}|4:1 noise|5:1 {\"a\":5}");
}

#[test]
fn broken_first_line_costs_itself() {
    check("{\"a\":\"tru\n{\"a\":2}\n{\"a\n{\"a\":4}", "1:1 {\"a\":\"tru|2:1 {\"a\":2}|3:1 {\"a|4:1 {\"a\":4}");
    check("{\"a\":{\"b\":1,\n{\"a\":2}\n{\"a\":[\n{\"a\":4}", "1:1 {\"a\":{\"b\":1,|2:1 {\"a\":2}|3:1 {\"a\":[|4:1 {\"a\":4}");
    check("noise\n{\"a\":2}\n{\"a\":\n{\"a\":4}", "1:1 noise|2:1 {\"a\":2}|3:1 {\"a\":|4:1 {\"a\":4}");
}

#[test]
fn documents_span_lines() {
    check("{\n  \"a\": 1\n}\n{\n  \"a\": \"}\\\"{\"\n} {\"b\":[]}", "1:1 {  \"a\": 1}|4:1 {  \"a\": \"}\\\"{\"}|6:3 {\"b\":[]}");
}

#[test]
fn broken_document_costs_itself() {
    check("{\n  \"a\": {\n    \"b\": 1,\n{\n  \"a\": 2\n}\n", "1:1 {  \"a\": {    \"b\": 1,|4:1 {  \"a\": 2}");
    check("{\n  \"a\": [1}\n}\n{\n  \"a\": 2\n}\n", "1:1 {  \"a\": [1|4:1 {  \"a\": 2}");
    check("{\n  \"a\": \"x\n}\n{\n  \"a\": 2\n}\n", "1:1 {  \"a\": \"x|4:1 {  \"a\": 2}");
    check("{\n \"a\": 1\n}\n{\n \"a\":", "1:1 { \"a\": 1}|4:1 { \"a\":");
}

#[test]
fn document_among_lines_is_read() {
    check("{\"a\":1}\n{\n \"a\":2\n}\n{\"a\":3}\n", "1:1 {\"a\":1}|2:1 { \"a\":2}|5:1 {\"a\":3}");
}

#[test]
fn arrays_come_out_by_element() {
    check("[{\"a\":1},\n{\"a\":2}, 3, \"],\"]", "1:2 {\"a\":1}|2:1 {\"a\":2}|2:10 3|2:13 \"],\"");
    check("[{\"a\":1}]\n[{\"a\":2},{\"a\":3}]\n[]\n", "1:2 {\"a\":1}|2:2 {\"a\":2}|2:10 {\"a\":3}");
    check("[\n{\"a\":1},\n{\"a\"\n{\"a\":3}\n]\n", "2:1 {\"a\":1}|3:1 {\"a\"|4:1 {\"a\":3}");
}

#[test]
fn lists_come_out_by_item() {
    check(
        "{\"kind\":\"EventList\",\"items\":[{\"a\":1},{\"a\":2}],\"metadata\":{}}\n{\"b\":1}\n",
        "1:30 e{\"a\":1}|1:38 e{\"a\":2}|2:1 {\"b\":1}",
    );
    check(
        "{\n\"apiVersion\":\"v1\",\n\"items\":[\n{\"a\":1},\n{\"a\":2}\n],\n\"kind\":\"List\"\n}\n{\"b\":1}",
        "4:1 i{\"a\":1}|5:1 i{\"a\":2}|9:1 {\"b\":1}",
    );
    check("{\"spec\":{\"items\":[1]},\"items\":[]}", "");
}

#[test]
fn items_of_other_kinds_stay_inside() {
    check("{\"kind\":\"Menu\",\"items\":[1,2]}", "1:1 {\"kind\":\"Menu\",\"items\":[1,2]}");
    check("{\"items\":{\"a\":[1]}}", "1:1 {\"items\":{\"a\":[1]}}");
}

#[test]
fn unclosed_list_is_told() {
    check("{\"items\":[{\"a\":1},", "1:11 i{\"a\":1}|1:19 truncated");
    check("{\"items\":[{\"a\":1},{\"a\"", "1:11 i{\"a\":1}|1:19 i{\"a\"");
    check("[{\"a\":1}}\n{\"b\":1}", "1:2 {\"a\":1}|1:9 truncated|2:1 {\"b\":1}");
}

#[test]
fn document_after_a_cut_list_is_a_document() {
    check("{\n  \"items\": [\n    {\n      \"a\": 1,\n{\n  \"items\": [\n    {}\n  ]\n}\n", "3:5 i{      \"a\": 1,|7:5 i{}");
}

#[test]
fn too_long_value_is_skipped_without_being_kept() {
    let long = format!("{{\"a\":1}}\n{{\"a\":\"{}\"}}\n{{\"a\":3}}\n", "x".repeat(5 << 20));
    let mut framer = Framer::new(2 << 20);
    let mut seen = Vec::new();
    for chunk in long.as_bytes().chunks(64 << 10) {
        framer.fill(|buffer| buffer.extend_from_slice(chunk));
        assert!(framer.buffer.len() <= (2 << 20) + (128 << 10));
        show(&framer.take(), &mut seen);
    }
    assert_eq!(seen.join("|"), "1:1 {\"a\":1}|2:1 too-long|3:1 {\"a\":3}");
}

#[test]
fn too_long_item_is_skipped_without_being_kept() {
    let item = format!("{{\"a\":\"{}\"}}", "x".repeat(200));
    let list = format!("{{\"items\":[{item},{{\"b\":[{item}]}},{item}]}}");
    let cut = run(list.as_bytes(), 7, 210);
    assert_eq!(cut, format!("1:11 i{item}|1:220 too-long|1:437 i{item}"));
}

#[test]
fn deep_nesting_needs_no_stack() {
    let deep = format!("{}{}\n{{\"a\":1}}\n", "{\"a\":".repeat(100_000), "[".repeat(100_000));
    let cut = run(deep.as_bytes(), 4_096, 1 << 20);
    assert!(cut.ends_with("|2:1 {\"a\":1}"));
}

proptest! {
    #[test]
    fn chunks_do_not_matter(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40), chunk in 1_usize..9) {
        let text = pieces.concat();
        prop_assert_eq!(run(text.as_bytes(), chunk, 100), run(text.as_bytes(), usize::MAX, 100));
    }

    #[test]
    fn any_bytes_are_cut(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(run(&bytes, 3, 60), run(&bytes, usize::MAX, 60));
    }
}

const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\n",
    " ",
    "\"",
    "\\",
    "\"a\":1",
    "\"items\":[",
    "\"kind\":\"EventList\",",
    "{\"a\":1}",
    "{\"b\":[{}]}\n",
    "{\"items\":[",
    "null",
    "\r\n",
    "\u{feff}",
    "x",
    "{\"a\":\"01234567890123456789012345678901234567890123456789012345678901234567890123456789\"}",
];

#[track_caller]
fn check(text: &str, want: &str) {
    for chunk in [usize::MAX, 1, 2, 5] {
        assert_eq!(run(text.as_bytes(), chunk, DEFAULT_LIMIT), want, "in chunks of {chunk}");
    }
}

fn run(bytes: &[u8], chunk: usize, limit: usize) -> String {
    let mut framer = Framer::new(limit);
    let mut seen = Vec::new();
    for chunk in bytes.chunks(chunk) {
        framer.fill(|buffer| buffer.extend_from_slice(chunk));
        show(&framer.take(), &mut seen);
    }
    framer.finish();
    show(&framer.take(), &mut seen);
    seen.join("|")
}

fn show(frames: &Frames, seen: &mut Vec<String>) {
    for frame in &frames.frames {
        seen.push(match frame {
            Ok(frame) => {
                let text = String::from_utf8_lossy(&frames.bytes[frame.start..frame.end]).replace('\n', "");
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

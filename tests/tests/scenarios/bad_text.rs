//! Messages that nobody should have written: V33.

use crate::stage::{event, everything, only_group, play};
use faro_core::input::{self, Cause};
use faro_tests::replayed::Run;
use serde_json::json;

#[test]
fn v33_control_characters_and_escapes_are_kept_but_never_raw() {
    for message in
        ["bell\u{7}", "red \u{1b}[31malert\u{1b}[0m", "title \u{1b}]0;owned\u{7}", "line\nline\r\tend", "nul\u{0}", "delete\u{7f}"]
    {
        let run = play(&[event("web-1.17a", json!({"message": message}))]);
        assert_eq!((&only_group(&run)["message"], &run.records("event")[0]["message"]), (&json!(message), &json!(message)));
        assert!(run.summary.malformed.is_empty());
        for line in &run.lines {
            assert!(line.bytes().all(|byte| byte >= 0x20), "a raw control character in {line:?}");
        }
    }
}

#[test]
fn v33_message_of_64_kilobytes_is_kept() {
    let message = "x\u{1b}é".repeat(16 << 10);
    let run = play(&[event("web-1.17a", json!({"message": message}))]);
    assert_eq!((&only_group(&run)["message"], &run.records("event")[0]["message"]), (&json!(message), &json!(message)));
}

#[test]
fn v33_invalid_utf8_is_refused_with_a_place() {
    let mut bytes = event("web-1.17a", json!({"message": "MARK"})).to_string().into_bytes();
    let at = bytes.windows(4).position(|window| window == b"MARK").expect("the message");
    bytes[at] = 0xff;
    let refused = input::utf8(&bytes).expect_err("no UTF-8");
    assert_eq!((refused.cause, refused.line, refused.column), (Cause::InvalidUtf8, 1, at + 1));
    assert!(refused.to_string().chars().all(|character| !character.is_control()));
}

#[test]
fn v33_lone_surrogates_are_refused_and_counted() {
    for escape in [r"\ud800", r"\udfff", r"\ud800x", r"\ude00\ud800"] {
        let line = event("web-1.17a", json!({"message": "MARK"})).to_string().replace("MARK", escape);
        check_refused(&line, Cause::InvalidJson);
    }
}

#[test]
fn v33_deep_json_is_refused_and_counted_or_skipped() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for depth in [1_000, 100_000] {
        let line = event("web-1.17a", json!({"message": "MARK"})).to_string();
        check_refused(&line.replace("\"MARK\"", &deep(depth)), Cause::WrongType);
        check_refused(&deep(depth), Cause::WrongType);
        // Where nobody looks it may pass, or be refused; it is not lost without a count.
        let unread = line.replacen('{', &format!("{{\"unread\":{},", deep(depth)), 1);
        let run = Run::replay([unread.as_str()], everything(), None);
        assert_eq!(run.summary.records.event + run.summary.malformed.values().sum::<u64>(), 1);
    }
}

#[test]
fn v33_the_rest_of_the_input_goes_on() {
    let good = event("web-1.17a", json!({})).to_string();
    let run = Run::replay(["{\"kind\":", good.as_str(), "\u{1b}[31m", "[]"], everything(), None);
    assert_eq!((run.summary.records.event, run.summary.malformed.values().sum::<u64>()), (1, 3));
    assert_eq!(only_group(&run)["count"], 1);
}

#[track_caller]
fn check_refused(line: &str, cause: Cause) {
    let refused = input::read(line).expect_err("refused");
    assert!(refused.cause == cause || refused.cause == Cause::TooDeep, "{refused}");
    assert!(refused.to_string().chars().all(|character| !character.is_control()), "{refused}");
    let run = Run::replay([line], everything(), None);
    assert_eq!((run.summary.malformed.values().sum::<u64>(), run.summary.records.total), (1, 0));
}

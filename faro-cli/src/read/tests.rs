use super::*;
use faro_core::input::Body;
use faro_core::{Nanos, Report};
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

#[test]
fn order_of_one_input_is_kept() {
    let lines: String = (0..20_000).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, r#"{{"kind":"Event","metadata":{{"name":"e{n}"}},"message":"{}"}}"#, "x".repeat(n % 300));
        text
    });
    let want: Vec<String> = (0..20_000).map(|n| format!("0:e{n}")).collect();
    assert_eq!(merged(&[&lines]), want);
}

#[test]
fn timed_inputs_are_merged_and_untimed_ones_come_first() {
    let (a, b) = (timed("a", &[1, 4, 4, 9]), timed("b", &[2, 4, 5]));
    let c = r#"{"kind":"Event","metadata":{"name":"c"}}"#;
    assert_eq!(merged(&[&a, c, &b]), ["1:c", "0:a1", "2:b2", "0:a4", "0:a4", "2:b4", "2:b5", "0:a9"]);
}

#[test]
fn untimed_values_stay_with_what_comes_before_them() {
    let a = format!("{}{{\"kind\":\"Event\",\"metadata\":{{\"name\":\"x\"}}}}\n{}", timed("a", &[1]), timed("a", &[9]));
    assert_eq!(merged(&[&timed("b", &[2]), &a]), ["1:a1", "1:x", "0:b2", "1:a9"]);
}

#[test]
fn many_inputs_wait_closed() {
    let texts: Vec<String> = (0..60).map(|n| timed(&format!("f{n}-"), &[n, n + 60])).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let want: Vec<String> = (0..120).map(|at| format!("{}:f{}-{at}", at % 60, at % 60)).collect();
    assert_eq!(merged(&texts), want);
}

#[test]
fn items_of_a_list_in_a_line_have_their_place() {
    let list = r#"{"kind":"List","items":[{"kind":"Event","metadata":{"name":"a"}},{"kind":"Event","metadata":{}}]}"#;
    assert_eq!(
        merged(&[&format!("{{\"kind\":\"Event\",\"metadata\":{{\"name\":\"b\"}}}}\n{list}\n")]),
        ["0:b", "0:a", "0:missing-field at 2:66"]
    );
}

fn timed(name: &str, moments: &[u64]) -> String {
    moments.iter().fold(String::new(), |mut text, moment| {
        let object = format!(r#"{{"kind":"Event","metadata":{{"name":"{name}{moment}"}}}}"#);
        let _ = writeln!(text, r#"{{"type":"ADDED","receivedAt":{moment},"object":{object}}}"#);
        text
    })
}

/// Remembers whose value came, and its name.
struct Names(Vec<String>);

impl Receiver for Names {
    fn value(&mut self, input: usize, value: Parsed<'_>) {
        self.0.push(match value {
            Ok(item) => {
                let Body::Event(event) = item.body else { panic!("no event: {item:?}") };
                format!("{input}:{}", Report::new(event, item.change, Nanos(0)).name())
            }
            Err(malformed) => format!("{input}:{} at {}:{}", malformed.cause, malformed.line, malformed.column),
        });
    }

    fn pause(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn idle(&mut self) {}
}

fn merged(texts: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let inputs: Vec<Input> = texts
        .iter()
        .enumerate()
        .map(|(number, text)| {
            let path: PathBuf = folder.path().join(format!("{number}.ndjson"));
            std::fs::write(&path, text).unwrap();
            Input::File(path)
        })
        .collect();
    let pool = Pool::new(&inputs, &Arc::new(AtomicU64::new(0))).unwrap();
    let mut names = Names(Vec::new());
    Merge::run(&pool, &inputs, &mut names).unwrap();
    names.0
}

//! Every input that the fuzzers found worth keeping, replayed without a fuzzer.

#![expect(clippy::unwrap_used, reason = "a file that is not there is a failure")]

use faro_core::{EngineConfig, Record, Replay, input};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn recordings_keep_every_promise() {
    replay("json_in", faro_tests::fuzz::json_in);
}

#[test]
fn rules_keep_every_promise() {
    replay("rules_in", faro_tests::fuzz::rules_in);
}

#[test]
fn operations_agree_with_the_oracle() {
    replay("operations", faro_tests::fuzz::operations);
}

#[test]
fn every_target_has_a_corpus_that_is_replayed() {
    let names = |folder: &str| -> BTreeSet<String> {
        files(&fuzz().join(folder)).iter().map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(names("fuzz_targets"), names("corpus"));
    let replayed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz_corpora.rs")).unwrap();
    for target in names("corpus") {
        assert!(replayed.contains(&format!("replay(\"{target}\", ")), "the corpus of `{target}` is not replayed");
    }
}

/// Too large for a corpus: what recurses once for each level of the input ends with the stack, however large.
#[test]
fn depth_of_input_is_no_depth_of_stack() {
    nested(r#"{"kind":"List","items":["#, "", "]}");
    nested(r#"{"type":7,"object":"#, r#"{"kind":"Pod","metadata":{"name":"a"}}"#, "}");
    nested(r#"{"type":"ADDED","object":"#, r#"{"kind":"Pod","metadata":{"name":"a"}}"#, "}");
    nested(r#"{"kind":"Pod","metadata":{"name":"a"},"spec":"#, "1", "}");
    nested(r#"{"kind":"Event","metadata":{"name":"a"},"involvedObject":"#, "1", "}");
}

#[track_caller]
fn nested(open: &str, inner: &str, close: &str) {
    let text = format!("{}{inner}{}", open.repeat(50_000), close.repeat(50_000));
    let mut replay = Replay::new(EngineConfig::default(), None);
    let mut sink = |_: &Record<'_>| {};
    match input::read(&text) {
        Ok(item) => replay.feed(item, &mut sink),
        Err(malformed) => replay.malformed(&malformed),
    }
    let summary = replay.finish(&mut sink);
    assert_eq!(summary.records.total + summary.malformed.values().sum::<u64>(), 1, "{open}");
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// What a folder holds, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[track_caller]
fn replay(target: &str, body: impl Fn(&[u8])) {
    let inputs = files(&fuzz().join("corpus").join(target));
    assert!(inputs.len() >= 20, "the corpus of `{target}` has {} inputs", inputs.len());
    for input in inputs {
        // A panic is told with the input that caused it.
        let _named = Named(&input);
        body(&fs::read(&input).unwrap());
    }
}

/// Names an input when the test ends within it.
struct Named<'a>(&'a Path);

impl Drop for Named<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("while replaying {}", self.0.display());
        }
    }
}

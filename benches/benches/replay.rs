//! The whole replay on one core, against only deserialising the needed fields; and what user rules cost.
//!
//! `cargo bench -p faro-benches --bench replay`

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use faro_benches::ceiling::Needed;
use faro_core::severity::{Rules, UserRules};
use faro_core::{EngineConfig, Record, Replay, input};
use faro_tests::flood::{self, Flood};
use std::fmt::Write as _;
use std::hint::black_box;

fn replay(criterion: &mut Criterion) {
    let flood = Flood { events: 100_000, groups: 25_000, ..Flood::default() };
    let mut text = Vec::new();
    flood::write(&mut text, &flood).expect("a Vec takes everything");
    let text = String::from_utf8(text).expect("the flood is text");

    let mut group = criterion.benchmark_group("replay");
    group.throughput(Throughput::Bytes(text.len() as u64)).sample_size(10);
    group.bench_function("ceiling_sonic_rs", |bencher| {
        bencher.iter(|| deserialise(&text, |line| sonic_rs::from_str(line).expect("the flood is JSON")));
    });
    group.bench_function("ceiling_serde_json", |bencher| {
        bencher.iter(|| deserialise(&text, |line| serde_json::from_str(line).expect("the flood is JSON")));
    });
    group.bench_function("faro", |bencher| bencher.iter(|| run(&text, &flood, Rules::builtin())));

    let rules = Rules::with_user(UserRules::parse(&two_hundred_rules()).expect("the rules are valid"));
    group.bench_function("faro_200_user_rules", |bencher| bencher.iter(|| run(&text, &flood, rules.clone())));
    group.finish();
}

fn deserialise<'a>(text: &'a str, read: impl Fn(&'a str) -> Needed<'a>) {
    let bytes: usize = text.lines().map(|line| black_box(read(line)).message.len()).sum();
    assert!(bytes > 0);
}

fn run(text: &str, flood: &Flood, rules: Rules) {
    let mut out = Vec::with_capacity(64 << 20);
    let mut sink = |record: &Record<'_>| {
        serde_json::to_writer(&mut out, record).expect("a Vec takes everything");
        out.push(b'\n');
    };
    let mut replay = Replay::new(EngineConfig::default().rules(rules), None);
    replay.feed_all(text.lines().map(|line| input::read(line).expect("the flood is well-formed")), &mut sink);
    let summary = replay.finish(&mut sink);
    assert_eq!(summary.occurrences.total, flood.occurrences());
    assert_eq!(summary.groups.printed, flood.groups as u64);
    black_box(out);
}

/// Rules with expressions and patterns about reasons that do not occur.
fn two_hundred_rules() -> String {
    let mut text = String::from("rules:\n");
    for index in 0..100 {
        let _ = write!(
            text,
            "  - name: expression-{index}\n    match: {{reason: Custom{index}}}\n    when: event.count > {index} && event.message.contains(\"x\")\n    severity: high\n  - name: pattern-{index}\n    match: {{reason: Other{index}, message: \"^payment .* failed after [0-9]+ ms$\"}}\n    severity: low\n"
        );
    }
    text
}

criterion_group!(benches, replay);
criterion_main!(benches);

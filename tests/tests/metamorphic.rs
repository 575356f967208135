//! What must not matter: the order within a list, extra ticks, feeding twice, the cut of the input, restarts.

use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use faro_core::{Emit, EngineConfig, GroupBy};
use faro_tests::cilium_night::{DEFAULT_SEED, truth, write};
use faro_tests::model::{Cluster, Input, Op, Setup, Style, System, final_fold};
use faro_tests::replayed::{Live, Run, bare, listed, permuted};
use proptest::collection::vec;
use proptest::prelude::*;

const EVERY_GROUPING: [GroupBy; 3] = [GroupBy::Object, GroupBy::Workload, GroupBy::Reason];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_within_a_list_changes_no_fold(ops in vec(any::<Op>(), 1..50), seed in any::<u64>(), group_by in grouping()) {
        let (objects, end) = dump(&ops);
        let fold = |objects: &[String]| fold(objects, group_by, Some(end));
        prop_assert_eq!(fold(&permuted(&objects, seed)), fold(&objects));
    }

    #[test]
    fn cut_of_a_dump_changes_no_line(ops in vec(any::<Op>(), 1..50), cut in 0..50_usize) {
        let (objects, end) = dump(&ops);
        let (head, tail) = objects.split_at(cut.min(objects.len()));
        let run = |lines: &[String]| Run::replay(lines.iter().map(String::as_str), everything(GroupBy::Object), Some(end)).lines;
        let whole = run(&objects);
        prop_assert_eq!(&run(&[listed(&objects)]), &whole);
        prop_assert_eq!(&run(&[listed(head), listed(tail)]), &whole);
    }

    #[test]
    fn extra_ticks_change_no_line(setup in setup(), ops in vec(any::<Op>(), 1..50)) {
        prop_assert_eq!(played(setup, &ops, |system, now| system.settle(now)), played(setup, &ops, |_, _| {}));
    }

    #[test]
    fn restart_anywhere_changes_no_line(setup in setup(), ops in vec(any::<Op>(), 1..50), at in vec(any::<bool>(), 1..9)) {
        let mut turn = at.iter().cycle();
        let restarted = played(setup, &ops, |system, _| if turn.next() == Some(&true) { system.restart() });
        let through: Vec<Op> = ops.iter().copied().filter(|op| *op != Op::Restart).collect();
        prop_assert_eq!(restarted, played(setup, &through, |_, _| {}));
    }

    #[test]
    fn feeding_twice_adds_nothing(setup in setup(), ops in vec(any::<Op>(), 1..40)) {
        // Versions that compare tell what came first, also within one moment; a dump is observed anew when it is read again.
        let told = |op: &Op| !matches!(op, Op::Stale { .. } | Op::Delete { .. } | Op::Dump { .. } | Op::Report { style: Style::Versionless, .. });
        let ops: Vec<Op> = ops.into_iter().filter(told).collect();
        let setup = Setup { counters: 1_000_000, ..setup };
        let inputs = inputs(setup, &ops);
        let mut system = System::new(setup);
        inputs.iter().for_each(|(now, input)| system.feed(*now, input));
        let end = inputs.last().map_or(0, |(now, _)| *now);
        let once = (system.flush(end).occurrences, system.printed().len());
        inputs.iter().for_each(|(now, input)| system.feed(*now, input));
        prop_assert_eq!((system.flush(end).occurrences, system.printed().len()), once);
    }

    #[test]
    fn feeding_a_dump_twice_adds_nothing(ops in vec(any::<Op>(), 1..50), group_by in grouping()) {
        let (objects, end) = dump(&ops);
        prop_assert_eq!(fold(&[objects.clone(), objects.clone()].concat(), group_by, Some(end)), fold(&objects, group_by, Some(end)));
    }

    #[test]
    fn printing_events_changes_no_group(group_by in grouping(), ops in vec(any::<Op>(), 1..50)) {
        // What is dated by its observation is dated anew by a relist, unless its version is known.
        let ops: Vec<Op> = ops.into_iter().filter(|op| !matches!(op, Op::Report { style: Style::Timeless | Style::Future, .. })).collect();
        let groups = |events| {
            let lines = played(Setup { events, group_by, ..Setup::default() }, &ops, |_, _| {});
            lines.into_iter().filter(|line| line.starts_with(r#"{"record":"group""#)).collect::<Vec<_>>()
        };
        prop_assert_eq!(groups(true), groups(false));
    }
}

#[test]
fn night_in_any_order_folds_to_the_same_bytes() {
    let objects = bare(night());
    for group_by in EVERY_GROUPING {
        for now in [None, Some(truth(DEFAULT_SEED).end)] {
            let want = fold(&objects, group_by, now);
            assert!(want.contains("FailedCreatePodSandBox"));
            for seed in 0..3 {
                same(&fold(&permuted(&objects, seed), group_by, now), &want);
            }
        }
    }
}

#[test]
fn night_cut_into_lists_prints_the_same_bytes() {
    let objects = bare(night());
    let run = |lines: &[String]| Run::replay(lines.iter().map(String::as_str), everything(GroupBy::Object), None).lines.join("\n");
    let lists: Vec<String> = objects.chunks(objects.len() / 7).map(listed).collect();
    same(&run(&lists), &run(&objects));
}

#[test]
fn night_with_extra_ticks_prints_the_same_bytes() {
    let plain = night_live(GroupBy::Object, |_, _| {});
    let mut before: Option<DateTime<Utc>> = None;
    let ticked = night_live(GroupBy::Object, |live, line| {
        let now = delivered(line);
        if let Some(before) = before {
            live.tick_through(before + (now - before) / 2);
            live.tick_through(now);
        }
        before = Some(now);
    });
    same(&ticked.lines.join("\n"), &plain.lines.join("\n"));
}

#[test]
fn night_replayed_prints_what_the_live_run_printed() {
    let live = night_live(GroupBy::Object, |_, _| {}).lines;
    let replayed = Run::replay(night(), everything(GroupBy::Object), Some(truth(DEFAULT_SEED).end)).lines;
    let (summary, records) = replayed.split_last().expect("a summary");
    assert!(summary.starts_with(r#"{"record":"summary""#));
    same(&records.join("\n"), &live.join("\n"));
}

#[test]
fn night_with_restarts_prints_the_same_bytes() {
    for group_by in EVERY_GROUPING {
        let plain = night_live(group_by, |_, _| {});
        let mut count = 0_u32;
        // The first lists are the first 326 lines.
        let restarted = night_live(group_by, |live, _| {
            count += 1;
            if count.is_multiple_of(151) || count == 250 || count == 301 {
                live.restart();
            }
        });
        same(&restarted.lines.join("\n"), &plain.lines.join("\n"));
        assert_eq!(restarted.summary, plain.summary);
    }
}

#[test]
fn night_fed_twice_adds_nothing() {
    let end = Some(truth(DEFAULT_SEED).end);
    let twice = || night().chain(night());
    let once = Run::replay(night(), everything(GroupBy::Object), end);
    let again = Run::replay(twice(), everything(GroupBy::Object), end);
    assert_eq!(again.summary.occurrences, once.summary.occurrences);
    assert_eq!(again.summary.groups, once.summary.groups);
    let records = |run: &Run| run.lines[..run.lines.len() - 1].join("\n");
    same(&records(&again), &records(&once));

    let objects = bare(night());
    let doubled = [objects.clone(), objects.clone()].concat();
    same(&fold(&doubled, GroupBy::Object, None), &fold(&objects, GroupBy::Object, None));
}

fn grouping() -> impl Strategy<Value = GroupBy> {
    proptest::sample::select(EVERY_GROUPING.to_vec())
}

/// Settings, tiny limits among them.
fn setup() -> impl Strategy<Value = Setup> {
    let limits = prop_oneof![3 => Just((1_000_000, 1_000_000)), 1 => (1..5_usize, 1..5_usize)];
    (grouping(), any::<bool>(), limits).prop_map(|(group_by, events, (groups, counters))| Setup {
        group_by,
        events,
        groups,
        counters,
        ..Setup::default()
    })
}

fn everything(group_by: GroupBy) -> EngineConfig {
    EngineConfig::default().group_by(group_by).emit(Emit::ALL)
}

/// What the operations give an engine; restarts left out.
fn inputs(setup: Setup, ops: &[Op]) -> Vec<(i64, Input)> {
    let mut cluster = Cluster::new(setup);
    ops.iter().filter(|op| **op != Op::Restart).flat_map(|op| cluster.play(*op)).collect()
}

/// The objects that the operations make, as a dump, and the moment of the last one.
fn dump(ops: &[Op]) -> (Vec<String>, DateTime<Utc>) {
    let inputs = inputs(Setup::default(), ops);
    let end = inputs.last().map_or(0, |(now, _)| *now);
    let lines = inputs.iter().filter_map(|(_, input)| match input {
        Input::Line(line) => Some(line.as_str()),
        Input::Begin(_) | Input::End(_) | Input::Tick | Input::Restart => None,
    });
    (bare(lines), DateTime::from_timestamp_nanos(end))
}

/// Plays operations, with something extra before each input, and returns the lines.
fn played(setup: Setup, ops: &[Op], mut before: impl FnMut(&mut System, i64)) -> Vec<String> {
    let (mut cluster, mut system) = (Cluster::new(setup), System::new(setup));
    for (now, input) in ops.iter().flat_map(|op| cluster.play(*op)).collect::<Vec<_>>() {
        before(&mut system, now);
        system.feed(now, &input);
    }
    system.flush(cluster.now());
    system.printed().iter().map(|printed| printed.line.clone()).collect()
}

fn fold(objects: &[String], group_by: GroupBy, now: Option<DateTime<Utc>>) -> String {
    let run = Run::replay(objects.iter().map(String::as_str), EngineConfig::default().group_by(group_by), now);
    final_fold(run.lines.iter().map(String::as_str))
}

/// The lines of the sample recording, made once.
fn night() -> impl Iterator<Item = &'static str> {
    static NIGHT: OnceLock<String> = OnceLock::new();
    let text = NIGHT.get_or_init(|| {
        let mut bytes = Vec::new();
        write(&mut bytes, DEFAULT_SEED).expect("a vector takes everything");
        String::from_utf8(bytes).expect("UTF-8")
    });
    text.lines()
}

/// The night as a live engine sees it, with something extra before each line.
fn night_live(group_by: GroupBy, mut before: impl FnMut(&mut Live, &str)) -> Run {
    let mut live = Live::new(everything(group_by));
    for line in night() {
        before(&mut live, line);
        live.feed(line);
    }
    live.finish(truth(DEFAULT_SEED).end)
}

fn delivered(line: &str) -> DateTime<Utc> {
    let line: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
    line["receivedAt"].as_str().and_then(|text| text.parse().ok()).expect("a moment of delivery")
}

/// Compares two outputs and shows the first lines that differ.
#[track_caller]
fn same(got: &str, want: &str) {
    let differ = got.lines().zip(want.lines()).position(|(got, want)| got != want);
    if let Some(at) = differ {
        panic!("line {at} differs:\n{}\n{}", got.lines().nth(at).unwrap_or(""), want.lines().nth(at).unwrap_or(""));
    }
    assert_eq!(got.lines().count(), want.lines().count(), "one has more lines");
}

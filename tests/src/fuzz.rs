//! What the fuzz targets do with their input, here so that a plain test can replay every input that is kept.
//!
//! Each function panics when a promise is broken, and on nothing else.

use crate::model::{self, Op, Setup};
use arbitrary::{Arbitrary as _, Unstructured};
use faro_core::condition::Condition;
use faro_core::filter::{FieldSelector, Filter, LabelSelector};
use faro_core::input::{self, Body, Change, Framer, Frames, Holder, Item, Malformed, YamlFramer, looks_like_yaml};
use faro_core::record::{Record, Summary};
use faro_core::severity::{Pattern, Rules, Severity, UserRules};
use faro_core::{Emit, Engine, EngineConfig, GroupBy, Limits, Nanos, Replay, Report, Span, parse_duration};
use std::fmt::Display;
use std::num::NonZeroUsize;

/// Values larger than this are refused, so that small inputs reach the limit.
const LIMIT: usize = 2048;

/// When the run ends, where that is said: 2025-09-13T00:00:00Z.
const NOW: Nanos = Nanos(1_757_721_600_000_000_000);

/// More lines than this are not tried.
const LINES: usize = 64;

/// Bytes as a recording: nothing panics, where the bytes are cut on their way in changes nothing, the books balance, what is
/// printed can be read again, and a restored engine is the engine.
pub fn json_in(bytes: &[u8]) {
    // In YAML the line at hand counts as far as it came: near the limit, where a piece ends decides.
    let limit = if looks_like_yaml(bytes) { bytes.len() } else { LIMIT };
    let in_pieces = values(bytes, 1 + bytes.len() % 13, limit);
    assert_eq!(values(bytes, bytes.len(), limit), in_pieces, "the same values however they arrive");

    let values = values(bytes, 1 + bytes.len() % 509, LIMIT);
    let group_by = [GroupBy::Object, GroupBy::Workload, GroupBy::Reason][bytes.len() % 3];
    let lines = replay(&values, EngineConfig::default().group_by(group_by), None);
    let limits = Limits { counters: few(4), events: few(3), objects: few(3), owners: few(2), topology: few(5), reported: few(2) };
    replay(&values, EngineConfig::default().group_by(group_by).limits(limits).group_limit(few(2)), Some(NOW));

    for line in &lines {
        match input::read(line) {
            Ok(Item { body: Body::Event(_) | Body::Object(_) | Body::Ignored(_), .. }) => {}
            other => panic!("a printed line is read as {other:?}: {line}"),
        }
    }
}

/// Bytes as text, as everything that a person writes for Faro: a file of rules, and each line as a duration, a condition, a selector and a
/// pattern. Nothing panics, what is wrong is told in one line, and what is right works.
pub fn rules_in(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match UserRules::parse(&text) {
        Ok(rules) => {
            let _ = rules.run_examples();
            let rules = Rules::with_user(rules);
            for event in EVENTS {
                report(event, |report| {
                    let verdict = rules.judge(report);
                    let _ = (rules.escalations(verdict.rule), rules.opposite(verdict.rule));
                });
            }
        }
        Err(error) => printable(&error),
    }
    for line in text.lines().take(LINES) {
        match parse_duration(line) {
            Ok(span) => assert_eq!(parse_duration(&Span(span).to_string()), Ok(span), "a duration reads as it is written"),
            Err(error) => printable(&error),
        }
        match Condition::parse(line) {
            Ok(condition) => pass(&Filter::default().where_(condition)),
            Err(error) => printable(&error),
        }
        match LabelSelector::parse(line) {
            Ok(selector) => pass(&Filter::default().selector(selector)),
            Err(error) => printable(&error),
        }
        match FieldSelector::parse(line) {
            Ok(selector) => pass(&Filter::default().field_selector(selector)),
            Err(error) => printable(&error),
        }
        let pattern = Pattern::from(line);
        assert!(pattern.matches(line), "a pattern matches its own text");
        pass(&Filter::default().reasons(vec![pattern]).severity(Severity::Medium));
    }
}

/// Bytes as a run of operations under some settings: engine and oracle agree, see [`model::check_with`].
pub fn operations(bytes: &[u8]) {
    let mut source = Unstructured::new(bytes);
    let Ok((group_by, tight, events)) = source.arbitrary::<(u8, bool, bool)>() else { return };
    let Ok(operations) = Vec::<Op>::arbitrary_take_rest(source) else { return };
    let group_by = [GroupBy::Object, GroupBy::Workload, GroupBy::Reason][usize::from(group_by % 3)];
    let (groups, counters) = if tight { (3, 4) } else { (1_000_000, 1_000_000) };
    model::check_with(Setup { group_by, events, groups, counters, ..Setup::default() }, &operations);
}

/// What rules and filters are tried on.
const EVENTS: [&str; 3] = [
    r#"{"kind":"Event","metadata":{"name":"api-1.17a","namespace":"pay","labels":{"team":"a"}},"reason":"BackOff","type":"Warning",
        "involvedObject":{"kind":"Pod","namespace":"pay","name":"api-1"},"count":5,"source":{"component":"kubelet"},
        "message":"Back-off restarting failed container app","firstTimestamp":"2025-09-12T21:00:00Z"}"#,
    r#"{"kind":"Event","metadata":{"name":"n1.17b"},"reason":"NodeNotReady","involvedObject":{"kind":"Node","name":"n1"}}"#,
    r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"api","namespace":"pay","labels":{"app":"api"}}}"#,
];

fn few(count: usize) -> NonZeroUsize {
    NonZeroUsize::MIN.saturating_add(count - 1)
}

fn printable(error: &impl Display) {
    let text = error.to_string();
    assert!(!text.is_empty() && !text.chars().any(char::is_control), "not one printable line: {text:?}");
}

fn report(event: &str, then: impl FnOnce(&Report<'_>)) {
    if let Ok(Item { body: Body::Event(event), .. }) = input::read(event) {
        then(&Report::new(event, Change::Bare, Nanos(0)));
    }
}

/// Runs the samples through a filter.
fn pass(filter: &Filter) {
    let emit = Emit::ALL;
    let mut replay = Replay::new(EngineConfig::default().emit(emit).filter(filter.clone()), None);
    let mut shown = 0;
    let mut sink = |_: &Record<'_>| shown += 1;
    for event in EVENTS {
        if let Ok(item) = input::read(event) {
            replay.feed(item, &mut sink);
        }
    }
    balances(&replay.finish(&mut sink));
    assert!(shown > 0, "the summary passes every filter");
}

type Value = Result<(String, bool), Malformed>;

/// The values of a stream that arrives in pieces of this size: text, and whether it is an item of a list of Events.
fn values(bytes: &[u8], size: usize, limit: usize) -> Vec<Value> {
    let mut values = Vec::new();
    let pieces = bytes.chunks(size.max(1));
    if looks_like_yaml(bytes) {
        let mut framer = YamlFramer::new(limit);
        for piece in pieces {
            framer.fill(|buffer| buffer.extend_from_slice(piece));
            collect(&input::to_json(&framer.take()), &mut values);
        }
        framer.finish();
        collect(&input::to_json(&framer.take()), &mut values);
    } else {
        let mut framer = Framer::new(limit);
        for piece in pieces {
            framer.fill(|buffer| buffer.extend_from_slice(piece));
            collect(&framer.take(), &mut values);
        }
        framer.finish();
        collect(&framer.take(), &mut values);
    }
    values
}

fn collect(frames: &Frames, values: &mut Vec<Value>) {
    for frame in &frames.frames {
        values.push(match frame {
            Ok(frame) => input::utf8(&frames.bytes[frame.start..frame.end])
                .map(|text| (text.to_owned(), frame.holder == Holder::EventList))
                .map_err(|malformed| frame.locate(malformed)),
            Err(malformed) => Err(malformed.clone()),
        });
    }
}

/// Runs the values through an engine and returns what it printed.
fn replay(values: &[Value], config: EngineConfig, now: Option<Nanos>) -> Vec<String> {
    let config = config.emit(Emit::ALL);
    let mut lines = Vec::new();
    let mut replay = Replay::new(config.clone(), now);
    let (mut fed, mut lists) = (0, 0);
    for value in values {
        let item = value.as_ref().map_err(Clone::clone);
        fed += 1;
        match item.and_then(|(text, of_events)| if *of_events { input::read_event(text) } else { input::read(text) }) {
            Ok(item) => {
                lists += u64::from(matches!(item.body, Body::List(_)));
                replay.feed(item, &mut |record: &Record<'_>| lines.push(line(record)));
            }
            Err(malformed) => {
                printable(&malformed);
                replay.malformed(&malformed);
            }
        }
        balances(&replay.engine().stats());
    }
    let restored = now.map(|now| (restored(replay.engine(), config), now));
    let before = lines.len();
    let summary = replay.finish(&mut |record: &Record<'_>| lines.push(line(record)));
    balances(&summary);
    let counted = summary.records.total + summary.malformed.values().sum::<u64>();
    assert!(if lists == 0 { counted == fed } else { counted + lists >= fed }, "{fed} values, {counted} counted, {lists} lists");
    if let Some((restored, now)) = restored {
        assert_eq!(rest(restored, now), lines[before..], "a restored engine ends as the engine does");
    }
    lines
}

fn line(record: &Record<'_>) -> String {
    serde_json::to_string(record).unwrap_or_else(|error| panic!("a record cannot be printed: {error}"))
}

/// The engine once more, from what it stores.
fn restored(engine: &Engine, config: EngineConfig) -> Engine {
    let stored = serde_json::to_string(&engine.snapshot()).unwrap_or_else(|error| panic!("a snapshot cannot be stored: {error}"));
    let snapshot = serde_json::from_str(&stored).unwrap_or_else(|error| panic!("a snapshot cannot be read: {error}"));
    let restored = Engine::restore(config, snapshot).unwrap_or_else(|error| panic!("a snapshot cannot be restored: {error}"));
    assert_eq!(restored.stats(), engine.stats(), "a restored engine has the same books");
    restored
}

/// What an engine still prints when its run ends.
fn rest(mut engine: Engine, now: Nanos) -> Vec<String> {
    let mut lines = Vec::new();
    let summary = engine.flush(now.into(), &mut |record: &Record<'_>| lines.push(line(record)));
    lines.push(line(&Record::Summary(summary)));
    lines
}

/// The books: what went in is somewhere.
fn balances(summary: &Summary) {
    let Summary { records, occurrences, groups, .. } = summary;
    assert_eq!(records.total, records.object + records.event + records.ignored, "{summary:?}");
    assert_eq!(occurrences.total, occurrences.closed + occurrences.open + occurrences.evicted + occurrences.unproven, "{summary:?}");
    assert_eq!(groups.total, groups.printed + groups.hidden, "{summary:?}");
}

//! The machine against a server of a few lines that loses, delays, repeats and forgets: what is delivered is what happened.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// One step of a run.
#[derive(Clone, Copy, Debug)]
enum Op {
    /// Something is created, or changed when it exists.
    Write { name: u8 },
    /// Something is deleted, when it exists.
    Delete { name: u8 },
    /// The server answers what is asked, and sends this many lines.
    Serve { lines: u8 },
    /// The last line comes twice.
    Repeat,
    /// A bookmark, where the server has them.
    Bookmark,
    /// Every connection breaks.
    Cut,
    /// The open streams go on in silence, whatever happens.
    Stall,
    /// The history up to now is forgotten.
    Compact,
    /// The next answer is an error.
    Fail { code: u16 },
    /// Time passes.
    Wait { seconds: u8 },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..6u8).prop_map(|name| Op::Write { name }),
        3 => (0..6u8).prop_map(|name| Op::Delete { name }),
        8 => (0..5u8).prop_map(|lines| Op::Serve { lines }),
        1 => Just(Op::Repeat),
        1 => Just(Op::Bookmark),
        2 => Just(Op::Cut),
        1 => Just(Op::Stall),
        1 => Just(Op::Compact),
        1 => prop_oneof![Just(500), Just(429), Just(401), Just(403), Just(504)].prop_map(|code| Op::Fail { code }),
        3 => (0..=255u8).prop_map(|seconds| Op::Wait { seconds }),
    ]
}

proptest! {
    #[test]
    fn objects_are_delivered_as_they_happened(ops in vec(op(), 1..120), seed: u64) {
        check(Keeps::Objects, &ops, seed);
    }

    #[test]
    fn events_are_delivered_as_they_happened(ops in vec(op(), 1..120), seed: u64) {
        check(Keeps::Nothing, &ops, seed);
    }
}

#[test]
fn stalled_stream_and_compaction_are_a_gap() {
    let ops = [
        Op::Serve { lines: 0 },
        Op::Serve { lines: 0 },
        Op::Stall,
        Op::Write { name: 1 },
        Op::Delete { name: 1 },
        Op::Compact,
        Op::Wait { seconds: 250 },
    ];
    assert_eq!(check(Keeps::Nothing, &ops, 1), (1, 0));
    assert_eq!(check(Keeps::Objects, &ops, 1), (1, 0));
}

#[test]
fn stalled_stream_alone_loses_nothing() {
    let ops = [Op::Serve { lines: 0 }, Op::Serve { lines: 0 }, Op::Stall, Op::Write { name: 1 }, Op::Delete { name: 1 }];
    assert_eq!(check(Keeps::Nothing, &ops, 1), (0, 0));
    assert_eq!(check(Keeps::Objects, &ops, 1), (0, 0));
}

/// One change, as the server's history has it.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Event {
    revision: u64,
    kind: &'static str,
    name: String,
    uid: String,
}

/// What was delivered: what, how it is known, and which object at which version.
#[derive(Clone, Debug)]
struct Delivered {
    change: Change,
    evidence: Evidence,
    name: String,
    uid: String,
    version: String,
}

/// A request that waits for its answer, or a stream.
#[derive(Clone, Debug)]
enum Open {
    List { token: String, form: Form },
    Asked { from: u64 },
    Stream { at: u64, stalled: Stalled },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stalled {
    No,
    Yes,
}

struct Server {
    keeps: Keeps,
    revision: u64,
    compacted: u64,
    objects: BTreeMap<String, (String, u64)>,
    history: Vec<Event>,
    fail: Option<u16>,
    open: BTreeMap<Ticket, Open>,
}

/// How many objects a page holds.
const PAGE_OF_SERVER: usize = 2;

fn line(kind: &str, name: &str, uid: &str, version: u64) -> String {
    format!(r#"{{"type":"{kind}","object":{{"metadata":{{"name":"{name}","uid":"{uid}","resourceVersion":"{version}"}}}}}}"#)
}

struct Run {
    machine: Machine,
    now: Nanos,
    server: Server,
    delivered: Vec<Delivered>,
    gaps: Vec<Gap>,
    first_list: Option<u64>,
    last_line: Option<(Ticket, String)>,
}

impl Server {
    fn write(&mut self, name: u8) {
        self.revision += 1;
        let name = format!("o{name}");
        let (kind, uid) = match self.objects.get(&name) {
            Some((uid, _)) => ("MODIFIED", uid.clone()),
            None => ("ADDED", format!("u{}", self.revision)),
        };
        self.objects.insert(name.clone(), (uid.clone(), self.revision));
        self.history.push(Event { revision: self.revision, kind, name, uid });
    }

    fn delete(&mut self, name: u8) {
        let name = format!("o{name}");
        if let Some((uid, _)) = self.objects.remove(&name) {
            self.revision += 1;
            self.history.push(Event { revision: self.revision, kind: "DELETED", name, uid });
        }
    }

    /// A page of the state at the revision that its token names; only the present one can be had unless nothing was written since.
    fn page(&self, token: &str) -> Result<String, u16> {
        let (revision, skip) = match token.split_once(':') {
            Some((revision, skip)) => (revision.parse().unwrap(), skip.parse().unwrap()),
            None => (self.revision, 0),
        };
        if revision < self.compacted {
            return Err(410);
        }
        // The state as it was then.
        let mut then: BTreeMap<&str, (&str, u64)> = BTreeMap::new();
        for event in self.history.iter().filter(|event| event.revision <= revision) {
            match event.kind {
                "DELETED" => drop(then.remove(&*event.name)),
                _ => drop(then.insert(&event.name, (&event.uid, event.revision))),
            }
        }
        let items: Vec<String> = then
            .iter()
            .skip(skip)
            .take(PAGE_OF_SERVER)
            .map(|(name, (uid, version))| format!(r#"{{"metadata":{{"name":"{name}","uid":"{uid}","resourceVersion":"{version}"}}}}"#))
            .collect();
        let next = skip + items.len();
        let token = if next < then.len() { format!("{revision}:{next}") } else { String::new() };
        let metadata = format!(r#"{{"resourceVersion":"{revision}","continue":"{token}"}}"#);
        Ok(format!(r#"{{"kind":"PodList","metadata":{metadata},"items":[{}]}}"#, items.join(",")))
    }
}

impl Run {
    fn new(keeps: Keeps, seed: u64) -> Self {
        let server =
            Server { keeps, revision: 1, compacted: 0, objects: BTreeMap::new(), history: Vec::new(), fail: None, open: BTreeMap::new() };
        let machine = Machine::new(Choice::default(), keeps, Jitter::new(seed));
        Self { machine, now: Nanos(0), server, delivered: Vec::new(), gaps: Vec::new(), first_list: None, last_line: None }
    }

    fn give(&mut self, input: Input<'_>) {
        let Self { machine, now, server, delivered, gaps, first_list, .. } = self;
        machine.handle(input, *now, &mut |action| match action {
            Action::List { ticket, continue_token, form, .. } => {
                server.open.insert(ticket, Open::List { token: continue_token.to_owned(), form });
            }
            Action::Watch { ticket, resource_version, .. } => {
                server.open.insert(ticket, Open::Asked { from: resource_version.parse().unwrap() });
            }
            Action::Close(ticket) => drop(server.open.remove(&ticket)),
            Action::Reauthenticate | Action::Missing | Action::Deliver(Delivery::ListBegin) => {}
            Action::Deliver(Delivery::ListEnd { resource_version, .. }) => {
                if let Ok(version) = resource_version.parse() {
                    first_list.get_or_insert(version);
                }
            }
            Action::Deliver(Delivery::Gap(gap)) => gaps.push(gap),
            Action::Deliver(Delivery::Missing(object)) => delivered.push(Delivered {
                change: Change::Deleted,
                evidence: Evidence::Compared,
                name: object.name.to_string(),
                uid: object.uid.to_string(),
                version: String::new(),
            }),
            Action::Deliver(Delivery::Object(changed)) => {
                let metadata = &changed.object.metadata;
                delivered.push(Delivered {
                    change: changed.change,
                    evidence: changed.evidence,
                    name: metadata.name.to_string(),
                    uid: metadata.uid.to_string(),
                    version: metadata.resource_version.to_string(),
                });
            }
        });
    }

    fn tick_when_due(&mut self) {
        if self.machine.next_deadline().is_some_and(|due| due <= self.now) {
            self.give(Input::Tick);
        }
    }

    fn failure(code: u16) -> Failure {
        let message = if code == 504 { "Too large resource version: 10, current: 3" } else { "no" };
        Failure::Status { code, reason: String::new(), message: message.to_owned(), retry_after: None }
    }

    fn serve(&mut self, lines: u8) {
        for ticket in self.server.open.keys().copied().collect::<Vec<_>>() {
            let Some(open) = self.server.open.get(&ticket).cloned() else { continue };
            if let Open::List { .. } | Open::Asked { .. } = open
                && let Some(code) = self.server.fail.take()
            {
                self.server.open.remove(&ticket);
                self.give(Input::Failed(ticket, Self::failure(code)));
                continue;
            }
            match open {
                Open::List { token, form } => {
                    assert!(form == Form::Selected || self.server.keeps == Keeps::Nothing || self.server.compacted < u64::MAX);
                    self.server.open.remove(&ticket);
                    match self.server.page(&token) {
                        Ok(body) => self.give(Input::Page(ticket, &body)),
                        Err(code) => self.give(Input::Failed(ticket, Self::failure(code))),
                    }
                }
                Open::Asked { from } if from < self.server.compacted => {
                    self.server.open.remove(&ticket);
                    self.give(Input::Failed(ticket, Self::failure(410)));
                }
                Open::Asked { from } => {
                    self.server.open.insert(ticket, Open::Stream { at: from, stalled: Stalled::No });
                    self.give(Input::Opened(ticket));
                }
                Open::Stream { stalled: Stalled::Yes, .. } => {}
                Open::Stream { at, stalled: Stalled::No } => self.send(ticket, at, lines),
            }
        }
    }

    fn send(&mut self, ticket: Ticket, mut at: u64, lines: u8) {
        for _ in 0..lines {
            let Some(event) = self.server.history.iter().find(|event| event.revision > at).cloned() else { break };
            if !self.server.open.contains_key(&ticket) {
                return;
            }
            at = event.revision;
            self.server.open.insert(ticket, Open::Stream { at, stalled: Stalled::No });
            let text = line(event.kind, &event.name, &event.uid, event.revision);
            self.give(Input::Line(ticket, &text));
            self.last_line = Some((ticket, text));
        }
    }

    fn step(&mut self, op: Op) {
        match op {
            Op::Write { name } => self.server.write(name),
            Op::Delete { name } => self.server.delete(name),
            Op::Serve { lines } => self.serve(lines),
            Op::Repeat => {
                if let (Keeps::Objects, Some((ticket, text))) = (self.server.keeps, self.last_line.take())
                    && !text.contains("DELETED")
                {
                    self.give(Input::Line(ticket, &text));
                }
            }
            Op::Bookmark => {
                let streams: Vec<(Ticket, u64)> = self.server.open.iter().filter_map(|(ticket, open)| stream(*ticket, open)).collect();
                let has_bookmarks = self.server.keeps == Keeps::Objects;
                for (ticket, at) in streams.into_iter().filter(|_| has_bookmarks) {
                    let text = format!(r#"{{"type":"BOOKMARK","object":{{"metadata":{{"resourceVersion":"{at}"}}}}}}"#);
                    self.give(Input::Line(ticket, &text));
                }
            }
            Op::Cut => {
                for ticket in std::mem::take(&mut self.server.open).into_keys() {
                    self.give(Input::Failed(ticket, Failure::Connection { message: "reset".to_owned() }));
                }
            }
            Op::Stall => {
                for open in self.server.open.values_mut() {
                    if let Open::Stream { stalled, .. } = open {
                        *stalled = Stalled::Yes;
                    }
                }
            }
            Op::Compact => self.server.compacted = self.server.revision,
            Op::Fail { code } => self.server.fail = Some(code),
            Op::Wait { seconds } => self.now = self.now.plus(i64::from(seconds) * 1_000_000_000),
        }
        self.tick_when_due();
    }

    /// Until there is nothing more to come, with a server that works.
    fn settle(&mut self) {
        for _ in 0..200 {
            // Pages, the stream after them, and its lines.
            (0..8).for_each(|_| self.serve(255));
            // Every deadline acts at its own time.
            let due = self.machine.next_deadline().unwrap();
            self.now = self.now.max(due);
            self.tick_when_due();
        }
        (0..8).for_each(|_| self.serve(255));
    }
}

fn stream(ticket: Ticket, open: &Open) -> Option<(Ticket, u64)> {
    match open {
        Open::Stream { at, stalled: Stalled::No } => Some((ticket, *at)),
        Open::Stream { .. } | Open::List { .. } | Open::Asked { .. } => None,
    }
}

/// Runs `ops`, then compares what was delivered with what happened; returns the number of gaps, and of changes that were hidden.
#[track_caller]
fn check(keeps: Keeps, ops: &[Op], seed: u64) -> (usize, usize) {
    let mut run = Run::new(keeps, seed);
    run.machine.begin(Nanos(0), &mut |_| {});
    run.give(Input::Tick);
    for op in ops {
        run.step(*op);
    }
    run.settle();
    let Run { server, delivered, gaps, first_list, machine, .. } = run;

    assert_eq!(machine.status().gaps, gaps.len() as u64);
    if !ops.iter().any(|op| matches!(op, Op::Compact)) && !ops.iter().any(|op| matches!(op, Op::Fail { code: 504 })) {
        assert!(gaps.is_empty(), "nothing was forgotten, but {gaps:?}");
    }
    // Every change after the first list was reported once and in order, except within a gap.
    let begun = first_list.expect("the first list ends");
    let within = |revision: u64| {
        gaps.iter().any(|gap| gap.from_version.parse::<u64>().unwrap() < revision && revision <= gap.to_version.parse().unwrap())
    };
    // Two silent streams in a row can hide an object that came and went between two renewals; nothing else.
    let stalled = ops.iter().any(|op| matches!(op, Op::Stall));
    let seen: BTreeSet<&str> = delivered.iter().map(|one| &*one.uid).collect();
    let deleted: BTreeSet<&str> = server.history.iter().filter(|event| event.kind == "DELETED").map(|event| &*event.uid).collect();
    let hidden = |event: &Event| stalled && deleted.contains(&*event.uid) && !seen.contains(&*event.uid);
    let expected: Vec<_> = server
        .history
        .iter()
        .filter(|event| event.revision > begun && !within(event.revision) && !hidden(event))
        .map(|event| (event.kind, event.name.clone(), event.revision.to_string()))
        .collect();
    let name = |change| match change {
        Change::Added => "ADDED",
        Change::Modified => "MODIFIED",
        Change::Deleted => "DELETED",
    };
    let reported: Vec<_> = delivered
        .iter()
        .filter(|one| one.evidence == Evidence::Reported && one.version.parse::<u64>().is_ok_and(|version| version > begun))
        .map(|one| (name(one.change), one.name.clone(), one.version.clone()))
        .collect();
    assert_eq!(reported, expected);

    // What was delivered adds up to what is there.
    let mut state = BTreeMap::new();
    let mut identities = BTreeSet::new();
    for one in &delivered {
        let fresh =
            identities.insert((one.uid.clone(), if one.change == Change::Deleted { "deleted".to_owned() } else { one.version.clone() }));
        assert!(fresh || keeps == Keeps::Nothing, "twice: {one:?}");
        match one.change {
            Change::Deleted => {
                if state.get(&one.name).is_some_and(|(uid, _)| *uid == one.uid) {
                    state.remove(&one.name);
                }
            }
            Change::Added | Change::Modified => {
                drop(state.insert(one.name.clone(), (one.uid.clone(), one.version.parse::<u64>().unwrap())))
            }
        }
    }
    match keeps {
        Keeps::Objects => {
            assert_eq!(state, server.objects);
            assert_eq!(machine.known().len(), server.objects.len());
        }
        // No deletion is made up for Events: at least what is there was delivered.
        Keeps::Nothing => assert!(server.objects.iter().all(|(name, object)| state.get(name) == Some(object)), "{state:?}"),
    }
    let hidden = server.history.iter().filter(|event| event.revision > begun && !within(event.revision) && hidden(event)).count();
    (gaps.len(), hidden)
}

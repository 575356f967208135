use super::*;
use std::fmt::Write as _;

#[test]
fn pages_follow_each_other_and_the_watch_follows_the_list() {
    let mut run = Run::new(Keeps::Objects);
    run.tick("list");
    run.page(r#"{"resourceVersion":"10","continue":"c1"}"#, &[("a", "u1", 5)], "ADDED a@5; list c1");
    run.page(r#"{"resourceVersion":"10"}"#, &[("b", "u2", 7)], "ADDED b@7; end 10 2; watch 10");
    run.opened("");
    run.line("ADDED", ("c", "u3", 11), "ADDED c@11");
    run.line("BOOKMARK", ("", "", 15), "");
    run.ended_after(1, "watch 15");
}

#[test]
fn first_list_is_announced_before_anything_is_asked() {
    let mut said = Vec::new();
    let mut machine = Machine::new(Choice::default(), Keeps::Objects, Jitter::new(1));
    machine.begin(Nanos(0), &mut |action| said.push(say(&action)));
    assert_eq!(said, ["begin"]);
}

#[test]
fn w13_relist_after_410_reports_exactly_what_changed() {
    let mut run = Run::synced(&[("a", "u1", 1), ("b", "u2", 2), ("c", "u3", 3), ("d", "u4", 4), ("e", "u5", 5)]);
    run.line("ERROR", ("", "", 410), "close; list");
    let objects = [("a", "u1", 1), ("c", "u3", 30), ("d", "u4", 4), ("e", "u5", 5)];
    run.page(
        r#"{"resourceVersion":"40"}"#,
        &objects,
        "begin; MODIFIED! c@30; DELETED b@2; gap 10-40 expired 2 short-lived-objects; end 40 4; watch 40",
    );
    assert_eq!((run.machine.status().gaps, run.machine.status().relists), (1, 1));
}

#[test]
fn expired_continue_token_begins_the_list_anew_without_repeating() {
    let mut run = Run::new(Keeps::Objects);
    run.tick("list");
    run.page(r#"{"resourceVersion":"10","continue":"c1"}"#, &[("a", "u1", 5), ("b", "u2", 6)], "ADDED a@5; ADDED b@6; list c1");
    run.status(410, "Expired", None, "");
    run.wait_for("list");
    run.page(r#"{"resourceVersion":"20","continue":"c2"}"#, &[("a", "u1", 5)], "list c2");
    run.page(r#"{"resourceVersion":"20"}"#, &[("c", "u3", 19)], "ADDED c@19; DELETED b@6; end 20 2; watch 20");
}

#[test]
fn failed_page_is_asked_for_again() {
    let mut run = Run::new(Keeps::Objects);
    run.tick("list");
    run.page(r#"{"resourceVersion":"10","continue":"c1"}"#, &[("a", "u1", 5)], "ADDED a@5; list c1");
    for _ in 0..5 {
        run.status(500, "InternalError", None, "");
        run.wait_for("list c1");
    }
    run.page(r#"{"resourceVersion":"10"}"#, &[("b", "u2", 7)], "ADDED b@7; end 10 2; watch 10");
}

#[test]
fn w8_recreated_object_is_deleted_under_its_own_uid() {
    let mut run = Run::synced(&[("a", "u1", 1)]);
    run.line("DELETED", ("a", "u1", 11), "DELETED a@11");
    run.line("ADDED", ("a", "u2", 12), "ADDED a@12");
    run.line("ERROR", ("", "", 410), "close; list");
    let want = "begin; DELETED a@12; ADDED! a@20; gap 12-30 expired 2 short-lived-objects; end 30 1; watch 30";
    run.page(r#"{"resourceVersion":"30"}"#, &[("a", "u3", 20)], want);
}

#[test]
fn w26_silent_watch_with_bookmarks_is_opened_anew() {
    let mut run = Run::synced(&[]);
    run.line("BOOKMARK", ("", "", 12), "");
    run.pass(179, "");
    run.pass(1, "close; watch 12");
    assert_eq!(run.machine.status().silences, 1);
}

#[test]
fn w26_answer_that_ends_at_once_does_not_spin() {
    let mut run = Run::synced(&[]);
    let began = run.now;
    for _ in 0..10 {
        run.ended_after(0, "");
        run.wait_for("watch 10");
        run.opened("");
    }
    assert!(run.now.since(began) > 60_000_000_000, "ten answers within {} s", run.now.since(began) / 1_000_000_000);
}

#[test]
fn w26_one_line_and_an_end_does_not_spin_either() {
    let mut run = Run::synced(&[]);
    let began = run.now;
    for version in 11..31 {
        run.line("BOOKMARK", ("", "", version), "");
        run.ended_after(0, "");
        run.wait_for(&format!("watch {version}"));
        run.opened("");
    }
    assert!(run.now.since(began) >= 20 * 400_000_000);
}

#[test]
fn w12_stream_that_worked_is_resumed_from_its_last_line() {
    let mut run = Run::synced(&[]);
    run.line("ADDED", ("a", "u1", 11), "ADDED a@11");
    run.pass(1, "");
    run.cut("watch 11");
    run.opened("");
    run.line("ADDED", ("a", "u1", 11), "");
    run.line("MODIFIED", ("a", "u1", 12), "MODIFIED a@12");
}

#[test]
fn w15_refusal_is_reported_and_heals() {
    let mut run = Run::new(Keeps::Objects);
    run.tick("list");
    run.status(403, "Forbidden", None, "end  0");
    assert_eq!(run.machine.status().state, State::Refused);
    run.pass(29, "");
    run.pass(1, "list");
    run.page(r#"{"resourceVersion":"10"}"#, &[("a", "u1", 5)], "begin; ADDED a@5; end 10 1; watch 10");
    run.opened("");
    assert_eq!(run.machine.status().state, State::Watching);
}

#[test]
fn list_that_cannot_be_had_does_not_hold_up_the_others() {
    let mut run = Run::new(Keeps::Objects);
    run.tick("list");
    run.cut("");
    let mut said = String::new();
    while !said.starts_with("end  0") {
        run.now = run.machine.next_deadline().unwrap().max(run.now);
        said = run.give_all(Input::Tick);
        if said == "list" {
            run.cut("");
        }
    }
    assert!(run.now >= Nanos(30_000_000_000) && run.now < Nanos(61_000_000_000), "{}", run.now);
}

#[test]
fn server_is_not_asked_before_it_said() {
    let mut run = Run::synced(&[]);
    run.status(429, "TooManyRequests", Some(100), "");
    run.pass(99, "");
    run.pass(1, "watch 10");
}

#[test]
fn credentials_are_read_again_after_401() {
    let mut run = Run::synced(&[]);
    run.status(401, "Unauthorized", None, "reauthenticate");
    run.wait_for("watch 10");
}

#[test]
fn w16_vanished_collection_takes_its_objects_along() {
    let mut run = Run::synced(&[("a", "u1", 1)]);
    run.status(404, "NotFound", None, "missing");
    let mut said = Vec::new();
    run.machine.vanish(run.now, &mut |action| said.push(say(&action)));
    assert_eq!(said, ["DELETED a@1"]);
    assert_eq!((run.machine.next_deadline(), run.machine.status().state), (None, State::Vanished));
}

#[test]
fn w11_checkpoint_resumes_where_it_was() {
    let mut known = Known::default();
    for name in ["a", "b"] {
        known.observe(&known_object(name, "u1", 5));
    }
    let position = Position { resource_version: "10".to_owned(), at: Nanos(0), population: None };
    let mut run = Run::of(Machine::new(Choice::default(), Keeps::Objects, Jitter::new(3)).resume(position, Some(known)));
    run.tick("watch 10");
    run.opened("");
    run.line("DELETED", ("a", "u1", 11), "DELETED a@11");
    run.line("MODIFIED", ("b", "u1", 12), "MODIFIED b@12");
}

#[test]
fn checkpoint_that_is_too_old_says_so() {
    let position = || Position { resource_version: "10".to_owned(), at: Nanos(0), population: None };
    let machine = || Machine::new(Choice::default(), Keeps::Objects, Jitter::new(3));
    let mut run = Run::of(machine().resume(position(), Some(Known::default())));
    run.tick("watch 10");
    run.status(410, "Expired", None, "list");
    run.page(r#"{"resourceVersion":"20"}"#, &[], "begin; gap 10-20 checkpoint-too-old 0 short-lived-objects; end 20 0; watch 20");
    let mut run = Run::of(machine().resume(position(), None));
    run.tick("watch 10");
    run.opened("");
    run.line("BOOKMARK", ("", "", 11), "");
    run.line("ERROR", ("", "", 410), "close; list");
    run.page(r#"{"resourceVersion":"20"}"#, &[], "begin; gap 11-20 checkpoint-without-objects 0 short-lived-objects; end 20 0; watch 20");
}

#[test]
fn quiet_watch_without_bookmarks_is_renewed_from_its_own_position() {
    let mut run = Run::synced_keeping(Keeps::Nothing, &[("a", "u1", 5)]);
    run.pass(119, "");
    run.pass(1, "metadata");
    run.page(r#"{"resourceVersion":"50"}"#, &[("a", "u1", 5)], "watch 10");
    run.opened("close");
    assert_eq!((run.machine.status().renewals, run.position()), (1, "10".to_owned()));
    run.pass(119, "");
    assert_eq!(run.position(), "10");
    run.pass(1, "metadata");
    assert_eq!(run.position(), "50", "the state at 50 shows nothing later, and a stream from 10 had its time");
}

#[test]
fn line_of_the_old_stream_calls_the_successor_off() {
    let mut run = Run::synced_keeping(Keeps::Nothing, &[]);
    run.pass(120, "metadata");
    run.line_of(run.main, "ADDED", ("a", "u1", 60), "ADDED a@60; close");
    run.page(r#"{"resourceVersion":"70"}"#, &[], "");
    assert_eq!(run.position(), "60");
}

#[test]
fn verified_version_is_not_used_when_something_is_later() {
    let mut run = Run::synced_keeping(Keeps::Nothing, &[]);
    run.pass(120, "metadata");
    // The old stream has not delivered it: it is dead, and the successor replays from before it.
    run.page(r#"{"resourceVersion":"50"}"#, &[("a", "u1", 40)], "watch 10");
    run.opened("close");
    run.line("ADDED", ("a", "u1", 40), "ADDED a@40");
    assert_eq!(run.position(), "40");
}

#[test]
fn changed_object_and_missing_object_each_keep_the_position() {
    for state in [&[("a", "u1", 40)][..], &[]] {
        let mut run = Run::synced_keeping(Keeps::Nothing, &[("a", "u1", 5)]);
        run.pass(120, "metadata");
        run.page(r#"{"resourceVersion":"50"}"#, state, "watch 10");
        run.opened("close");
        run.pass(120, "metadata");
        assert_eq!(run.position(), "10", "{state:?}");
    }
}

#[test]
fn renewal_that_comes_too_late_is_a_gap() {
    let mut run = Run::synced_keeping(Keeps::Nothing, &[]);
    run.pass(120, "metadata");
    run.page(r#"{"resourceVersion":"50"}"#, &[], "watch 10");
    run.status(410, "Expired", None, "close; list");
    let want = "begin; ADDED! a@60; gap 10-70 expired 1 intermediate-versions; end 70 1; watch 70";
    run.page(r#"{"resourceVersion":"70"}"#, &[("a", "u1", 60)], want);
}

#[test]
fn renewal_that_fails_leaves_the_old_stream_alone() {
    let mut run = Run::synced_keeping(Keeps::Nothing, &[]);
    run.pass(120, "metadata");
    run.status(500, "InternalError", None, "");
    run.line_of(run.main, "ADDED", ("a", "u1", 60), "ADDED a@60");
}

#[test]
fn w5_object_that_leaves_its_selector_is_deleted_and_marked() {
    let choice = Choice::any(&[crate::Selection::new("v1/pods").name("a")]).unwrap();
    let mut run = Run::of(Machine::new(choice, Keeps::Objects, Jitter::new(1)));
    run.tick("list");
    run.page(r#"{"resourceVersion":"10"}"#, &[("a", "u1", 1), ("b", "u2", 2)], "ADDED a@1; end 10 1; watch 10");
    run.opened("");
    run.line("MODIFIED", ("b", "u2", 11), "");
    run.line("DELETED", ("b", "u2", 12), "");
    run.machine.choice = Choice::any(&[crate::Selection::new("v1/pods").name("none")]).unwrap();
    run.line("MODIFIED", ("a", "u1", 13), "DELETED< a@13");
    run.machine.choice = Choice::any(&[crate::Selection::new("v1/pods").name("a")]).unwrap();
    run.line("MODIFIED", ("a", "u1", 14), "ADDED a@14");
}

#[test]
fn server_that_forgets_at_once_is_not_asked_without_pause() {
    let mut run = Run::synced(&[]);
    run.line("ERROR", ("", "", 410), "close; list");
    let began = run.now;
    for _ in 0..8 {
        run.check(Input::Page(run.last, &list(r#"{"resourceVersion":"20"}"#, &[])), None);
        run.status(410, "Expired", None, "");
        run.wait_for("list");
    }
    assert!(run.now.since(began) > 20_000_000_000, "eight lists within {} s", run.now.since(began) / 1_000_000_000);
}

#[test]
fn position_of_another_storage_is_noticed_though_nobody_objects() {
    let position = Position { resource_version: "1000".to_owned(), at: Nanos(0), population: None };
    let mut run = Run::of(Machine::new(Choice::default(), Keeps::Nothing, Jitter::new(3)).resume(position, None));
    run.tick("watch 1000");
    run.opened("");
    run.pass(120, "metadata");
    run.page(r#"{"resourceVersion":"30"}"#, &[], "close; list");
    let want = "begin; ADDED! a@20; gap 1000-30 rewound 1 intermediate-versions; end 30 1; watch 30";
    run.page(r#"{"resourceVersion":"30"}"#, &[("a", "u1", 20)], want);
}

#[test]
fn unreadable_answers_are_failures_and_then_a_gap() {
    let mut run = Run::synced(&[]);
    for _ in 0..3 {
        run.text("<html>", "close");
        run.wait_for("watch 10");
        run.opened("");
    }
    run.text("<html>", "close; list");
    run.page(r#"{"resourceVersion":"20"}"#, &[], "begin; gap 10-20 unreadable 0 short-lived-objects; end 20 0; watch 20");
}

#[test]
fn server_whose_versions_lie_behind_is_listed() {
    let mut run = Run::synced(&[]);
    for _ in 0..3 {
        run.status(504, "Timeout", None, "");
        run.wait_for("watch 10");
    }
    run.status(504, "Timeout", None, "list");
}

fn known_object(name: &str, uid: &str, version: u64) -> crate::known::KnownObject<'static> {
    crate::known::KnownObject {
        namespace: "".into(),
        name: name.to_owned().into(),
        uid: crate::known::Uid::new(uid),
        version: Version::new(&version.to_string()),
        labels: "".into(),
        owner_references: "".into(),
    }
}

fn object((name, uid, version): (&str, &str, u64)) -> String {
    format!(r#"{{"metadata":{{"name":"{name}","uid":"{uid}","resourceVersion":"{version}"}}}}"#)
}

fn say(action: &Action<'_>) -> String {
    match action {
        Action::List { form: Form::Metadata, .. } => "metadata".to_owned(),
        Action::List { continue_token: "", .. } => "list".to_owned(),
        Action::List { continue_token, .. } => format!("list {continue_token}"),
        Action::Watch { resource_version, .. } => format!("watch {resource_version}"),
        Action::Close(_) => "close".to_owned(),
        Action::Reauthenticate => "reauthenticate".to_owned(),
        Action::Missing => "missing".to_owned(),
        Action::Deliver(Delivery::ListBegin) => "begin".to_owned(),
        Action::Deliver(Delivery::ListEnd { resource_version, objects }) => format!("end {resource_version} {objects}"),
        Action::Deliver(Delivery::Missing(object)) => format!("DELETED {}@{}", object.name, object.version),
        Action::Deliver(Delivery::Gap(gap)) => {
            let (from, to) = (&gap.from_version, &gap.to_version);
            format!("gap {from}-{to} {} {} {}", gap.cause.name(), gap.recovered, gap.lost.name())
        }
        Action::Deliver(Delivery::Object(changed)) => {
            let mut said = match changed.change {
                Change::Added => "ADDED".to_owned(),
                Change::Modified => "MODIFIED".to_owned(),
                Change::Deleted => "DELETED".to_owned(),
            };
            said.push_str(match changed.evidence {
                Evidence::Reported => "",
                Evidence::Compared => "!",
                Evidence::LeftSelector => "<",
                Evidence::ComparedLeftSelector => "!<",
            });
            let metadata = &changed.object.metadata;
            let _ = write!(said, " {}@{}", &*metadata.name, &*metadata.resource_version);
            said
        }
    }
}

/// A machine, the moment, and the requests that are open.
struct Run {
    machine: Machine,
    now: Nanos,
    /// The latest request.
    last: Ticket,
    /// The stream that is open.
    main: Ticket,
}

impl Run {
    fn new(keeps: Keeps) -> Self {
        Self::of(Machine::new(Choice::default(), keeps, Jitter::new(1)))
    }

    fn of(mut machine: Machine) -> Self {
        machine.begin(Nanos(0), &mut |_| {});
        Self { machine, now: Nanos(0), last: Ticket(0), main: Ticket(0) }
    }

    /// After a first list at version 10, with its watch open.
    fn synced(objects: &[(&str, &str, u64)]) -> Self {
        Self::synced_keeping(Keeps::Objects, objects)
    }

    fn synced_keeping(keeps: Keeps, objects: &[(&str, &str, u64)]) -> Self {
        let mut run = Self::new(keeps);
        run.tick("list");
        run.check(Input::Page(run.last, &list(r#"{"resourceVersion":"10"}"#, objects)), None);
        run.opened("");
        run
    }

    #[track_caller]
    fn page(&mut self, metadata: &str, objects: &[(&str, &str, u64)], want: &str) {
        self.check(Input::Page(self.last, &list(metadata, objects)), Some(want));
    }

    #[track_caller]
    fn opened(&mut self, want: &str) {
        self.check(Input::Opened(self.last), Some(want));
        self.main = self.last;
    }

    #[track_caller]
    fn line(&mut self, kind: &str, about: (&str, &str, u64), want: &str) {
        self.line_of(self.last, kind, about, want);
    }

    #[track_caller]
    fn line_of(&mut self, ticket: Ticket, kind: &str, about: (&str, &str, u64), want: &str) {
        let object = if kind == "ERROR" {
            format!(r#"{{"kind":"Status","code":{},"reason":"Expired","message":"too old resource version"}}"#, about.2)
        } else {
            object(about)
        };
        let text = format!(r#"{{"type":"{kind}","object":{object}}}"#);
        self.check(Input::Line(ticket, &text), Some(want));
    }

    #[track_caller]
    fn text(&mut self, text: &str, want: &str) {
        self.check(Input::Line(self.last, text), Some(want));
    }

    #[track_caller]
    fn status(&mut self, code: u16, reason: &str, retry_after: Option<u64>, want: &str) {
        let message = if code == 504 { "Too large resource version: 10, current: 3".to_owned() } else { "so it is".to_owned() };
        let failure = Failure::Status { code, reason: reason.to_owned(), message, retry_after: retry_after.map(Duration::from_secs) };
        self.check(Input::Failed(self.last, failure), Some(want));
    }

    #[track_caller]
    fn cut(&mut self, want: &str) {
        self.check(Input::Failed(self.last, Failure::Connection { message: "reset".to_owned() }), Some(want));
    }

    #[track_caller]
    fn ended_after(&mut self, seconds: i64, want: &str) {
        self.now = self.now.plus(seconds * 1_000_000_000);
        self.check(Input::Ended(self.last), Some(want));
    }

    #[track_caller]
    fn tick(&mut self, want: &str) {
        self.check(Input::Tick, Some(want));
    }

    /// Lets seconds pass, with a tick at their end.
    #[track_caller]
    fn pass(&mut self, seconds: i64, want: &str) {
        self.now = self.now.plus(seconds * 1_000_000_000);
        self.tick(want);
    }

    #[track_caller]
    fn wait_for(&mut self, want: &str) {
        for _ in 0..5 {
            self.now = self.machine.next_deadline().unwrap().max(self.now);
            let said = self.give_all(Input::Tick);
            if !said.is_empty() && said != "end  0" {
                assert_eq!(said, want);
                return;
            }
        }
        panic!("nothing is asked");
    }

    #[track_caller]
    fn check(&mut self, input: Input<'_>, want: Option<&str>) {
        let said = self.give_all(input);
        if let Some(want) = want {
            assert_eq!(said, want);
        }
    }

    fn give_all(&mut self, input: Input<'_>) -> String {
        let (mut said, mut last) = (Vec::new(), self.last);
        self.machine.handle(input, self.now, &mut |action| {
            if let Action::List { ticket, .. } | Action::Watch { ticket, .. } = &action {
                last = *ticket;
            }
            said.push(say(&action));
        });
        self.last = last;
        said.join("; ")
    }

    fn position(&self) -> String {
        self.machine.position().unwrap().resource_version.clone()
    }
}

fn list(metadata: &str, objects: &[(&str, &str, u64)]) -> String {
    let items: Vec<_> = objects.iter().map(|one| object(*one)).collect();
    format!(r#"{{"kind":"PodList","apiVersion":"v1","metadata":{metadata},"items":[{}]}}"#, items.join(","))
}

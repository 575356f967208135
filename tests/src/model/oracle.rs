//! What must come out: every occurrence is kept in a list, and every question is a scan of it.

use std::collections::BTreeSet;

use faro_core::GroupBy;
use serde_json::Value;

use super::cluster::Input;
use super::report::{Counter, Report, moment, text};
use super::setup::{SECOND, Setup};
use super::verdict::{HIGH, Raise, Verdict, judge};

/// Of more occurrences that lie further apart than the window nobody wants to hear one by one.
const MOST_APART: u32 = 1024;

/// Whose occurrences a group holds: kind, namespace, name and uid of the object, type, reason and family.
pub(super) type Key = [String; 7];

/// A group as it must be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expected {
    pub(super) key: Key,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) count: u64,
    pub(super) severity: u8,
    pub(super) events: usize,
    pub(super) messages: usize,
    /// The messages of its latest occurrences; which one is printed when there are several is for the engine to say.
    pub(super) latest: BTreeSet<String>,
}

/// Occurrences that came in together, and stay together.
#[derive(Clone, Debug)]
struct Stretch {
    object: [String; 4],
    type_: String,
    reason: String,
    verdict: Verdict,
    counter: Counter,
    message: String,
    from: i64,
    to: i64,
    count: u64,
}

/// Which version of an object was seen.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Version {
    Deleted,
    Numbered(u64),
    Content(String),
}

/// What was seen last of an object.
#[derive(Clone, Debug)]
struct Seen {
    identity: String,
    /// The last one that was not a deletion.
    version: Version,
    at: i64,
    timed: bool,
    deleted: bool,
}

/// What must have been counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Totals {
    pub(super) occurrences: u64,
    pub(super) events: u64,
    pub(super) objects: u64,
    pub(super) repeated: u64,
    pub(super) late: u64,
    pub(super) clamped: u64,
}

/// Keeps all there was.
#[derive(Clone, Debug)]
pub struct Oracle {
    setup: Setup,
    now: i64,
    lists: Vec<&'static str>,
    seen: Vec<Seen>,
    history: Vec<(Counter, (i64, u32))>,
    stretches: Vec<Stretch>,
    forgotten: Vec<Expected>,
    owners: Vec<([String; 3], String)>,
    totals: Totals,
}

impl Oracle {
    /// Makes an oracle that has seen nothing.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self {
            setup,
            now: i64::MIN,
            lists: Vec::new(),
            seen: Vec::new(),
            history: Vec::new(),
            stretches: Vec::new(),
            forgotten: Vec::new(),
            owners: Vec::new(),
            totals: Totals::default(),
        }
    }

    /// Takes one input.
    pub fn take(&mut self, now: i64, input: &Input) {
        self.advance(now);
        match input {
            Input::Line(line) => self.line(&serde_json::from_str(line).expect("the cluster writes JSON")),
            Input::Begin(scope) => {
                if !self.lists.contains(scope) {
                    self.lists.push(scope);
                }
            }
            Input::End(scope) => {
                self.lists.retain(|open| open != scope);
                self.advance(now);
            }
            Input::Tick | Input::Restart => {}
        }
    }

    /// Ends all lists.
    pub fn flush(&mut self) {
        self.lists.clear();
        self.advance(self.now);
    }

    /// Whether a list is open, so that nothing is due.
    #[must_use]
    pub fn is_listing(&self) -> bool {
        !self.lists.is_empty()
    }

    pub(super) const fn totals(&self) -> Totals {
        self.totals
    }

    /// Every group there ever was, those that take nothing any more first.
    #[must_use]
    pub fn groups(&self) -> Vec<Expected> {
        let kept = self.clusters().into_iter().map(|members| self.describe(&members));
        self.forgotten.iter().cloned().chain(kept).collect()
    }

    /// Lets time pass: outside of lists, what was closed for long enough takes nothing any more.
    pub fn advance(&mut self, now: i64) {
        self.now = self.now.max(now);
        if self.is_listing() {
            return;
        }
        let keep = self.setup.window_nanos() + 1 + self.setup.lateness * SECOND;
        for members in self.clusters() {
            let group = self.describe(&members);
            if group.last + keep <= self.now {
                self.forgotten.push(group);
                members.iter().for_each(|&at| self.stretches[at].count = 0);
            }
        }
        self.stretches.retain(|stretch| stretch.count > 0);
    }

    /// Single linkage: sorted by key and start, a stretch joins what lies no further before it than the window.
    fn clusters(&self) -> Vec<Vec<usize>> {
        let mut order: Vec<(Key, i64, usize)> =
            self.stretches.iter().enumerate().map(|(at, stretch)| (self.key(stretch), stretch.from, at)).collect();
        order.sort();
        let mut clusters: Vec<Vec<usize>> = Vec::new();
        let mut reach: Option<(Key, i64)> = None;
        for (key, from, at) in order {
            let to = self.stretches[at].to;
            match (&mut reach, clusters.last_mut()) {
                (Some((known, end)), Some(cluster)) if *known == key && from <= *end + self.setup.window_nanos() => {
                    *end = to.max(*end);
                    cluster.push(at);
                }
                _ => {
                    reach = Some((key, to));
                    clusters.push(vec![at]);
                }
            }
        }
        clusters
    }

    fn key(&self, stretch: &Stretch) -> Key {
        let [kind, namespace, name, uid] = stretch.object.clone();
        let own = [kind.clone(), namespace.clone(), name.clone()];
        let owner = self.owners.iter().find(|(owned, _)| *owned == own).map(|(_, owner)| owner.clone());
        let [kind, namespace, name, uid] = match (self.setup.group_by, owner) {
            (GroupBy::Object, _) => [kind, namespace, name, uid],
            (GroupBy::Workload, Some(owner)) => ["DaemonSet".to_owned(), namespace, owner, String::new()],
            (GroupBy::Workload, None) => [kind, namespace, name, String::new()],
            (GroupBy::Reason, _) => Default::default(),
        };
        [kind, namespace, name, uid, stretch.type_.clone(), stretch.reason.clone(), stretch.verdict.family.to_owned()]
    }

    fn describe(&self, members: &[usize]) -> Expected {
        let members: Vec<&Stretch> = members.iter().map(|&at| &self.stretches[at]).collect();
        let first = members.iter().map(|member| member.from).min().unwrap_or_default();
        let last = members.iter().map(|member| member.to).max().unwrap_or_default();
        let count = members.iter().map(|member| member.count).sum();
        let raised = members.iter().filter_map(|member| member.verdict.raise).any(|raise| match raise {
            Raise::After(least) => count >= least,
            Raise::Lasting(seconds) => last - first >= seconds * SECOND,
        });
        let worst = members.iter().map(|member| member.verdict.severity).max().unwrap_or_default();
        Expected {
            key: self.key(members[0]),
            first,
            last,
            count,
            severity: if raised { worst.max(HIGH) } else { worst },
            events: members.iter().map(|member| &member.counter).collect::<BTreeSet<_>>().len(),
            messages: members.iter().map(|member| &member.message).collect::<BTreeSet<_>>().len(),
            latest: members.iter().filter(|member| member.to == last).map(|member| member.message.clone()).collect(),
        }
    }

    fn line(&mut self, line: &Value) {
        let (observed, object) = match line.get("object") {
            Some(object) => (moment(&line["receivedAt"]), object),
            None => (None, line),
        };
        let deleted = line["object"].is_object() && line["type"] == "DELETED";
        let is_event = object["kind"] == "Event";
        if is_event {
            self.totals.events += 1;
        } else {
            self.totals.objects += 1;
        }
        let report = Report::read(object, observed.unwrap_or(self.now));
        if (self.setup.events || !is_event) && self.is_repeat(object, &report, deleted, observed) {
            self.totals.repeated += 1;
            if !is_event {
                return;
            }
        }
        if !is_event {
            self.learn(object);
        } else if !deleted {
            self.count(report);
        }
    }

    fn is_repeat(&mut self, object: &Value, report: &Report, deleted: bool, observed: Option<i64>) -> bool {
        let metadata = &object["metadata"];
        let identity = match text(&metadata["uid"]).as_str() {
            "" => format!("{}/{}/{}", object["kind"], metadata["namespace"], metadata["name"]),
            uid => format!("{}/{uid}", object["kind"]),
        };
        let version = match metadata["resourceVersion"].as_str() {
            _ if deleted => Version::Deleted,
            Some(version) => Version::Numbered(version.parse().expect("the cluster numbers its versions")),
            None => Version::Content(format!("{:?}", (&report.reason, &report.message, &report.type_, report.count, report.last))),
        };
        let at = observed.unwrap_or(self.now);
        let Some(known) = self.seen.iter_mut().find(|known| known.identity == identity) else {
            self.seen.push(Seen { identity, version, at, timed: observed.is_some(), deleted });
            return false;
        };
        // Two deliveries have an order of their own; of anything else only the versions tell.
        let delivered = observed.is_some() && known.timed && at != known.at;
        let older = match (&version, &known.version) {
            _ if delivered => at < known.at,
            (Version::Numbered(version), Version::Numbered(known)) => version < known,
            _ => false,
        };
        let same = if deleted { known.deleted } else { known.version == version && !(delivered && known.deleted) };
        if older || same {
            return true;
        }
        known.deleted = deleted;
        if !deleted {
            known.version = version;
        }
        known.timed |= observed.is_some();
        known.at = known.at.max(at);
        false
    }

    fn learn(&mut self, object: &Value) {
        let owner = text(&object["metadata"]["ownerReferences"][0]["name"]);
        let owned = [text(&object["kind"]), text(&object["metadata"]["namespace"]), text(&object["metadata"]["name"])];
        if !owner.is_empty() && self.owners.iter().all(|(known, _)| *known != owned) {
            self.owners.push((owned, owner));
        }
    }

    /// Compares a count with all that its counter ever showed.
    fn count(&mut self, report: Report) {
        let shown = self.history.iter().filter(|(counter, _)| *counter == report.counter).map(|(_, shown)| *shown).max();
        let (last, count) = (report.last, report.count);
        self.history.push((report.counter.clone(), (last, count)));
        let window = i128::from(self.setup.window_nanos());
        let mut spans = Vec::new();
        match shown {
            None => spans.push((report.first, last, count)),
            Some(shown) if (last, count) <= shown || count == shown.1 => {}
            Some((after, known)) => {
                let more = if count > known { count - known } else { count };
                let (length, parts) = (i128::from(last - after), i128::from(more));
                let step = |steps: i128| after + i64::try_from(steps).expect("a step within the run");
                if length <= parts * window {
                    spans.push((step((length + parts - 1) / parts).min(last), last, more));
                } else if more > MOST_APART {
                    spans.push((last, last, more));
                } else {
                    spans.extend((1..=parts).map(|part| (step(length * part / parts), step(length * part / parts), 1)));
                }
            }
        }
        let total: u32 = spans.iter().map(|(_, _, count)| count).sum();
        self.totals.occurrences += u64::from(total);
        self.totals.clamped += u64::from(total > 0 && report.clamped);
        let watermark = self.now.saturating_sub(self.setup.lateness * SECOND);
        self.totals.late += u64::from(total > 0 && !self.is_listing() && last < watermark);
        let verdict = judge(&report.reason, &report.type_, &report.message);
        self.stretches.extend(spans.into_iter().map(|(from, to, count)| Stretch {
            object: report.object.clone(),
            type_: report.type_.clone(),
            reason: report.reason.clone(),
            verdict,
            counter: report.counter.clone(),
            message: report.message.clone(),
            from,
            to,
            count: count.into(),
        }));
    }
}

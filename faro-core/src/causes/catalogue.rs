//! The causes that ship with the engine.

use super::template::{Captures, Template};
use crate::record::Category;
use crate::severity::{Pattern, Severity};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

const TEXT: &str = include_str!("causes.yaml");

/// A cause's number.
pub(crate) type CauseId = u16;

/// One cause: how it shows, what it explains, and what to do.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CauseEntry {
    code: Box<str>,
    category: Category,
    title: Box<str>,
    explanation: Box<str>,
    pub(crate) root: Root,
    #[serde(default)]
    pub(crate) scope: Scope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phase: Option<Phase>,
    severity: Severity,
    confidence: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lag: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fades: Option<u32>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) flaps: bool,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    events: Box<[EventClause]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    states: Box<[StateClause]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    changes: Box<[ChangeClause]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) requires: Box<[Requirement]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    explains: Box<[Category]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    actions: Box<[Remedy]>,
}

/// Something to check or do about a cause; what stands in braces is filled in.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Remedy {
    pub(crate) title: Box<str>,
    pub(crate) command: Box<str>,
    pub(crate) why: Box<str>,
    pub(crate) read_only: bool,
}

/// An Event that speaks for a cause.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct EventClause {
    reason: Box<[Box<str>]>,
    #[serde(default)]
    message: Box<[Template]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
}

/// A state that speaks for a cause.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct StateClause {
    name: Box<[Pattern]>,
    #[serde(default)]
    message: Box<[Template]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<u32>,
}

/// A change that may be a cause.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ChangeClause {
    kind: Box<[Box<str>]>,
    path: Box<[Pattern]>,
}

/// Which object to look at first.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Root {
    /// The object that shows it.
    #[serde(rename = "self")]
    Itself,
    /// Its workload.
    Workload,
    /// The node it runs on, or the one that reports.
    Node,
    /// The quota that the text names.
    Quota,
    /// The daemon pod on the node that the text names.
    Agent,
    /// The node of the control plane.
    ControlPlane,
    /// The object that changed.
    Config,
}

/// What makes two symptoms one incident.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", from = "String", into = "String")]
pub(crate) enum Scope {
    /// The same root.
    #[default]
    Root,
    /// The same cause, wherever.
    Cause,
    /// The agents of one daemon.
    Agent,
    /// The same extracted word.
    Word(Box<str>),
}

impl From<String> for Scope {
    fn from(text: String) -> Self {
        match &*text {
            "root" => Self::Root,
            "cause" => Self::Cause,
            "agent" => Self::Agent,
            _ => Self::Word(text.into()),
        }
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Root => "root".to_owned(),
            Scope::Cause => "cause".to_owned(),
            Scope::Agent => "agent".to_owned(),
            Scope::Word(word) => word.into(),
        }
    }
}

/// How far a pod has come.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// It has no node yet.
    Scheduling,
    /// It has a node, and its containers do not exist yet.
    Starting,
    /// Its containers were started at least once.
    Running,
}

/// What has to be so for a cause to be possible.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Requirement {
    /// Pods that the object owes do not exist.
    PodsMissing,
    /// Pods of the namespace name claims that do not exist.
    ClaimsMissing,
    /// A pod waits for the claim.
    ClaimNeeded,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl CauseEntry {
    /// The stable name.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The kind of cause.
    #[must_use]
    pub const fn category(&self) -> Category {
        self.category
    }

    /// What it is, in a few words, with places in braces.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Why it explains what is seen, with places in braces.
    #[must_use]
    pub fn explanation(&self) -> &str {
        &self.explanation
    }

    /// How bad it is when it is the cause.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// How sure it is on its own.
    #[must_use]
    pub const fn confidence(&self) -> f64 {
        self.confidence
    }

    /// What to check and do, in order.
    #[must_use]
    pub fn actions(&self) -> &[Remedy] {
        &self.actions
    }

    /// Whether symptoms of that category on what depends on the root are due to it.
    pub(crate) fn explains(&self, category: Category) -> bool {
        self.explains.contains(&category)
    }

    /// How long before a symptom a change may lie, in seconds.
    pub(crate) fn lag(&self) -> u32 {
        self.lag.unwrap_or(1_800)
    }

    /// Reads a state; with it, how many seconds it has to last.
    pub(crate) fn state(&self, name: &str, text: &str) -> Option<(Captures, u32)> {
        self.states.iter().find_map(|clause| {
            if !clause.name.iter().any(|pattern| pattern.matches(name)) {
                return None;
            }
            let captures = if clause.message.is_empty() {
                Some(Captures::new())
            } else {
                clause.message.iter().find_map(|template| template.read(text))
            };
            captures.map(|captures| (captures, clause.after.unwrap_or(0)))
        })
    }

    /// Whether a change of that field of an object of that kind may be it.
    pub(crate) fn change(&self, kind: &str, path: &str) -> bool {
        self.changes
            .iter()
            .any(|clause| clause.kind.iter().any(|one| **one == *kind) && clause.path.iter().any(|pattern| pattern.matches(path)))
    }

    pub(crate) fn of_changes(&self) -> bool {
        !self.changes.is_empty()
    }
}

/// Every cause, found by what an Event or a state says.
///
/// # Example
///
/// ```
/// use faro_core::causes::Causes;
///
/// let cause = Causes::builtin().find("image-not-found").ok_or("unknown")?;
/// assert!(cause.confidence() > 0.9);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug)]
pub struct Causes {
    entries: Vec<CauseEntry>,
    by_reason: HashMap<Box<str>, Vec<(CauseId, u16)>>,
}

/// What an Event says about a cause.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reported {
    pub(crate) cause: CauseId,
    pub(crate) captures: Captures,
    /// So often it has to be reported where no object tells its state.
    pub(crate) times: Option<u32>,
}

impl Causes {
    /// The catalogue that ships with the engine.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Causes> = OnceLock::new();
        // A test reads the whole file; one that could not be read would explain nothing.
        BUILTIN.get_or_init(|| Self::new(read(TEXT).unwrap_or_default()))
    }

    fn new(entries: Vec<CauseEntry>) -> Self {
        let mut by_reason: HashMap<Box<str>, Vec<(CauseId, u16)>> = HashMap::new();
        for (id, entry) in (0..).zip(&entries) {
            for (place, clause) in (0..).zip(&entry.events) {
                for reason in &clause.reason {
                    by_reason.entry(reason.clone()).or_default().push((id, place));
                }
            }
        }
        Self { entries, by_reason }
    }

    /// Every cause, in file order.
    pub fn entries(&self) -> impl Iterator<Item = &CauseEntry> {
        self.entries.iter()
    }

    /// The cause of that name.
    #[must_use]
    pub fn find(&self, code: &str) -> Option<&CauseEntry> {
        self.entries.iter().find(|entry| &*entry.code == code)
    }

    pub(crate) fn id(&self, code: &str) -> Option<CauseId> {
        self.entries.iter().position(|entry| &*entry.code == code).and_then(|id| CauseId::try_from(id).ok())
    }

    pub(crate) fn entry(&self, id: CauseId) -> &CauseEntry {
        &self.entries[usize::from(id)]
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = (CauseId, &CauseEntry)> {
        (0..).zip(&self.entries)
    }

    /// Whether any cause shows in Events with that reason.
    pub(crate) fn knows(&self, reason: &str) -> bool {
        self.by_reason.contains_key(reason)
    }

    /// The cause that an Event speaks for most clearly.
    pub(crate) fn reported(&self, reason: &str, message: &str) -> Option<Reported> {
        let mut best: Option<Reported> = None;
        for &(id, place) in self.by_reason.get(reason)? {
            let entry = self.entry(id);
            if best.as_ref().is_some_and(|best| self.entry(best.cause).confidence >= entry.confidence) {
                continue;
            }
            let clause = &entry.events[usize::from(place)];
            if let Some(captures) = clause.message.iter().find_map(|template| template.read(message)) {
                best = Some(Reported { cause: id, captures, times: clause.times });
            }
        }
        best
    }
}

fn read(text: &str) -> Result<Vec<CauseEntry>, serde_saphyr::Error> {
    let options = serde_saphyr::options! { budget: None, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_cause_reads_and_has_a_name_of_its_own() {
        let entries = read(TEXT).unwrap();
        assert!(entries.len() >= 60);
        let codes: BTreeSet<&str> = entries.iter().map(CauseEntry::code).collect();
        assert_eq!(codes.len(), entries.len());
        for entry in &entries {
            assert!(entry.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", entry.code);
            assert!((0.0..=1.0).contains(&entry.confidence), "{}", entry.code);
            assert!(!entry.actions.is_empty(), "{}", entry.code);
            assert!(!entry.events.is_empty() || !entry.states.is_empty() || !entry.changes.is_empty(), "{}", entry.code);
        }
    }

    #[test]
    fn every_category_has_a_cause() {
        let known: BTreeSet<Category> = Causes::builtin().entries().map(CauseEntry::category).collect();
        assert_eq!(known, BTreeSet::from(Category::ALL));
    }

    #[test]
    fn every_pattern_compiles() {
        for entry in Causes::builtin().entries() {
            let templates =
                entry.events.iter().flat_map(|clause| &clause.message).chain(entry.states.iter().flat_map(|clause| &clause.message));
            for template in templates {
                assert!(template.compiles(), "{}: {template}", entry.code);
            }
        }
    }

    #[test]
    fn messages_lead_to_the_cause_they_name() {
        for (reason, message, code, captured) in [
            (
                "Failed",
                r#"Failed to pull image "reg.example/a:9": rpc error: code = NotFound desc = x: not found"#,
                "image-not-found",
                ("image", "reg.example/a:9"),
            ),
            (
                "Failed",
                r#"Failed to pull image "reg.example/a:9": pull QPS: 429 Too Many Requests"#,
                "registry-rate-limit",
                ("registry", "reg.example"),
            ),
            (
                "Failed",
                r#"Failed to pull image "reg.example/a:9": dial tcp: lookup reg.example on 10.0.0.2:53: no such host"#,
                "registry-name-unresolved",
                ("registry", "reg.example"),
            ),
            (
                "FailedCreate",
                r#"Error creating: pods "a-1" is forbidden: exceeded quota: team, requested: pods=1, used: pods=9, limited: pods=9"#,
                "quota-exceeded",
                ("quota", "team"),
            ),
            (
                "FailedScheduling",
                "0/5 nodes are available: 1 node(s) were unschedulable, 4 Insufficient memory. preemption: 0/5 nodes are available: 5 No preemption victims found for incoming pod.",
                "insufficient-resources",
                ("resource", "memory"),
            ),
            (
                "FailedScheduling",
                "0/5 nodes are available: 5 node(s) had untolerated taint {team: a}. preemption: x",
                "taint-not-tolerated",
                ("taint", "team: a"),
            ),
            ("FailedMount", r#"MountVolume.SetUp failed for volume "v" : secret "tls" not found"#, "secret-missing", ("secret", "tls")),
            (
                "FailedCreatePodSandBox",
                r#"Failed to create pod sandbox: rpc error: plugin type="cilium-cni" name="cilium" failed (add): unable to connect to Cilium daemon"#,
                "cni-agent-down",
                ("plugin", "cilium-cni"),
            ),
        ] {
            let reported = Causes::builtin().reported(reason, message).unwrap();
            assert_eq!(Causes::builtin().entry(reported.cause).code(), code, "{message}");
            assert_eq!(reported.captures.get(captured.0).map(String::as_str), Some(captured.1), "{message}");
        }
    }
}

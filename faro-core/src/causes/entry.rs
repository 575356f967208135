//! One cause as it is written down.

use super::template::{Captures, Template};
use super::told::Told;
use crate::record::Category;
use crate::severity::{Pattern, Severity};
use serde::{Deserialize, Serialize};

/// One cause: how it shows, what it explains, and what to do.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CauseEntry {
    pub(super) code: Box<str>,
    category: Category,
    title: Box<str>,
    explanation: Box<str>,
    pub(crate) root: Root,
    #[serde(default)]
    pub(crate) scope: Scope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phase: Option<Phase>,
    severity: Severity,
    pub(super) confidence: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lag: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fades: Option<u32>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) flaps: bool,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) events: Box<[EventClause]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) states: Box<[StateClause]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(super) changes: Box<[ChangeClause]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) requires: Box<[Requirement]>,
    /// The cause that it may be instead where that fails, if the text speaks for it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) otherwise: Option<Box<str>>,
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
pub(super) struct EventClause {
    pub(super) reason: Box<[Box<str>]>,
    #[serde(default)]
    pub(super) message: Box<[Template]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) times: Option<u32>,
}

/// A state that speaks for a cause.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct StateClause {
    name: Box<[Pattern]>,
    #[serde(default)]
    pub(super) message: Box<[Template]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<u32>,
}

/// A change that may be a cause.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ChangeClause {
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
    /// The Service that the text names, as a webhook's.
    Service,
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
    /// No node is known that has the labels which the pod asks for.
    NodesLackLabels,
    /// The pod cannot pull an image.
    PullFails,
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

    /// Whether it keeps pods from running at all, so that it is over only when something says so.
    pub(crate) fn is_obstacle(&self) -> bool {
        matches!(self.phase, Some(Phase::Scheduling | Phase::Starting))
            || self.events.iter().any(|clause| clause.reason.iter().any(|reason| &**reason == "FailedCreate"))
    }

    /// How long before a symptom a change may lie, in seconds.
    pub(crate) fn lag(&self) -> u32 {
        self.lag.unwrap_or(1_800)
    }

    /// Reads a state; with it, how many seconds it has to last.
    pub(crate) fn state(&self, name: &str, told: &Told<'_>) -> Option<(Captures, u32)> {
        let named = self.states.iter().filter(|clause| clause.name.iter().any(|pattern| pattern.matches(name)));
        named.into_iter().find_map(|clause| told.read(&clause.message).map(|captures| (captures, clause.after.unwrap_or(0))))
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

    /// Every pattern of a message.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        self.events.iter().flat_map(|clause| &clause.message).chain(self.states.iter().flat_map(|clause| &clause.message))
    }
}

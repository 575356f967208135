//! The severity stage: one report in, how bad it is and what happened out.

use super::catalogue::{Catalogue, Entry, TEXT};
use super::user::UserRules;
use super::{Escalation, Family, Severity};
use crate::causes::Causes;
use crate::report::Report;
use std::collections::BTreeMap;
use std::sync::Arc;
use twox_hash::XxHash3_64;

/// What the rules say about a report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// How bad it is, before what its group adds.
    pub severity: Severity,
    /// What happened.
    pub family: Family,
    /// Which rule decided.
    pub rule: RuleId,
}

/// Names the rule that decided, for as long as [`Rules::fingerprint`] stays the same.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RuleId(u16);

impl RuleId {
    /// No rule knows the reason: its type decided.
    pub const DEFAULT: Self = Self(0);

    /// The number of the rule.
    #[must_use]
    pub const fn index(self) -> u16 {
        self.0
    }

    /// The rule of that number; one that does not exist counts as [`RuleId::DEFAULT`].
    #[must_use]
    pub const fn from_index(index: u16) -> Self {
        Self(index)
    }
}

impl From<u16> for RuleId {
    fn from(index: u16) -> Self {
        Self(index)
    }
}

impl From<RuleId> for u16 {
    fn from(rule: RuleId) -> Self {
        rule.0
    }
}

/// User rules first, then the catalogue, then the default by type: Warning is medium, anything else info.
///
/// # Memory
///
/// The catalogue exists once in a program; clones share the user rules.
///
/// # Example
///
/// ```
/// use faro_core::input::{self, Body};
/// use faro_core::severity::{Family, Rules, Severity};
/// use faro_core::{Nanos, Report};
///
/// let item = input::read(r#"{"kind":"Event","metadata":{"name":"web-1.17a"},"type":"Normal",
///     "reason":"BackOff","message":"Back-off pulling image \"shop/web:nope\"","source":{"component":"kubelet"}}"#)?;
/// let Body::Event(event) = item.body else { unreachable!() };
/// let verdict = Rules::builtin().judge(&Report::new(event, item.change, Nanos(0)));
/// assert_eq!((verdict.family, verdict.severity), (Family::ImagePull, Severity::Critical));
/// # Ok::<(), input::Malformed>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rules {
    catalogue: &'static Catalogue,
    user: Option<Arc<User>>,
    causes: Arc<Causes>,
}

/// User rules, and what of the catalogue stays in force below them.
#[derive(Debug)]
struct User {
    rules: UserRules,
    // For each base id (0 is the default, then the catalogue's entries) the number of its remainder.
    remainder_of: Vec<u16>,
    // Base ids with distinct escalations and opposites: one of each.
    remainders: Vec<u16>,
}

impl Rules {
    /// The catalogue alone.
    #[must_use]
    pub fn builtin() -> Self {
        Self { catalogue: Catalogue::builtin(), user: None, causes: Causes::with_user(&[]) }
    }

    /// A user's rules before the catalogue.
    #[must_use]
    pub fn with_user(user: UserRules) -> Self {
        let catalogue = Catalogue::builtin();
        let causes = Causes::with_user(user.causes());
        if user.is_empty() {
            return Self { catalogue, user: None, causes };
        }
        Self { catalogue, user: Some(Arc::new(User::new(user, catalogue))), causes }
    }

    /// What incidents may be due to: the user's causes and the catalogue's.
    #[must_use]
    pub const fn causes(&self) -> &Arc<Causes> {
        &self.causes
    }

    /// Says how bad a report is and what happened.
    #[must_use]
    pub fn judge(&self, report: &Report<'_>) -> Verdict {
        let base = by_catalogue(self.catalogue, report);
        match &self.user {
            None => base,
            Some(user) => user.refine(report, base),
        }
    }

    /// When evidence in a group makes what that rule judged worse.
    #[must_use]
    pub fn escalations(&self, rule: RuleId) -> &[Escalation] {
        match self.decided(rule) {
            Decided::Base(base) => self.entry(base).map_or(&[], Entry::escalations),
            Decided::User(user, rule, base) => match user.rules.escalations(rule) {
                Some(escalations) => escalations,
                None => self.entry(base).map_or(&[], Entry::escalations),
            },
        }
    }

    /// The reason that ends the state which that rule judged.
    #[must_use]
    pub fn opposite(&self, rule: RuleId) -> Option<&str> {
        let (Decided::Base(base) | Decided::User(_, _, base)) = self.decided(rule);
        self.entry(base).and_then(Entry::opposite)
    }

    /// A hash of all rules: a snapshot that was taken under other rules carries another one.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let catalogue = XxHash3_64::oneshot(TEXT.as_bytes());
        self.user.as_ref().map_or(catalogue, |user| XxHash3_64::oneshot_with_seed(catalogue, user.rules.text().as_bytes()))
    }

    /// The catalogue's entry of a base id.
    fn entry(&self, base: u16) -> Option<&Entry> {
        self.catalogue.entry(base.checked_sub(1)?)
    }

    fn decided(&self, rule: RuleId) -> Decided<'_> {
        match self.user.as_deref() {
            Some(user) => user.decode(rule).map_or(Decided::Base(rule.0), |(number, base)| Decided::User(user, number, base)),
            None => Decided::Base(rule.0),
        }
    }
}

/// What the catalogue says, or, where it knows nothing, the type.
pub(super) fn by_catalogue(catalogue: &Catalogue, report: &Report<'_>) -> Verdict {
    match catalogue.find(report) {
        Some((place, entry)) => Verdict { severity: entry.severity(), family: entry.family(), rule: RuleId(place + 1) },
        None => {
            let severity = if report.type_() == "Warning" { Severity::Medium } else { Severity::Info };
            Verdict { severity, family: Family::Other, rule: RuleId::DEFAULT }
        }
    }
}

/// Which rule an id names.
enum Decided<'a> {
    /// The default or an entry of the catalogue, by its base id.
    Base(u16),
    /// A user rule by its number, and a base id of what holds where the rule is silent.
    User(&'a User, usize, u16),
}

impl User {
    fn new(rules: UserRules, catalogue: &Catalogue) -> Self {
        let remains = |base: u16| base.checked_sub(1).map_or(("", ""), |place| catalogue.remainder(place));
        let mut remainders: Vec<u16> = Vec::new();
        let mut remainder_of = Vec::with_capacity(usize::from(catalogue.len()) + 1);
        let mut known = BTreeMap::new();
        for base in 0..=catalogue.len() {
            let number = *known.entry(remains(base)).or_insert_with(|| {
                remainders.push(base);
                u16::try_from(remainders.len() - 1).unwrap_or(0)
            });
            remainder_of.push(number);
        }
        Self { rules, remainder_of, remainders }
    }

    /// Lets the first user rule that matches change the verdict.
    fn refine(&self, report: &Report<'_>, base: Verdict) -> Verdict {
        let Some(number) = self.rules.decide(report, base.family) else {
            return base;
        };
        let (severity, family) = self.rules.outcome(number);
        Verdict { severity: severity.unwrap_or(base.severity), family: family.unwrap_or(base.family), rule: self.encode(number, base.rule) }
    }

    /// The id of a user rule over a base: they follow the base ids, one for each remainder.
    fn encode(&self, number: usize, base: RuleId) -> RuleId {
        let remainder = self.remainder_of.get(usize::from(base.0)).copied().unwrap_or(0);
        let id = self.remainder_of.len() + number * self.remainders.len() + usize::from(remainder);
        // `UserRules` holds few enough rules that this fits.
        u16::try_from(id).map_or(base, RuleId)
    }

    /// The number of the user rule, and a base id with the remainder that it stands over.
    fn decode(&self, rule: RuleId) -> Option<(usize, u16)> {
        let id = usize::from(rule.0).checked_sub(self.remainder_of.len())?;
        let number = id / self.remainders.len();
        (number < self.rules.len()).then(|| (number, self.remainders[id % self.remainders.len()]))
    }
}

#[cfg(test)]
impl Rules {
    /// The highest id that a verdict may carry.
    pub(super) fn largest_id(&self) -> usize {
        self.user.as_ref().map_or(0, |user| user.remainder_of.len() + user.rules.len() * user.remainders.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{self, Body};
    use crate::time::Nanos;

    #[test]
    fn back_off_is_two_things() {
        check(
            KUBELET,
            "BackOff",
            "Back-off restarting failed container app in pod web_shop(6c1b...)",
            (Family::CrashLoop, Severity::Critical),
        );
        check(KUBELET, "BackOff", "Back-off restarting failed container", (Family::CrashLoop, Severity::Critical));
        check(KUBELET, "BackOff", "Back-off pulling image \"nginx:nope\"", (Family::ImagePull, Severity::Critical));
    }

    #[test]
    fn each_probe_has_its_severity() {
        check(KUBELET, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", (Family::Probe, Severity::High));
        check(
            KUBELET,
            "Unhealthy",
            "Startup probe failed: dial tcp 10.0.0.1:8080: connect: connection refused",
            (Family::Probe, Severity::High),
        );
        check(KUBELET, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", (Family::Probe, Severity::Medium));
    }

    #[test]
    fn readiness_probe_is_worse_once_it_persists() {
        let rules = Rules::builtin();
        let rule = judge(&rules, KUBELET, "Unhealthy", "Readiness probe failed: x", "Warning").rule;
        assert!(
            rules.escalations(rule).iter().any(|step| step.to == Severity::High && step.lasting.is_some()),
            "{:?}",
            rules.escalations(rule)
        );
    }

    #[test]
    fn what_cannot_run_is_critical() {
        check(
            KUBELET,
            "FailedCreatePodSandBox",
            "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network",
            (Family::PodSandbox, Severity::Critical),
        );
        check(
            KUBELET,
            "NetworkNotReady",
            "network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized",
            (Family::Network, Severity::Critical),
        );
        check(KUBELET, "Failed", "Error: ImagePullBackOff", (Family::ImagePull, Severity::Critical));
        check(KUBELET, "Failed", "Error: ErrImagePull", (Family::ImagePull, Severity::Critical));
        check(KUBELET, "Failed", "Failed to pull image \"x\": rpc error: code = NotFound", (Family::ImagePull, Severity::Critical));
        check(
            NODE,
            "OOMKilling",
            "Memory cgroup out of memory: Killed process 4711 (java) total-vm:8kB",
            (Family::Oom, Severity::Critical),
        );
        check(NODE, "SystemOOM", "System OOM encountered, victim process: java, pid: 4711", (Family::Oom, Severity::Critical));
        check(NODE, "NodeNotReady", "Node n1 status is now: NodeNotReady", (Family::NodeDown, Severity::Critical));
    }

    #[test]
    fn what_fails_is_high() {
        check(SCHEDULER, "FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.", (Family::Scheduling, Severity::High));
        check(KUBELET, "Evicted", "The node was low on resource: memory.", (Family::Eviction, Severity::High));
        check(
            KUBELET,
            "FailedMount",
            "MountVolume.SetUp failed for volume \"certs\" : secret \"db-tls\" not found",
            (Family::Config, Severity::High),
        );
        check(
            KUBELET,
            "FailedMount",
            "MountVolume.SetUp failed for volume \"conf\" : configmap \"web\" not found",
            (Family::Config, Severity::High),
        );
        check(
            KUBELET,
            "FailedMount",
            "Unable to attach or mount volumes: unmounted volumes=[data]: timed out waiting for the condition",
            (Family::Volume, Severity::High),
        );
    }

    #[test]
    fn words_inside_a_message_decide_nothing() {
        check(KUBELET, "Started", "Started container room-service", (Family::Lifecycle, Severity::Info));
        for reason in ["PolicyApplied", "Applied", "NetworkPolicyApplied", "Synced", "Failed"] {
            for type_ in ["Normal", "Warning"] {
                let verdict = judge(&Rules::builtin(), SCHEDULER, reason, "network policy applied, 0 failed", type_);
                assert!(verdict.severity < Severity::Critical && verdict.family != Family::Network, "{reason} {type_}: {verdict:?}");
            }
        }
    }

    #[test]
    fn unknown_reason_is_judged_by_its_type() {
        for (type_, want) in [("Warning", Severity::Medium), ("Normal", Severity::Info), ("", Severity::Info), ("Strange", Severity::Info)]
        {
            let verdict = judge(&Rules::builtin(), KUBELET, "NobodyKnowsThisReason", "out of memory, CrashLoopBackOff", type_);
            assert_eq!(verdict, Verdict { severity: want, family: Family::Other, rule: RuleId::DEFAULT }, "{type_}");
        }
    }

    #[test]
    fn id_that_does_not_exist_says_nothing() {
        let rules = Rules::builtin();
        for rule in [RuleId::DEFAULT, RuleId::from_index(u16::MAX)] {
            assert_eq!((rules.escalations(rule), rules.opposite(rule)), (&[][..], None));
        }
    }

    const KUBELET: &str = r#""source":{"component":"kubelet","host":"n1"},"involvedObject":{"kind":"Pod","namespace":"shop","name":"web"}"#;
    const SCHEDULER: &str = r#""reportingComponent":"default-scheduler","involvedObject":{"kind":"Pod","namespace":"shop","name":"web"}"#;
    const NODE: &str = r#""involvedObject":{"kind":"Node","name":"n1"}"#;

    /// Whichever type the reporter gave it.
    #[track_caller]
    fn check(about: &str, reason: &str, message: &str, want: (Family, Severity)) {
        for type_ in ["Warning", "Normal"] {
            let verdict = judge(&Rules::builtin(), about, reason, message, type_);
            assert_eq!((verdict.family, verdict.severity), want, "{reason} {message} as {type_}");
        }
    }

    fn judge(rules: &Rules, about: &str, reason: &str, message: &str, type_: &str) -> Verdict {
        let message = serde_json::to_string(message).unwrap();
        let json = format!(
            r#"{{"kind":"Event","metadata":{{"name":"e","namespace":"shop"}},"reason":"{reason}","type":"{type_}","message":{message},{about}}}"#
        );
        let item = input::read(&json).unwrap();
        let Body::Event(event) = item.body else { unreachable!() };
        rules.judge(&Report::new(event, item.change, Nanos(0)))
    }
}

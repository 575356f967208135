//! The causes that ship with the engine.

use super::entry::CauseEntry;
use super::template::Captures;
use super::told::Told;
use hashbrown::HashMap;
use std::sync::{Arc, OnceLock};

const TEXT: &str = include_str!("causes.yaml");

/// A cause's number.
pub(crate) type CauseId = u16;

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
        Self::shared()
    }

    fn shared() -> &'static Arc<Self> {
        static BUILTIN: OnceLock<Arc<Causes>> = OnceLock::new();
        // A test reads the whole file; one that could not be read would explain nothing.
        BUILTIN.get_or_init(|| Arc::new(Self::new(read(TEXT).unwrap_or_default())))
    }

    /// A user's causes besides the catalogue; one of the same code takes the place of the catalogue's.
    pub(crate) fn with_user(user: &[CauseEntry]) -> Arc<Self> {
        if user.is_empty() {
            return Arc::clone(Self::shared());
        }
        let builtin = Self::shared().entries().filter(|entry| user.iter().all(|own| own.code != entry.code));
        Arc::new(Self::new(user.iter().chain(builtin).cloned().collect()))
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
        // The surest first: what is less sure is not even tried once one fits.
        for known in by_reason.values_mut() {
            known.sort_by(|a, b| entries[usize::from(b.0)].confidence.total_cmp(&entries[usize::from(a.0)].confidence));
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
        let known = self.by_reason.get(reason)?;
        let told = Told::new(reason, message);
        known.iter().find_map(|&(id, place)| {
            let clause = &self.entry(id).events[usize::from(place)];
            told.read(&clause.message).map(|captures| Reported { cause: id, captures, times: clause.times })
        })
    }
}

fn read(text: &str) -> Result<Vec<CauseEntry>, serde_saphyr::Error> {
    let options = serde_saphyr::options! { budget: None, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Category;
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
            assert!(!entry.actions().is_empty(), "{}", entry.code);
            assert!(!entry.events.is_empty() || !entry.states.is_empty() || !entry.changes.is_empty(), "{}", entry.code);
        }
    }

    #[test]
    fn every_category_has_a_cause() {
        let known: BTreeSet<Category> = Causes::builtin().entries().map(CauseEntry::category).collect();
        assert_eq!(known, BTreeSet::from(Category::ALL));
    }

    #[test]
    fn every_pattern_can_be_read() {
        for entry in Causes::builtin().entries() {
            for template in entry.templates() {
                assert_eq!(template.fault(), None, "{}: {template}", entry.code);
            }
        }
    }

    #[test]
    fn every_cause_would_be_taken_from_a_user() {
        for entry in Causes::builtin().entries() {
            assert_eq!(crate::causes::check(entry), Ok(()), "{}", entry.code);
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
            (
                "FailedCreate",
                r#"Error creating: Internal error occurred: failed calling webhook "policy.example": failed to call webhook: Post "https://guard.policy.svc:443/mutate?timeout=10s": dial tcp 10.0.0.1:443: connect: connection refused"#,
                "webhook-unavailable",
                ("service", "guard"),
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

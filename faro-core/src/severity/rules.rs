//! The severity stage: one report in, how bad it is and what happened out.

use super::catalogue::{Catalogue, Entry, TEXT};
use super::user::UserRules;
use super::{Escalation, Family, Severity};
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
/// let verdict = Rules::builtin().judge(&Report::new(*event, item.change, Nanos(0)));
/// assert_eq!((verdict.family, verdict.severity), (Family::ImagePull, Severity::Critical));
/// # Ok::<(), input::Malformed>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rules {
    catalogue: &'static Catalogue,
    user: Option<Arc<User>>,
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
        Self { catalogue: Catalogue::builtin(), user: None }
    }

    /// A user's rules before the catalogue.
    #[must_use]
    pub fn with_user(user: UserRules) -> Self {
        let catalogue = Catalogue::builtin();
        if user.is_empty() {
            return Self { catalogue, user: None };
        }
        Self { catalogue, user: Some(Arc::new(User::new(user, catalogue))) }
    }

    /// Says how bad a report is and what happened.
    #[must_use]
    pub fn judge(&self, report: &Report<'_>) -> Verdict {
        let base = self.base(report);
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

    /// What the catalogue or the type says.
    fn base(&self, report: &Report<'_>) -> Verdict {
        match self.catalogue.find(report) {
            Some((place, entry)) => Verdict { severity: entry.severity(), family: entry.family(), rule: RuleId(place + 1) },
            None => {
                let severity = if report.type_() == "Warning" { Severity::Medium } else { Severity::Info };
                Verdict { severity, family: Family::Other, rule: RuleId::DEFAULT }
            }
        }
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
        Verdict {
            severity: severity.unwrap_or(base.severity),
            family: family.unwrap_or(base.family),
            rule: self.encode(number, base.rule),
        }
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

//! Whether a record is news: which version of which object was seen last.

use crate::deadlines::{Deadlines, Owners};
use crate::hash::{self, Fingerprint};
use crate::slots::Slots;
use crate::time::Nanos;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;

/// An object: cluster, collection and uid; without a uid, namespace and name.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Identity([u64; 2]);

impl Identity {
    /// Returns the identity of an object.
    #[must_use]
    pub fn of(cluster: &str, gvr: &str, uid: &str, namespace: &str, name: &str) -> Self {
        Self::with(&mut Fingerprint::default(), cluster, gvr, uid, namespace, name)
    }

    pub(crate) fn with(scratch: &mut Fingerprint, cluster: &str, gvr: &str, uid: &str, namespace: &str, name: &str) -> Self {
        let scratch = scratch.start().text(cluster).text(gvr);
        let wide = if uid.is_empty() { scratch.text(namespace).text(name) } else { scratch.text(uid) }.finish_wide();
        Self([hash::low(wide), hash::low(wide >> 64)])
    }
}

/// A version of an object: its `resourceVersion`, or a hash of its content where it has none.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Version(u64);

const OPAQUE: u64 = 1 << 63;

impl Version {
    /// The version of an object that is gone. An object's deletion is one record, whatever resourceVersion it carries.
    pub const DELETED: Self = Self(u64::MAX);

    /// Reads a `resourceVersion`.
    #[must_use]
    pub fn of(resource_version: &str) -> Self {
        let number = resource_version.parse::<u64>().ok().filter(|&number| number < OPAQUE && !resource_version.starts_with('+'));
        Self(number.unwrap_or_else(|| (hash::of_text(resource_version) | OPAQUE) - 1))
    }

    /// Makes a version of a content's hash.
    #[must_use]
    pub const fn of_content(hash: u64) -> Self {
        Self((hash | OPAQUE) - 1)
    }

    /// Tells whether this version was certainly written before `other`. Decimal resourceVersions of one object are ordered
    /// (KEP-5504, Comparable Resource Version); anything else is opaque.
    const fn precedes(self, other: Self) -> bool {
        self.0 < OPAQUE && other.0 < OPAQUE && self.0 < other.0
    }
}

/// What is new about a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sight {
    /// The object was not known.
    First,
    /// The object was known and had been deleted.
    Again,
    /// The object was known in another version.
    Changed,
    /// Nothing: the same version, or one that is older than the known one.
    Repeat,
}

/// Remembers the last version of each object.
///
/// # Memory
///
/// At most `limit` objects of 32 bytes, about 50 with their indexes. Beyond it the least recently observed one is forgotten; seen
/// again, it counts as new.
#[derive(Debug)]
pub struct Identities {
    limit: NonZeroUsize,
    known: Slots<Known>,
    by_identity: HashTable<u32>,
    // By last observation, from the first time that the limit is reached; before that nothing needs it.
    ages: Option<Deadlines>,
    forgotten: Option<Identity>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Known {
    identity: Identity,
    /// The last one that was not a deletion.
    version: Version,
    observed: Nanos,
    /// Whether `observed` is when a watch delivered it.
    timed: bool,
    deleted: bool,
}

/// By age: least recently observed first.
impl Owners for Slots<Known> {
    fn due(&self, slot: u32) -> Option<Nanos> {
        Some(self[slot].observed)
    }

    fn tie(&self, slot: u32) -> u64 {
        self[slot].identity.0[1]
    }
}

impl Identities {
    /// Makes the stage with room for `limit` objects.
    #[must_use]
    pub fn new(limit: NonZeroUsize) -> Self {
        Self { limit, known: Slots::new(), by_identity: HashTable::new(), ages: None, forgotten: None }
    }

    /// Returns the object that the last new one displaced.
    pub const fn take_forgotten(&mut self) -> Option<Identity> {
        self.forgotten.take()
    }

    /// Tells what is new about a version of an object, and remembers it. `timed` says that `observed` is when a watch delivered it,
    /// so that of two deliveries the later one is the newer; without it, only versions that compare tell.
    pub fn observe(&mut self, identity: Identity, version: Version, observed: Nanos, timed: bool) -> Sight {
        let known = &mut self.known;
        let deleted = version == Version::DELETED;
        let Some(&slot) = self.by_identity.find(identity.0[0], |&slot| known[slot].identity == identity) else {
            self.insert(Known { identity, version, observed, timed, deleted });
            return Sight::First;
        };
        let last = &mut known[slot];
        let by_delivery = timed && last.timed && observed != last.observed;
        let older = if by_delivery { observed < last.observed } else { !deleted && version.precedes(last.version) };
        let same = if deleted { last.deleted } else { version == last.version && !(by_delivery && last.deleted) };
        if older || same {
            return Sight::Repeat;
        }
        let was_deleted = std::mem::replace(&mut last.deleted, deleted);
        if !deleted {
            last.version = version;
        }
        last.timed |= timed;
        last.observed = last.observed.max(observed);
        if was_deleted { Sight::Again } else { Sight::Changed }
    }

    fn insert(&mut self, made: Known) {
        if self.known.len() >= self.limit.get() {
            self.forget_least_recent();
        }
        let slot = self.known.insert(made);
        let known = &self.known;
        self.by_identity.insert_unique(made.identity.0[0], slot, |&slot| known[slot].identity.0[0]);
        if let Some(ages) = &mut self.ages {
            ages.push(slot, &self.known);
        }
    }

    fn forget_least_recent(&mut self) {
        let known = &self.known;
        let ages = self.ages.get_or_insert_with(|| {
            let mut ages = Deadlines::default();
            self.by_identity.iter().for_each(|&slot| ages.push(slot, known));
            ages
        });
        let Some((_, slot)) = ages.first(known) else { return };
        ages.remove(slot);
        let gone = self.known.remove(slot);
        self.forgotten = Some(gone.identity);
        if let Ok(entry) = self.by_identity.find_entry(gone.identity.0[0], |&other| other == slot) {
            entry.remove();
        }
    }

    pub(crate) fn snapshot(&self) -> IdentitiesSnapshot {
        let mut known: Vec<Known> = self.by_identity.iter().map(|&slot| self.known[slot]).collect();
        known.sort_unstable_by_key(|known| (known.observed, known.identity));
        IdentitiesSnapshot(known)
    }

    pub(crate) fn restore(limit: NonZeroUsize, snapshot: IdentitiesSnapshot) -> Self {
        let mut restored = Self::new(limit);
        snapshot.0.into_iter().for_each(|known| restored.insert(known));
        restored
    }
}

/// What [`Identities`] remembers.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct IdentitiesSnapshot(Vec<Known>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_version_is_a_repeat() {
        check(&[("u", "5", 1, Sight::First), ("u", "5", 2, Sight::Repeat), ("u", "6", 3, Sight::Changed), ("v", "5", 4, Sight::First)]);
    }

    #[test]
    fn recording_fed_twice_is_known() {
        let once = [("u", "5", 1, Sight::First), ("u", "6", 3, Sight::Changed), ("u", "", 4, Sight::Changed)];
        let again = once.map(|(uid, version, at, _)| (uid, version, at, Sight::Repeat));
        check(&[once, again].concat());
    }

    #[test]
    fn object_may_come_back() {
        check(&[("u", "5", 1, Sight::First), ("u", "", 2, Sight::Changed), ("u", "9", 3, Sight::Again)]);
    }

    #[test]
    fn opaque_versions_have_no_order() {
        check(&[("u", "b", 1, Sight::First), ("u", "a", 2, Sight::Changed), ("u", "3", 3, Sight::Changed)]);
        assert!(!Version::of("b").precedes(Version::of("a")) && !Version::of("a").precedes(Version::of("b")));
    }

    /// An empty version is a deletion.
    #[track_caller]
    fn check(steps: &[(&str, &str, i64, Sight)]) {
        let mut identities = Identities::new(NonZeroUsize::MAX);
        for &(uid, version, at, want) in steps {
            let version = if version.is_empty() { Version::DELETED } else { Version::of(version) };
            assert_eq!(identities.observe(Identity::of("", "v1/pods", uid, "", ""), version, Nanos(at), true), want);
        }
    }
}

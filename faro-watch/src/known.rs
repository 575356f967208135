//! What is known of the objects of one watch: enough to tell, after a relist, what changed meanwhile.
//!
//! The comparison needs `metadata.uid` and `metadata.resourceVersion`; a deletion that only the relist shows needs the last known
//! labels and owners, because the object is no longer there to be asked.

mod identity;
mod text;
mod texts;

pub use identity::{Uid, Version};

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use texts::Texts;
use twox_hash::XxHash3_64;

/// One object as it is known.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KnownObject<'a> {
    /// `metadata.namespace`; empty for cluster-scoped objects.
    #[serde(borrow)]
    pub namespace: Cow<'a, str>,
    /// `metadata.name`
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// `metadata.uid`
    pub uid: Uid,
    /// `metadata.resourceVersion`
    pub version: Version,
    /// `metadata.labels` as sent, a JSON object; empty when there were none.
    #[serde(borrow)]
    pub labels: Cow<'a, str>,
    /// `metadata.ownerReferences` as sent, a JSON array; empty when there were none.
    #[serde(borrow)]
    pub owner_references: Cow<'a, str>,
}

/// How the object at hand relates to what was known of its name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Sighting {
    /// No object of this name was known.
    New,
    /// The same object at the same version.
    Same,
    /// The same object at another version.
    Changed,
    /// Another object had this name: it must have been deleted.
    Replaced(KnownObject<'static>),
}

/// The objects of one watch, by namespace and name.
///
/// # Memory
///
/// About 110 bytes an object with a name of 35 bytes; labels and owners are kept once for all objects that share them.
#[derive(Debug, Default)]
pub struct Known {
    table: HashTable<Entry>,
    texts: Texts,
    round: u32,
    edits: u64,
}

/// One object, packed: round, labels, owners, namespace (4 bytes each), [`Uid`], [`Version`], name.
#[derive(Debug)]
struct Entry(Box<[u8]>);

/// Where the identity begins in an entry.
const FIXED: usize = 16;

impl Entry {
    fn number(&self, index: usize) -> u32 {
        let at = index * 4;
        self.0.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
    }

    fn identity(&self) -> (Uid, Version, &str) {
        let (uid, rest) = Uid::unpack(&self.0[FIXED..]);
        let (version, rest) = Version::unpack(rest);
        // It was packed from text.
        (uid, version, std::str::from_utf8(rest).unwrap_or_default())
    }
}

fn hash(namespace: &str, name: &str) -> u64 {
    XxHash3_64::oneshot_with_seed(XxHash3_64::oneshot(namespace.as_bytes()), name.as_bytes())
}

impl Known {
    /// Returns how many objects are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns how often what is known has changed.
    #[must_use]
    pub const fn edits(&self) -> u64 {
        self.edits
    }

    /// Tells whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Returns what is known of a name.
    #[must_use]
    pub fn find(&self, namespace: &str, name: &str) -> Option<KnownObject<'_>> {
        self.table.find(hash(namespace, name), |entry| self.is(entry, namespace, name)).map(|entry| self.read(entry))
    }

    /// Takes the object at hand for the present one of its name, and tells what that changes.
    pub fn observe(&mut self, object: &KnownObject<'_>) -> Sighting {
        let hash = hash(&object.namespace, &object.name);
        let round = self.round;
        let found = self.table.find_mut(hash, |entry| is(&self.texts, entry, &object.namespace, &object.name));
        let Some(entry) = found else {
            self.insert(hash, object);
            return Sighting::New;
        };
        let (uid, version, _) = entry.identity();
        if uid == object.uid && version == object.version {
            entry.0[..4].copy_from_slice(&round.to_le_bytes());
            return Sighting::Same;
        }
        let before = self.remove_entry(hash, &object.namespace, &object.name);
        self.insert(hash, object);
        match before {
            Some(before) if before.uid != object.uid => Sighting::Replaced(before),
            Some(_) | None => Sighting::Changed,
        }
    }

    /// Forgets the object of a name, and returns what was known of it.
    pub fn remove(&mut self, namespace: &str, name: &str) -> Option<KnownObject<'static>> {
        self.remove_entry(hash(namespace, name), namespace, name)
    }

    /// Begins a comparison with a list: what is not observed from here on is missing from it.
    pub fn begin_round(&mut self) {
        self.round = self.round.wrapping_add(1);
    }

    /// Ends the comparison: forgets every object that was not observed since [`Known::begin_round`], and returns them in the order of
    /// namespace and name.
    pub fn end_round(&mut self) -> Vec<KnownObject<'static>> {
        let round = self.round;
        let gone: Vec<Entry> = self.table.extract_if(|entry| entry.number(0) != round).collect();
        let mut missing: Vec<_> = gone.iter().map(|entry| self.release(entry)).collect();
        missing.sort_unstable_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        missing
    }

    /// Returns every object, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = KnownObject<'_>> {
        self.table.iter().map(|entry| self.read(entry))
    }

    fn insert(&mut self, hash: u64, object: &KnownObject<'_>) {
        self.edits += 1;
        let numbers = [
            self.round,
            self.texts.intern(&object.labels),
            self.texts.intern(&object.owner_references),
            self.texts.intern(&object.namespace),
        ];
        let mut packed = Vec::with_capacity(FIXED + 26 + object.name.len());
        for number in numbers {
            packed.extend_from_slice(&number.to_le_bytes());
        }
        object.uid.pack(&mut packed);
        object.version.pack(&mut packed);
        packed.extend_from_slice(object.name.as_bytes());
        let texts = &self.texts;
        self.table
            .insert_unique(hash, Entry(packed.into_boxed_slice()), |entry| self::hash(texts.text(entry.number(3)), entry.identity().2));
    }

    fn remove_entry(&mut self, hash: u64, namespace: &str, name: &str) -> Option<KnownObject<'static>> {
        let texts = &self.texts;
        let entry = self.table.find_entry(hash, |entry| is(texts, entry, namespace, name)).ok()?.remove().0;
        Some(self.release(&entry))
    }

    /// What was known of an entry that has left the table, its texts released.
    fn release(&mut self, entry: &Entry) -> KnownObject<'static> {
        self.edits += 1;
        let KnownObject { namespace, name, uid, version, labels, owner_references } = self.read(entry);
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let object = KnownObject {
            namespace: owned(namespace),
            name: owned(name),
            labels: owned(labels),
            owner_references: owned(owner_references),
            uid,
            version,
        };
        for index in 1..4 {
            self.texts.release(entry.number(index));
        }
        object
    }

    fn is(&self, entry: &Entry, namespace: &str, name: &str) -> bool {
        is(&self.texts, entry, namespace, name)
    }

    fn read<'a>(&'a self, entry: &'a Entry) -> KnownObject<'a> {
        let (uid, version, name) = entry.identity();
        let text = |index| Cow::Borrowed(self.texts.text(entry.number(index)));
        KnownObject { namespace: text(3), name: Cow::Borrowed(name), uid, version, labels: text(1), owner_references: text(2) }
    }
}

fn is(texts: &Texts, entry: &Entry, namespace: &str, name: &str) -> bool {
    entry.0.ends_with(name.as_bytes()) && entry.identity().2 == name && texts.text(entry.number(3)) == namespace
}

#[cfg(test)]
mod tests;

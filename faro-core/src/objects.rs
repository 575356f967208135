//! What is known of objects: whether a record is news, what changed, and who owns what.

mod identities;
pub(crate) mod leaves;
mod owners;

pub use identities::{Identities, Identity, Sight, Version};
pub use owners::{Adoption, Owners};

pub(crate) use identities::IdentitiesSnapshot;
pub(crate) use owners::{OwnersSnapshot, child};

use crate::input::RawObject;
use crate::record::FieldChange;
use crate::symbols::Symbols;
use hashbrown::HashMap;
use leaves::Leaves;
use serde::{Deserialize, Serialize};

/// What the last version of each object said, as far as `changes` speaks of it.
///
/// # Memory
///
/// 8 bytes for each leaf of `spec` and of the telling part of `status`; the texts are shared between objects, as the pods of a
/// ReplicaSet differ in few of them.
#[derive(Debug)]
pub struct Contents {
    symbols: Symbols,
    objects: HashMap<Identity, Box<[(u32, u32)]>>,
}

impl Default for Contents {
    fn default() -> Self {
        Self { symbols: Symbols::new(), objects: HashMap::new() }
    }
}

impl Contents {
    /// Remembers an object's content and returns what changed since the last time. Nothing at first sight.
    pub fn observe(&mut self, identity: Identity, object: &RawObject<'_>) -> Vec<FieldChange> {
        let now = leaves::of(object);
        let known = self.objects.contains_key(&identity);
        let before = self.take(identity);
        self.put(identity, &now);
        if known { difference(&before, &now) } else { Vec::new() }
    }

    /// Forgets an object.
    pub fn forget(&mut self, identity: Identity) {
        self.take(identity);
    }

    fn take(&mut self, identity: Identity) -> Leaves {
        let Some(stored) = self.objects.remove(&identity) else { return Leaves::new() };
        let texts = stored.iter().map(|&(path, value)| (self.symbols.text(path).to_owned(), self.symbols.text(value).to_owned())).collect();
        for &(path, value) in &stored {
            self.symbols.release(path);
            self.symbols.release(value);
        }
        texts
    }

    fn put(&mut self, identity: Identity, leaves: &Leaves) {
        let stored = leaves.iter().map(|(path, value)| (self.symbols.acquire(path), self.symbols.acquire(value))).collect();
        self.objects.insert(identity, stored);
    }

    pub(crate) fn snapshot(&self) -> ContentsSnapshot {
        let text = |symbol| self.symbols.text(symbol).to_owned();
        let mut objects: Vec<(Identity, Leaves)> = self
            .objects
            .iter()
            .map(|(identity, stored)| (*identity, stored.iter().map(|&(path, value)| (text(path), text(value))).collect()))
            .collect();
        objects.sort_unstable_by_key(|(identity, _)| *identity);
        ContentsSnapshot(objects)
    }

    pub(crate) fn restore(snapshot: ContentsSnapshot) -> Self {
        let mut restored = Self::default();
        snapshot.0.iter().for_each(|(identity, leaves)| restored.put(*identity, leaves));
        restored
    }
}

/// What [`Contents`] remembers.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct ContentsSnapshot(Vec<(Identity, Leaves)>);

/// Compares two sorted lists of leaves.
fn difference(before: &Leaves, now: &Leaves) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let (mut old, mut new) = (before.iter().peekable(), now.iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return changes,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((old, _)), Some((new, _))) => old.cmp(new),
        };
        let from = if order.is_le() { old.next() } else { None };
        let to = if order.is_ge() { new.next() } else { None };
        let value = |leaf: Option<&(String, String)>| leaf.map(|(_, value)| value.clone());
        if value(from) != value(to)
            && let Some((path, _)) = from.or(to)
        {
            changes.push(FieldChange { path: path.clone(), from: value(from), to: value(to) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{self, Body};

    #[test]
    fn changes_name_path_and_both_values() {
        let mut contents = Contents::default();
        let identity = Identity::of("", "v1/pods", "u", "", "");
        assert_eq!(contents.observe(identity, &pod("web:1", "app")), []);
        assert_eq!(contents.observe(identity, &pod("web:1", "app")), []);
        let changes = contents.observe(identity, &pod("web:2", "app"));
        let want = FieldChange { path: "spec.containers[app].image".into(), from: Some("web:1".into()), to: Some("web:2".into()) };
        assert_eq!(changes, [want]);
        assert_eq!(contents.observe(identity, &pod("web:2", "renamed")).len(), 4);
        contents.forget(identity);
        assert_eq!(contents.symbols.len(), 0);
    }

    fn pod(image: &'static str, container: &'static str) -> RawObject<'static> {
        let json =
            format!(r#"{{"kind":"Pod","metadata":{{"name":"p"}},"spec":{{"containers":[{{"name":"{container}","image":"{image}"}}]}}}}"#);
        let Body::Object(object) = input::read(String::leak(json)).unwrap().body else { panic!("an object") };
        object
    }
}

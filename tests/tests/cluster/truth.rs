//! What happened, by the answers of the API server, and how what was printed differs from it.

use faro_tests::control_plane::{Api, ControlPlane, Patch};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What makes a record the same as another one of its collection: the uid, and the resourceVersion or `deleted`.
pub(crate) type Identity = (String, String);

/// What happened, in its order: some threads may each have one.
pub(crate) struct Truth {
    api: Api,
    path: String,
    dice: u64,
    /// The name and the uid of each object that there is.
    living: Vec<(String, String)>,
    created: u32,
    prefix: String,
    /// Makes objects larger by so many bytes.
    pub(crate) ballast: usize,
    pub(crate) happened: Vec<Identity>,
}

impl Truth {
    /// Nothing has happened in this namespace yet. The same seed makes the same changes.
    pub(crate) fn new(cluster: &ControlPlane, namespace: &str, seed: u64) -> Self {
        let path = format!("/api/v1/namespaces/{namespace}/configmaps");
        let prefix = format!("cm-{seed}");
        Self { api: cluster.api().clone(), path, dice: seed, living: Vec::new(), created: 0, prefix, ballast: 0, happened: Vec::new() }
    }

    /// Creates, patches or deletes a ConfigMap.
    pub(crate) fn change(&mut self) {
        match self.roll(10) {
            _ if self.living.len() < 5 => self.create(),
            0..2 => self.create(),
            2..8 => {
                let index = self.roll(self.living.len());
                self.update(index);
            }
            _ => {
                let index = self.roll(self.living.len());
                self.delete(index);
            }
        }
    }

    pub(crate) fn create(&mut self) {
        self.created += 1;
        let name = format!("{}-{}", self.prefix, self.created);
        let metadata = json!({"name": name, "labels": {"app": "x"}, "annotations": {"ballast": "b".repeat(self.ballast)}});
        let made = self.api.create(&self.path, &json!({"metadata": metadata, "data": {"key": "0"}})).unwrap();
        self.living.push((name, text(&made["metadata"]["uid"])));
        self.happened.push(identity(&made["metadata"]));
    }

    /// Changes one of those that live, the first one being 0.
    pub(crate) fn update(&mut self, index: usize) {
        let change = json!({"data": {"key": self.happened.len().to_string()}});
        let changed = self.api.patch(&format!("{}/{}", self.path, self.living[index].0), Patch::Merge, &change).unwrap();
        self.happened.push(identity(&changed["metadata"]));
    }

    pub(crate) fn delete(&mut self, index: usize) {
        let (name, uid) = self.living.remove(index);
        self.api.delete(&format!("{}/{name}", self.path)).unwrap();
        self.happened.push((uid, "deleted".to_owned()));
    }

    /// The final state by the API server: the version of each object of ours.
    pub(crate) fn state(&self) -> BTreeMap<String, String> {
        let items = self.api.list(&self.path).unwrap();
        items.iter().filter(|item| is_ours(&item["metadata"])).map(|item| identity(&item["metadata"])).collect()
    }

    /// Whether all that happened is among records.
    pub(crate) fn is_in(&self, records: &[Value]) -> bool {
        let printed: BTreeSet<Identity> = printed(records).into_iter().collect();
        self.happened.iter().all(|identity| printed.contains(identity))
    }

    fn roll(&mut self, limit: usize) -> usize {
        // `SplitMix64`, as everywhere else where chance has to repeat.
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.dice ^ (self.dice >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }
}

/// How what was printed differs from what happened.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Difference {
    /// That happened and was not printed.
    pub(crate) lost: usize,
    /// Printed more often than once.
    pub(crate) repeated: usize,
    /// Printed though it did not happen.
    pub(crate) made_up: usize,
    /// Objects whose records have another order than their changes.
    pub(crate) disordered: usize,
}

/// Compares records, of which only those of our ConfigMaps count, with what happened.
pub(crate) fn compare(happened: &[Identity], records: &[Value]) -> Difference {
    let printed = printed(records);
    let mut seen = BTreeSet::new();
    let once: Vec<&Identity> = printed.iter().filter(|identity| seen.insert(*identity)).collect();
    let wanted: BTreeSet<&Identity> = happened.iter().collect();
    let by_object = |all: &mut dyn Iterator<Item = &Identity>| {
        let mut objects: BTreeMap<String, Vec<String>> = BTreeMap::new();
        all.for_each(|(uid, version)| objects.entry(uid.clone()).or_default().push(version.clone()));
        objects
    };
    let (ours, theirs) = (by_object(&mut once.iter().copied().filter(|one| wanted.contains(one))), by_object(&mut happened.iter()));
    let in_order = |uid: &String, versions: &Vec<String>| {
        let mut expected = theirs.get(uid).into_iter().flatten();
        versions.iter().all(|version| expected.any(|one| one == version))
    };
    Difference {
        lost: wanted.iter().filter(|identity| !seen.contains(**identity)).count(),
        repeated: printed.len() - once.len(),
        made_up: once.iter().filter(|identity| !wanted.contains(**identity)).count(),
        disordered: ours.iter().filter(|(uid, versions)| !in_order(uid, versions)).count(),
    }
}

/// The identities of our ConfigMaps' records, in the order of lines.
pub(crate) fn printed(records: &[Value]) -> Vec<Identity> {
    let of = |record: &&Value| record["record"] == "object" && record["gvr"] == "v1/configmaps" && is_ours(record);
    let identity =
        |record: &Value| if record["eventType"] == "DELETED" { (text(&record["uid"]), "deleted".to_owned()) } else { identity(record) };
    records.iter().filter(of).map(identity).collect()
}

/// What a reader of records believes to be there in the end: the version of each object of ours.
pub(crate) fn believed(records: &[Value]) -> BTreeMap<String, String> {
    let mut state = BTreeMap::new();
    for (uid, version) in printed(records) {
        if version == "deleted" {
            state.remove(&uid)
        } else {
            state.insert(uid, version)
        };
    }
    state
}

/// The records of a file; a line that is torn, or was ended by a later run, is none.
pub(crate) fn whole_lines(path: &Path) -> (Vec<Value>, usize) {
    let bytes = std::fs::read(path).unwrap();
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let records: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let torn = lines.len() - records.len();
    (records, torn)
}

/// So many of something; a run by hand with `FARO_FULL=1` does the scenario's own number.
pub(crate) fn scaled(suite: usize, full: usize) -> usize {
    if std::env::var("FARO_FULL").is_ok_and(|it| it == "1") { full } else { suite }
}

fn is_ours(metadata: &Value) -> bool {
    metadata["name"].as_str().is_some_and(|name| name.starts_with("cm-"))
}

fn identity(metadata: &Value) -> Identity {
    (text(&metadata["uid"]), text(&metadata["resourceVersion"]))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

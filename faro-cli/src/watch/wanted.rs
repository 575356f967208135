//! What is watched: the entries of a file, else collections in namespaces.

use super::entries::Entry;
use crate::failure::Failure;
use faro_watch::{PlanError, Selection, StartError};

/// What is watched unless something else is asked for: events, and what explains them.
const USUAL: [&str; 22] = [
    "v1/events",
    "v1/pods",
    "v1/nodes",
    "v1/namespaces",
    "v1/replicationcontrollers",
    "apps/v1/deployments",
    "apps/v1/replicasets",
    "apps/v1/statefulsets",
    "apps/v1/daemonsets",
    "batch/v1/jobs",
    "batch/v1/cronjobs",
    "v1/services",
    "discovery.k8s.io/v1/endpointslices",
    "networking.k8s.io/v1/ingresses",
    "v1/configmaps",
    "v1/persistentvolumeclaims",
    "v1/persistentvolumes",
    "storage.k8s.io/v1/storageclasses",
    "autoscaling/v2/horizontalpodautoscalers",
    "v1/resourcequotas",
    "v1/limitranges",
    "policy/v1/poddisruptionbudgets",
];

/// Of these, the ones that no namespace holds.
const CLUSTER_SCOPED: [&str; 4] = ["v1/nodes", "v1/namespaces", "v1/persistentvolumes", "storage.k8s.io/v1/storageclasses"];

/// What to watch in each cluster.
pub(crate) struct Wanted {
    entries: Vec<Entry>,
    selections: Vec<Selection>,
}

impl Wanted {
    /// Entries of a file say all; collections without any are the usual ones. `whole` asks for more than the objects' metadata.
    pub(crate) fn new(entries: Vec<Entry>, gvrs: &[String], namespaces: &[String], whole: bool) -> Self {
        let whole = |selection: Selection| if whole { selection } else { slim(selection) };
        let mut selections: Vec<Selection> = entries.iter().map(|entry| whole(entry.selection.clone())).collect();
        let gvrs: Vec<&str> = match gvrs {
            [] if entries.is_empty() => USUAL.to_vec(),
            gvrs => gvrs.iter().map(String::as_str).collect(),
        };
        selections.extend(gvrs.into_iter().map(|gvr| whole(Selection::new(gvr).namespaces(places(gvr, namespaces)))));
        Self { entries, selections }
    }

    pub(crate) fn selections(&self) -> Vec<Selection> {
        self.selections.clone()
    }

    /// Lets a collection be watched everywhere that has no namespaces, when options and no entry asked for some.
    pub(crate) fn widen(&mut self, error: &StartError) -> bool {
        let StartError::Plan { source: PlanError::ClusterScoped { gvr, .. }, .. } = error else { return false };
        if self.entry_of(gvr).is_some() {
            return false;
        }
        let mut widened = false;
        for selection in self.selections.iter_mut().filter(|selection| selection.gvr == *gvr && !selection.namespaces.is_empty()) {
            selection.namespaces.clear();
            widened = true;
        }
        widened
    }

    /// Says why nothing is watched, and which entry is wrong where one is.
    pub(crate) fn refused(&self, error: &StartError) -> Failure {
        #[expect(clippy::wildcard_enum_match_arm, reason = "errors of the library that name no entry, and those to come")]
        match error {
            StartError::Plan { source, .. } => {
                let (PlanError::BadGvr { gvr } | PlanError::ClusterScoped { gvr, .. } | PlanError::Selector { gvr, .. }) = source else {
                    return Failure::usage(error);
                };
                match self.entry_of(gvr) {
                    Some(entry) => Failure::usage(format!("{}:{}: {}: {error}", entry.file, entry.line, entry.name)),
                    None => Failure::usage(error),
                }
            }
            _ => Failure::failed(error),
        }
    }

    fn entry_of(&self, gvr: &str) -> Option<&Entry> {
        let named = |entry: &&Entry| !entry.selection.namespaces.iter().all(String::is_empty);
        let of = |entry: &&Entry| entry.selection.gvr == gvr;
        self.entries.iter().filter(of).find(named).or_else(|| self.entries.iter().find(of))
    }
}

/// Where a collection is looked at. Events about cluster-scoped objects lie in `default`.
fn places(gvr: &str, namespaces: &[String]) -> Vec<String> {
    if namespaces.is_empty() || CLUSTER_SCOPED.contains(&gvr) {
        return Vec::new();
    }
    let mut places = namespaces.to_vec();
    if matches!(gvr, "v1/events" | "events.k8s.io/v1/events") && !places.iter().any(|place| place == "default") {
        places.push("default".to_owned());
    }
    places
}

/// Owners and names are metadata; Events are whole in any case.
fn slim(selection: Selection) -> Selection {
    if matches!(&*selection.gvr, "v1/events" | "events.k8s.io/v1/events") { selection } else { selection.metadata_only() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn namespaces_narrow_what_lies_in_namespaces() {
        let wanted = Wanted::new(Vec::new(), &[], &["shop".to_owned()], true);
        let places = |gvr: &str| wanted.selections.iter().find(|selection| selection.gvr == gvr).unwrap().namespaces.clone();
        assert_eq!(places("v1/pods"), ["shop"]);
        assert_eq!(places("v1/events"), ["shop", "default"]);
        assert_eq!(places("v1/nodes"), [""; 0]);
    }

    #[test]
    fn manifests_grant_what_is_usually_watched_and_nothing_else() {
        let usual: BTreeSet<(String, String)> = USUAL.iter().map(|gvr| group_and_plural(gvr)).collect();
        assert_eq!(granted("base"), usual);
        assert_eq!(granted("secrets-metadata"), BTreeSet::from([(String::new(), "secrets".to_owned())]));
    }

    #[test]
    fn overlay_asks_for_the_usual_collections_and_secrets() {
        let text = read("secrets-metadata/kustomization.yaml");
        let list = text.lines().find_map(|line| line.trim().strip_prefix("--gvr=")).unwrap();
        let wanted: Vec<&str> = USUAL.into_iter().chain(["v1/secrets"]).collect();
        assert_eq!(list.split(',').collect::<Vec<_>>(), wanted);
    }

    fn read(path: &str) -> String {
        std::fs::read_to_string(format!("{}/../deploy/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    fn group_and_plural(gvr: &str) -> (String, String) {
        let mut parts: Vec<&str> = gvr.split('/').collect();
        let plural = parts.pop().unwrap();
        (if parts.len() == 2 { parts[0].to_owned() } else { String::new() }, plural.to_owned())
    }

    /// What a folder of manifests lets the program list and watch in the whole cluster; it lets it do nothing else there.
    fn granted(folder: &str) -> BTreeSet<(String, String)> {
        let text = read(&format!("{folder}/cluster-role.yaml"));
        let role: serde_json::Value = serde_saphyr::from_str(text.split("\n---\n").next().unwrap()).unwrap();
        let mut granted = BTreeSet::new();
        for rule in role["rules"].as_array().unwrap() {
            assert_eq!(rule["verbs"], serde_json::json!(["list", "watch"]));
            let texts = |key: &str| rule[key].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect::<Vec<_>>();
            for (group, plural) in texts("apiGroups").iter().flat_map(|group| texts("resources").into_iter().map(move |one| (group, one))) {
                assert!(granted.insert((group.clone(), plural)), "{rule} is granted twice");
            }
        }
        granted
    }

    #[test]
    fn entries_replace_the_usual_collections() {
        let entries = super::super::entries::read("resources: [{gvr: v1/configmaps}]").unwrap();
        let gvrs = |wanted: &Wanted| wanted.selections.iter().map(|selection| selection.gvr.clone()).collect::<Vec<_>>();
        assert_eq!(gvrs(&Wanted::new(entries.clone(), &[], &[], true)), ["v1/configmaps"]);
        assert_eq!(gvrs(&Wanted::new(entries, &["v1/pods".to_owned()], &[], true)), ["v1/configmaps", "v1/pods"]);
        assert_eq!(gvrs(&Wanted::new(Vec::new(), &[], &[], true)).len(), USUAL.len());
    }
}

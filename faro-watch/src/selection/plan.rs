//! From selections to watches.

use super::choice::{Choice, is_local};
use super::{Content, Selection};
use crate::discovery::Resource;
use faro_core::filter::SelectorError;
use std::collections::BTreeMap;

/// One watch: a collection, in one namespace or all, and what the server selects of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// The collection as records name it.
    pub resource: Resource,
    /// The namespace; empty means all, and cluster-scoped collections have none.
    pub namespace: String,
    /// The label selector for the server.
    pub labels: String,
    /// The field selector for the server.
    pub fields: String,
    /// What is selected here, of what the server sends.
    pub choice: Choice,
    /// How much of each object.
    pub content: Content,
}

impl Target {
    /// Names the watch, also in a checkpoint: collection, namespace and selectors.
    #[must_use]
    pub fn key(&self) -> String {
        let mut key = self.resource.gvr.clone();
        for (mark, part) in [("@", &self.namespace), ("?labels=", &self.labels), ("?fields=", &self.fields)] {
            if !part.is_empty() {
                key.push_str(mark);
                key.push_str(part);
            }
        }
        key
    }
}

/// Why selections cannot be watched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A collection that is no `version/resource` or `group/version/resource`.
    #[error("`{gvr}` is no collection: `v1/pods` and `apps/v1/deployments` are")]
    BadGvr {
        /// What was written.
        gvr: String,
    },
    /// Namespaces for a collection that has none.
    #[error("`{gvr}` is cluster-scoped, but namespaces are given for it: {}", namespaces.join(", "))]
    ClusterScoped {
        /// The collection.
        gvr: String,
        /// The namespaces that were given.
        namespaces: Vec<String>,
    },
    /// A label selector that cannot be read.
    #[error("selection of `{gvr}`: {source}")]
    Selector {
        /// The collection.
        gvr: String,
        /// What is wrong.
        source: SelectorError,
    },
}

/// Makes watches out of the selections of one collection.
///
/// Where selections overlap, one watch serves them all, because a watch for each would deliver an object as often as it is selected:
/// one that covers the others is enough; else the server sends all objects and [`Choice`] selects. A field selector beyond name and
/// namespace only the server can decide: such a selection has a watch of its own beside others, and consumers find records of
/// equal identity.
///
/// # Errors
///
/// Namespaces for a cluster-scoped collection, or a selector that cannot be read.
pub fn plan(resource: &Resource, selections: &[&Selection]) -> Result<Vec<Target>, PlanError> {
    let choice =
        |of: &[&Selection]| Choice::any(of.iter().copied()).map_err(|source| PlanError::Selector { gvr: resource.gvr.clone(), source });
    choice(selections)?;
    if let Some(bad) = selections.iter().find(|selection| !resource.namespaced && !selection.places().is_empty()) {
        return Err(PlanError::ClusterScoped { gvr: resource.gvr.clone(), namespaces: bad.places().to_vec() });
    }
    let (local, remote): (Vec<&Selection>, Vec<&Selection>) = selections.iter().copied().partition(|selection| is_local(selection));
    let everywhere = local.iter().any(|selection| selection.places().is_empty());
    // By namespace, unless some selection reaches everywhere anyway.
    let mut by_place: BTreeMap<&str, Vec<&Selection>> = BTreeMap::new();
    for selection in local {
        let places = selection.places();
        if everywhere {
            by_place.entry("").or_default().push(selection);
        }
        for place in places.iter().filter(|_| !everywhere) {
            by_place.entry(place).or_default().push(selection);
        }
    }
    let mut targets = Vec::new();
    for (place, wanted) in by_place {
        targets.push(shared(resource, place, &wanted, &choice)?);
    }
    for selection in remote {
        let places: Vec<&str> =
            if selection.places().is_empty() { vec![""] } else { selection.places().iter().map(String::as_str).collect() };
        for place in places {
            let target = alone(resource, place, selection);
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
    }
    Ok(targets)
}

/// One watch of a namespace, or of all, for everything that is wanted there.
fn shared(
    resource: &Resource,
    place: &str,
    wanted: &[&Selection],
    choice: &impl Fn(&[&Selection]) -> Result<Choice, PlanError>,
) -> Result<Target, PlanError> {
    let content = wanted.iter().map(|selection| selection.content).max().unwrap_or_default();
    let reaches = |selection: &Selection| !place.is_empty() || selection.places().is_empty();
    let first = wanted[0];
    let same = |other: &&Selection| other.labels == first.labels && other.field_selector() == first.field_selector() && reaches(other);
    if wanted.iter().all(same) {
        return Ok(Target { content, ..alone(resource, place, first) });
    }
    let covers = |selection: &Selection| selection.labels.trim().is_empty() && selection.field_selector().is_empty() && reaches(selection);
    let everything = Target { content, ..alone(resource, place, &Selection::new(&*resource.gvr)) };
    if wanted.iter().any(|selection| covers(selection)) {
        return Ok(everything);
    }
    Ok(Target { choice: choice(wanted)?, ..everything })
}

fn alone(resource: &Resource, place: &str, selection: &Selection) -> Target {
    Target {
        resource: resource.clone(),
        namespace: place.to_owned(),
        labels: selection.labels.trim().to_owned(),
        fields: selection.field_selector(),
        choice: Choice::default(),
        content: selection.content,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_wish_twice_is_one_watch() {
        check(&[pods().labels("app=web"), pods().labels("app=web")], &["v1/pods?labels=app=web"]);
        check(&[pods().namespaces(["a", "b"]), pods().namespaces(["b"])], &["v1/pods@a", "v1/pods@b"]);
        check(
            &[pods().namespaces(["a"]).name("x"), pods().namespaces(["a"]).fields("metadata.name=x")],
            &["v1/pods@a?fields=metadata.name=x"],
        );
    }

    #[test]
    fn different_wishes_share_a_watch() {
        check(&[pods().labels("app=web"), pods().labels("tier=db")], &["v1/pods*"]);
        check(&[pods().namespaces(["a"]), pods().namespaces(["a"]).labels("app=web")], &["v1/pods@a"]);
        check(&[pods(), pods().namespaces(["a"]).labels("app=web")], &["v1/pods"]);
        check(&[pods().namespaces(["a"]), pods().labels("app=web")], &["v1/pods*"]);
    }

    #[test]
    fn all_namespaces_may_be_written_in_three_ways() {
        check(&[pods(), pods().namespaces([""]), pods().namespaces(Vec::<String>::new())], &["v1/pods"]);
    }

    #[test]
    fn what_only_the_server_can_decide_has_its_own_watch() {
        check(&[pods().fields("status.phase=Failed"), pods().namespaces(["a"])], &["v1/pods@a", "v1/pods?fields=status.phase=Failed"]);
    }

    #[test]
    fn cluster_scoped_collections_have_no_namespaces() {
        let nodes = Resource { gvr: "v1/nodes".to_owned(), namespaced: false, ..Resource::default() };
        let error = plan(&nodes, &[&Selection::new("v1/nodes").namespaces(["shop"])]).unwrap_err();
        assert_eq!(error.to_string(), "`v1/nodes` is cluster-scoped, but namespaces are given for it: shop");
    }

    fn pods() -> Selection {
        Selection::new("v1/pods")
    }

    /// `*` marks a watch of which the client selects.
    #[track_caller]
    fn check(selections: &[Selection], want: &[&str]) {
        let resource = Resource { gvr: "v1/pods".to_owned(), namespaced: true, ..Resource::default() };
        let targets = plan(&resource, &selections.iter().collect::<Vec<_>>()).unwrap();
        let star = |target: &Target| if target.choice.is_everything() { "" } else { "*" };
        let got: Vec<_> = targets.iter().map(|target| target.key() + star(target)).collect();
        assert_eq!(got, want);
    }
}

//! Which collections a server has: their kinds, scopes and verbs.
//!
//! A server of 1.26 or later answers `/api` and `/apis` with everything at once (aggregated discovery, KEP-3352,
//! `apidiscovery.k8s.io/v2`, before 1.30 `v2beta1`). Of an older one, and whenever a single collection is in question, the document
//! of its group and version is asked for (`APIResourceList` of `meta.k8s.io/v1`).

use faro_core::input::Text;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What `/api` and `/apis` are asked for.
pub(crate) const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// The collection of Events, whichever of its two API versions is asked for: they share one storage.
pub const EVENTS: &str = "v1/events";

/// A collection of the API.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Resource {
    /// Its name in records: `v1/pods`, `apps/v1/deployments`.
    pub gvr: String,
    /// Group and version as in `apiVersion`: `v1`, `apps/v1`.
    pub api_version: String,
    /// The plural in the URL: `pods`.
    pub plural: String,
    /// The kind of its objects: `Pod`.
    pub kind: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// Whether it can be listed and watched.
    pub watchable: bool,
}

impl Resource {
    /// The path of the collection, in one namespace or, when that is empty, in all.
    #[must_use]
    pub fn path(&self, namespace: &str) -> String {
        let root = group_path(&self.api_version);
        if namespace.is_empty() { format!("{root}/{}", self.plural) } else { format!("{root}/namespaces/{namespace}/{}", self.plural) }
    }

    /// The API group, empty for the core one, as RBAC rules name it.
    #[must_use]
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// Tells whether it is the collection of Events.
    #[must_use]
    pub fn is_events(&self) -> bool {
        self.gvr == EVENTS
    }

    /// Tells whether its objects are secret, so that only their metadata is ever asked for.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.gvr == "v1/secrets"
    }
}

/// The path of the document of a group and version.
pub(crate) fn group_path(api_version: &str) -> String {
    if api_version.contains('/') { format!("/apis/{api_version}") } else { format!("/api/{api_version}") }
}

/// Cuts a collection's name into group and version, and resource.
///
/// `events.k8s.io/v1/events` is `v1/events`: one storage under two names.
pub(crate) fn split(gvr: &str) -> Option<(&str, &str)> {
    if matches!(gvr, "events.k8s.io/v1/events" | "events.k8s.io/v1beta1/events") {
        return Some(("v1", "events"));
    }
    let (api_version, plural) = gvr.rsplit_once('/')?;
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("core", api_version));
    let plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte))
    };
    (plain(group) && plain(version) && plain(plural) && version.starts_with('v') && gvr.matches('/').count() <= 2)
        .then_some((api_version, plural))
}

/// The collections of a server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Catalogue {
    resources: BTreeMap<String, Resource>,
    // Groups and versions whose server did not answer: what they have is unknown.
    stale: BTreeSet<String>,
}

impl Catalogue {
    /// Returns a collection by its name.
    #[must_use]
    pub fn find(&self, gvr: &str) -> Option<&Resource> {
        let (api_version, plural) = split(gvr)?;
        self.resources.get(&format!("{api_version}/{plural}"))
    }

    /// Returns every collection, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.resources.values()
    }

    /// Tells whether the server that has this group and version did not answer.
    #[must_use]
    pub fn is_stale(&self, api_version: &str) -> bool {
        self.stale.contains(api_version)
    }

    /// Adds what an aggregated document says; `None` when it is none.
    pub(crate) fn add_aggregated(&mut self, body: &str) -> Option<()> {
        let list: GroupList<'_> = serde_json::from_str(body).ok().filter(|list: &GroupList<'_>| &*list.kind == "APIGroupDiscoveryList")?;
        for group in &list.items {
            for version in &group.versions {
                let api_version = match &*group.metadata.name {
                    "" => version.version.to_string(),
                    name => format!("{name}/{}", version.version),
                };
                if &*version.freshness == "Stale" {
                    self.stale.insert(api_version.clone());
                }
                for resource in &version.resources {
                    self.add(
                        &api_version,
                        &resource.resource,
                        &resource.response_kind.kind,
                        &resource.scope == "Namespaced",
                        &resource.verbs,
                    );
                }
            }
        }
        Some(())
    }

    /// Adds what the document of one group and version says; `None` when it is none.
    pub(crate) fn add_group_version(&mut self, body: &str) -> Option<()> {
        let list: ResourceList<'_> = serde_json::from_str(body).ok().filter(|list: &ResourceList<'_>| &*list.kind == "APIResourceList")?;
        for resource in list.resources.iter().filter(|resource| !resource.name.contains('/')) {
            self.add(&list.group_version, &resource.name, &resource.kind, resource.namespaced, &resource.verbs);
        }
        Some(())
    }

    fn add(&mut self, api_version: &str, plural: &str, kind: &str, namespaced: bool, verbs: &[Text<'_>]) {
        let has = |verb| verbs.iter().any(|one| &**one == verb);
        let gvr = format!("{api_version}/{plural}");
        let resource = Resource {
            gvr: gvr.clone(),
            api_version: api_version.to_owned(),
            plural: plural.to_owned(),
            kind: kind.to_owned(),
            namespaced,
            watchable: has("list") && has("watch"),
        };
        self.resources.insert(gvr, resource);
    }
}

/// `APIGroupDiscoveryList`
#[derive(Deserialize)]
struct GroupList<'a> {
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow, default)]
    items: Vec<Group<'a>>,
}

#[derive(Deserialize)]
struct Group<'a> {
    #[serde(borrow, default)]
    metadata: Named<'a>,
    #[serde(borrow, default)]
    versions: Vec<GroupVersion<'a>>,
}

#[derive(Default, Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
}

#[derive(Deserialize)]
struct GroupVersion<'a> {
    #[serde(borrow)]
    version: Text<'a>,
    #[serde(borrow, default)]
    freshness: Text<'a>,
    #[serde(borrow, default)]
    resources: Vec<GroupResource<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupResource<'a> {
    #[serde(borrow)]
    resource: Text<'a>,
    #[serde(borrow, default)]
    response_kind: Kind<'a>,
    #[serde(default)]
    scope: String,
    #[serde(borrow, default)]
    verbs: Vec<Text<'a>>,
}

#[derive(Default, Deserialize)]
struct Kind<'a> {
    #[serde(borrow, default)]
    kind: Text<'a>,
}

/// `APIResourceList`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceList<'a> {
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow, default)]
    group_version: Text<'a>,
    #[serde(borrow, default)]
    resources: Vec<ListedResource<'a>>,
}

#[derive(Deserialize)]
struct ListedResource<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow, default)]
    kind: Text<'a>,
    #[serde(default)]
    namespaced: bool,
    #[serde(borrow, default)]
    verbs: Vec<Text<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGGREGATED: &str = r#"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[
        {"metadata":{"creationTimestamp":null},"versions":[{"version":"v1","freshness":"Current","resources":[
            {"resource":"pods","responseKind":{"group":"","version":"","kind":"Pod"},"scope":"Namespaced","verbs":["get","list","watch"],
             "subresources":[{"subresource":"log","verbs":["get"]}]},
            {"resource":"bindings","responseKind":{"group":"","version":"","kind":"Binding"},"scope":"Namespaced","verbs":["create"]}]}]},
        {"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1beta1","freshness":"Stale"}]}]}"#;

    const GROUP_VERSION: &str = r#"{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"apps/v1","resources":[
        {"name":"deployments","singularName":"deployment","namespaced":true,"kind":"Deployment","verbs":["list","watch"]},
        {"name":"deployments/scale","namespaced":true,"kind":"Scale","verbs":["get"]}]}"#;

    #[test]
    fn both_documents_are_understood() {
        let mut catalogue = Catalogue::default();
        assert_eq!(catalogue.add_aggregated(GROUP_VERSION), None);
        catalogue.add_aggregated(AGGREGATED).unwrap();
        catalogue.add_group_version(GROUP_VERSION).unwrap();
        check(&catalogue, "v1/pods", Some(("Pod", true, "/api/v1/namespaces/shop/pods")));
        check(&catalogue, "v1/bindings", Some(("Binding", false, "/api/v1/namespaces/shop/bindings")));
        check(&catalogue, "apps/v1/deployments", Some(("Deployment", true, "/apis/apps/v1/namespaces/shop/deployments")));
        check(&catalogue, "apps/v1/deployments/scale", None);
        assert!(catalogue.is_stale("metrics.k8s.io/v1beta1"));
    }

    #[test]
    fn names_of_collections_are_split_or_refused() {
        for (gvr, want) in [
            ("v1/pods", Some(("v1", "pods"))),
            ("apps/v1/deployments", Some(("apps/v1", "deployments"))),
            ("events.k8s.io/v1/events", Some(("v1", "events"))),
            ("pods", None),
            ("v1/Pods", None),
            ("a/b/c/d", None),
            ("apps/deployments", None),
            ("v1/", None),
        ] {
            assert_eq!(split(gvr), want, "{gvr}");
        }
    }

    #[track_caller]
    fn check(catalogue: &Catalogue, gvr: &str, want: Option<(&str, bool, &str)>) {
        let got = catalogue.find(gvr);
        let path = got.map(|resource| resource.path("shop"));
        assert_eq!(got.map(|resource| (&*resource.kind, resource.watchable, path.as_deref().unwrap_or_default())), want, "{gvr}");
    }
}

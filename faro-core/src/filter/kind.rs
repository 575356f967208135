//! Kinds as people name them: `Pod`, `pods`, `po`.

use crate::gvr::Gvr;

/// The short names that kubectl knows (`kubectl api-resources`, Kubernetes 1.35).
const SHORT: [(&str, &str); 24] = [
    ("cj", "cronjob"),
    ("cm", "configmap"),
    ("crd", "customresourcedefinition"),
    ("crds", "customresourcedefinition"),
    ("csr", "certificatesigningrequest"),
    ("deploy", "deployment"),
    ("ds", "daemonset"),
    ("ep", "endpoints"),
    ("ev", "event"),
    ("hpa", "horizontalpodautoscaler"),
    ("ing", "ingress"),
    ("limits", "limitrange"),
    ("netpol", "networkpolicy"),
    ("no", "node"),
    ("ns", "namespace"),
    ("pc", "priorityclass"),
    ("pdb", "poddisruptionbudget"),
    ("po", "pod"),
    ("pv", "persistentvolume"),
    ("pvc", "persistentvolumeclaim"),
    ("quota", "resourcequota"),
    ("rc", "replicationcontroller"),
    ("rs", "replicaset"),
    ("sa", "serviceaccount"),
];

/// More short names, of kinds whose own name is short.
const SHORT_TOO: [(&str, &str); 3] = [("sc", "storageclass"), ("sts", "statefulset"), ("svc", "service")];

/// A kind that somebody asked for, whichever way it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KindName {
    // The kind in lower case, or, of a kind that only discovery could tell, what was written.
    name: String,
}

impl KindName {
    /// Reads a kind, a resource or a short name; a group after a point (`deployments.apps`) is left out.
    pub(crate) fn new(text: &str) -> Self {
        let lower = text.split('.').next().unwrap_or("").to_lowercase();
        if let Some((_, kind)) = SHORT.iter().chain(&SHORT_TOO).find(|(short, _)| *short == lower) {
            return Self { name: (*kind).to_owned() };
        }
        // A plural is only undone where the table of kinds confirms it.
        let singular = [("ies", "y"), ("es", ""), ("s", "")].into_iter().find_map(|(plural, end)| {
            let kind = format!("{}{end}", lower.strip_suffix(plural)?);
            (Gvr::of_reference("", &kind).resource == lower).then_some(kind)
        });
        Self { name: singular.unwrap_or(lower) }
    }

    /// The kind in lower case.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Tells whether a kind is meant; `resource` is its plural, where it is known.
    pub(crate) fn is(&self, kind: &str, resource: &str) -> bool {
        kind.eq_ignore_ascii_case(&self.name) || (!resource.is_empty() && resource.eq_ignore_ascii_case(&self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_is_one_kind() {
        check("Pod", &["po", "pod", "pods", "Pods", "pods.v1."]);
        check("Deployment", &["deploy", "deployments", "deployments.apps", "Deployment"]);
        check("Ingress", &["ing", "ingresses", "ingress"]);
        check("NetworkPolicy", &["netpol", "networkpolicies"]);
        check("StorageClass", &["sc", "storageclasses"]);
        check("Endpoints", &["ep", "endpoints"]);
        check("Service", &["svc", "services"]);
        check("StatefulSet", &["sts", "statefulsets"]);
        check("Widget", &["widget", "Widget"]);
    }

    #[test]
    fn plural_of_an_unknown_kind_is_its_resource_only() {
        assert!(!KindName::new("widgets").is("Widget", ""));
        assert!(KindName::new("widgets").is("Widget", "widgets"));
    }

    #[test]
    fn another_kind_is_not_meant() {
        assert!(!KindName::new("po").is("PodDisruptionBudget", "poddisruptionbudgets"));
        assert!(!KindName::new("").is("Pod", ""));
    }

    #[track_caller]
    fn check(kind: &str, ways: &[&str]) {
        for way in ways {
            assert!(KindName::new(way).is(kind, ""), "{way}");
        }
    }
}

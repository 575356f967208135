//! Group, version, resource: how the API server names a collection, and the key that links records in a graph.

use std::fmt;

/// A collection of the API: `v1/pods`, `apps/v1/deployments`.
///
/// The resource of a kind comes from discovery, from a CustomResourceDefinition or from the table of built-in kinds
/// (`Ingress` is `ingresses`, `Endpoints` is `endpoints`); it is never guessed by lower-casing and adding an s. A kind that none
/// of them knows is given by its kind: `example.com/v1/Widget`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Gvr<'a> {
    /// Group and version as in `apiVersion`: `v1`, `apps/v1`.
    pub api_version: &'a str,
    /// The plural in the URL: `pods`.
    pub resource: &'a str,
}

impl Gvr<'static> {
    /// The collection of all operational events, whichever API version reported them.
    pub const EVENTS: Self = Self { api_version: "v1", resource: "events" };
}

impl<'a> Gvr<'a> {
    /// Reads `v1/pods`, `apps/v1/deployments`. Without a slash all of it is the resource.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let (api_version, resource) = text.rsplit_once('/').unwrap_or(("", text));
        Self { api_version, resource }
    }

    /// Returns the collection of a built-in kind, or the kind itself where only discovery could tell.
    ///
    /// # Example
    ///
    /// ```
    /// use faro_core::Gvr;
    ///
    /// assert_eq!(Gvr::of("networking.k8s.io/v1", "Ingress").to_string(), "networking.k8s.io/v1/ingresses");
    /// assert_eq!(Gvr::of("example.com/v1", "Widget").to_string(), "example.com/v1/Widget");
    /// ```
    #[must_use]
    pub fn of(api_version: &'a str, kind: &'a str) -> Self {
        let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
        let known = BUILT_IN.iter().find(|(known, groups, _)| *known == kind && groups.contains(&group));
        Self { api_version, resource: known.map_or(kind, |(_, _, resource)| resource) }
    }

    /// Returns the collection that an Event's reference means. Old producers send a kind without `apiVersion`, and one lower
    /// case kind is known in the field: for built-in kinds both are completed.
    #[must_use]
    pub fn of_reference(api_version: &'a str, kind: &'a str) -> Self {
        if !api_version.is_empty() {
            let exact = Self::of(api_version, kind);
            if exact.resource != kind {
                return exact;
            }
        }
        let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
        let known = BUILT_IN
            .iter()
            .find(|(known, groups, _)| known.eq_ignore_ascii_case(kind) && (api_version.is_empty() || groups.contains(&group)));
        match known {
            None => Self { api_version, resource: kind },
            Some((_, groups, resource)) if api_version.is_empty() => Self { api_version: preferred(groups[0]), resource },
            Some((_, _, resource)) => Self { api_version, resource },
        }
    }
}

impl fmt::Display for Gvr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.api_version.is_empty() { f.write_str(self.resource) } else { write!(f, "{}/{}", self.api_version, self.resource) }
    }
}

/// The graph key of an object: `v1/pods:shop/web-1`, `v1/nodes:n1` for cluster-scoped ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Link<'a> {
    /// The object's collection.
    pub gvr: Gvr<'a>,
    /// The object's namespace; empty for cluster-scoped ones.
    pub namespace: &'a str,
    /// The object's name.
    pub name: &'a str,
}

impl fmt::Display for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.gvr)?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(self.name)
    }
}

impl serde::Serialize for Link<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl serde::Serialize for Gvr<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The version that a group serves by default (Kubernetes 1.35).
fn preferred(group: &str) -> &'static str {
    match group {
        "" => "v1",
        "apps" => "apps/v1",
        "batch" => "batch/v1",
        "autoscaling" => "autoscaling/v2",
        "policy" => "policy/v1",
        "networking.k8s.io" => "networking.k8s.io/v1",
        "discovery.k8s.io" => "discovery.k8s.io/v1",
        "storage.k8s.io" => "storage.k8s.io/v1",
        "scheduling.k8s.io" => "scheduling.k8s.io/v1",
        "coordination.k8s.io" => "coordination.k8s.io/v1",
        "rbac.authorization.k8s.io" => "rbac.authorization.k8s.io/v1",
        "admissionregistration.k8s.io" => "admissionregistration.k8s.io/v1",
        "apiextensions.k8s.io" => "apiextensions.k8s.io/v1",
        "apiregistration.k8s.io" => "apiregistration.k8s.io/v1",
        "certificates.k8s.io" => "certificates.k8s.io/v1",
        "events.k8s.io" => "events.k8s.io/v1",
        "node.k8s.io" => "node.k8s.io/v1",
        "resource.k8s.io" => "resource.k8s.io/v1",
        "flowcontrol.apiserver.k8s.io" => "flowcontrol.apiserver.k8s.io/v1",
        _ => "",
    }
}

/// Kind, groups that serve it (the preferred one first), resource: the API reference of Kubernetes 1.35.
const BUILT_IN: &[(&str, &[&str], &str)] = &[
    ("Pod", &[""], "pods"),
    ("Node", &[""], "nodes"),
    ("Event", &["", "events.k8s.io"], "events"),
    ("ReplicaSet", &["apps", "extensions"], "replicasets"),
    ("Deployment", &["apps", "extensions"], "deployments"),
    ("DaemonSet", &["apps", "extensions"], "daemonsets"),
    ("StatefulSet", &["apps"], "statefulsets"),
    ("Job", &["batch"], "jobs"),
    ("CronJob", &["batch"], "cronjobs"),
    ("Namespace", &[""], "namespaces"),
    ("Service", &[""], "services"),
    ("Endpoints", &[""], "endpoints"),
    ("EndpointSlice", &["discovery.k8s.io"], "endpointslices"),
    ("ConfigMap", &[""], "configmaps"),
    ("Secret", &[""], "secrets"),
    ("ServiceAccount", &[""], "serviceaccounts"),
    ("PersistentVolumeClaim", &[""], "persistentvolumeclaims"),
    ("PersistentVolume", &[""], "persistentvolumes"),
    ("ReplicationController", &[""], "replicationcontrollers"),
    ("ResourceQuota", &[""], "resourcequotas"),
    ("LimitRange", &[""], "limitranges"),
    ("PodTemplate", &[""], "podtemplates"),
    ("Binding", &[""], "bindings"),
    ("ComponentStatus", &[""], "componentstatuses"),
    ("ControllerRevision", &["apps"], "controllerrevisions"),
    ("HorizontalPodAutoscaler", &["autoscaling"], "horizontalpodautoscalers"),
    ("PodDisruptionBudget", &["policy"], "poddisruptionbudgets"),
    ("PodSecurityPolicy", &["policy", "extensions"], "podsecuritypolicies"),
    ("Ingress", &["networking.k8s.io", "extensions"], "ingresses"),
    ("IngressClass", &["networking.k8s.io"], "ingressclasses"),
    ("NetworkPolicy", &["networking.k8s.io", "extensions"], "networkpolicies"),
    ("IPAddress", &["networking.k8s.io"], "ipaddresses"),
    ("ServiceCIDR", &["networking.k8s.io"], "servicecidrs"),
    ("StorageClass", &["storage.k8s.io"], "storageclasses"),
    ("VolumeAttachment", &["storage.k8s.io"], "volumeattachments"),
    ("CSIDriver", &["storage.k8s.io"], "csidrivers"),
    ("CSINode", &["storage.k8s.io"], "csinodes"),
    ("CSIStorageCapacity", &["storage.k8s.io"], "csistoragecapacities"),
    ("VolumeAttributesClass", &["storage.k8s.io"], "volumeattributesclasses"),
    ("PriorityClass", &["scheduling.k8s.io"], "priorityclasses"),
    ("Lease", &["coordination.k8s.io"], "leases"),
    ("Role", &["rbac.authorization.k8s.io"], "roles"),
    ("RoleBinding", &["rbac.authorization.k8s.io"], "rolebindings"),
    ("ClusterRole", &["rbac.authorization.k8s.io"], "clusterroles"),
    ("ClusterRoleBinding", &["rbac.authorization.k8s.io"], "clusterrolebindings"),
    ("MutatingWebhookConfiguration", &["admissionregistration.k8s.io"], "mutatingwebhookconfigurations"),
    ("ValidatingWebhookConfiguration", &["admissionregistration.k8s.io"], "validatingwebhookconfigurations"),
    ("ValidatingAdmissionPolicy", &["admissionregistration.k8s.io"], "validatingadmissionpolicies"),
    ("ValidatingAdmissionPolicyBinding", &["admissionregistration.k8s.io"], "validatingadmissionpolicybindings"),
    ("MutatingAdmissionPolicy", &["admissionregistration.k8s.io"], "mutatingadmissionpolicies"),
    ("MutatingAdmissionPolicyBinding", &["admissionregistration.k8s.io"], "mutatingadmissionpolicybindings"),
    ("CustomResourceDefinition", &["apiextensions.k8s.io"], "customresourcedefinitions"),
    ("APIService", &["apiregistration.k8s.io"], "apiservices"),
    ("CertificateSigningRequest", &["certificates.k8s.io"], "certificatesigningrequests"),
    ("ClusterTrustBundle", &["certificates.k8s.io"], "clustertrustbundles"),
    ("PodCertificateRequest", &["certificates.k8s.io"], "podcertificaterequests"),
    ("RuntimeClass", &["node.k8s.io"], "runtimeclasses"),
    ("ResourceClaim", &["resource.k8s.io"], "resourceclaims"),
    ("ResourceClaimTemplate", &["resource.k8s.io"], "resourceclaimtemplates"),
    ("ResourceSlice", &["resource.k8s.io"], "resourceslices"),
    ("DeviceClass", &["resource.k8s.io"], "deviceclasses"),
    ("FlowSchema", &["flowcontrol.apiserver.k8s.io"], "flowschemas"),
    ("PriorityLevelConfiguration", &["flowcontrol.apiserver.k8s.io"], "prioritylevelconfigurations"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn irregular_plurals_are_known() {
        check("networking.k8s.io/v1", "NetworkPolicy", "networking.k8s.io/v1/networkpolicies");
        check("v1", "Endpoints", "v1/endpoints");
        check("batch/v1beta1", "CronJob", "batch/v1beta1/cronjobs");
    }

    #[test]
    fn same_kind_of_another_group_is_another_thing() {
        check("config.openshift.io/v1", "Ingress", "config.openshift.io/v1/Ingress");
        check("serving.knative.dev/v1", "Service", "serving.knative.dev/v1/Service");
    }

    #[test]
    fn references_of_old_producers_are_completed() {
        check("", "Deployment", "apps/v1/deployments");
        check("", "node", "v1/nodes");
        check("v1", "pod", "v1/pods");
    }

    #[track_caller]
    fn check(api_version: &str, kind: &str, want: &str) {
        assert_eq!(Gvr::of_reference(api_version, kind).to_string(), want);
    }
}

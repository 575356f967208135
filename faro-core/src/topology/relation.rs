//! The ways in which one object depends on another.

use serde::{Deserialize, Serialize};

/// How an object depends on another one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Relation {
    /// `metadata.ownerReferences`, the controller first.
    OwnedBy,
    /// `spec.nodeName`.
    RunsOn,
    /// A volume of the pod is this claim.
    UsesClaim,
    /// A volume or the environment reads this `ConfigMap`.
    ReadsConfig,
    /// A volume or the environment reads this Secret.
    ReadsSecret,
    /// `imagePullSecrets`.
    PullsWith,
    /// `spec.serviceAccountName`.
    ActsAs,
    /// A claim's volume.
    BoundTo,
    /// A claim's or volume's storage class.
    OfClass,
    /// An ingress or a webhook calls this Service.
    RoutesTo,
    /// The environment of its containers names this Service.
    Calls,
    /// An autoscaler sets its replicas.
    Scales,
    /// Any other reference by kind and name.
    RefersTo,
}

impl Relation {
    pub(crate) const FIRST: Self = Self::OwnedBy;
    pub(crate) const LAST: Self = Self::RefersTo;

    /// Every relation.
    pub(crate) const ALL: [Self; 13] = [
        Self::OwnedBy,
        Self::RunsOn,
        Self::UsesClaim,
        Self::ReadsConfig,
        Self::ReadsSecret,
        Self::PullsWith,
        Self::ActsAs,
        Self::BoundTo,
        Self::OfClass,
        Self::RoutesTo,
        Self::Calls,
        Self::Scales,
        Self::RefersTo,
    ];

    /// Its name, as it is serialised.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OwnedBy => "owned-by",
            Self::RunsOn => "runs-on",
            Self::UsesClaim => "uses-claim",
            Self::ReadsConfig => "reads-config",
            Self::ReadsSecret => "reads-secret",
            Self::PullsWith => "pulls-with",
            Self::ActsAs => "acts-as",
            Self::BoundTo => "bound-to",
            Self::OfClass => "of-class",
            Self::RoutesTo => "routes-to",
            Self::Calls => "calls",
            Self::Scales => "scales",
            Self::RefersTo => "refers-to",
        }
    }

    /// The word for the way from what is depended on to what depends.
    pub(crate) const fn effect(self) -> &'static str {
        match self {
            Self::OwnedBy => "owns",
            Self::RunsOn => "runs",
            Self::UsesClaim | Self::ReadsConfig | Self::ReadsSecret => "is mounted by",
            Self::PullsWith => "lets pull",
            Self::ActsAs => "is the account of",
            Self::BoundTo => "backs",
            Self::OfClass => "provisions",
            Self::RoutesTo => "is the backend of",
            Self::Calls => "is called by",
            Self::Scales => "is scaled by",
            Self::RefersTo => "is referred to by",
        }
    }
}

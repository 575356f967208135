//! How bad it is, and what happened: decided by data, not by code.

mod catalogue;
mod escalation;
mod pattern;
mod rules;
mod user;

pub use catalogue::{Catalogue, Entry};
pub use escalation::{Escalation, EscalationError};
pub use pattern::Pattern;
pub use rules::{RuleId, Rules, Verdict};
pub use user::{ExampleOutcome, RuleCause, RuleError, UserRules};

use serde::{Deserialize, Serialize};
use std::fmt;

/// How bad an event is, from normal life to a workload that cannot run.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Normal life.
    #[default]
    Info,
    /// Noise worth keeping.
    Low,
    /// Needs a look.
    Medium,
    /// Degraded now or about to fail.
    High,
    /// The workload cannot run or the node is lost.
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name in records and options.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! families {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// The canonical name of what happened, whichever component says it in whichever words.
        #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Family {
            $($(#[doc = $doc])* $variant,)*
            /// Anything that no rule knows.
            #[default]
            Other,
        }

        impl Family {
            /// Every family.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)* Self::Other];

            /// The name in records and rules.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other => "other",
                }
            }
        }
    };
}

families! {
    /// A pod's sandbox could not be made.
    PodSandbox = "pod-sandbox",
    /// Pod or node networking does not work.
    Network = "network",
    /// Memory ran out and a process was killed.
    Oom = "oom",
    /// A container keeps ending and is restarted ever more slowly.
    CrashLoop = "crash-loop",
    /// An image cannot be pulled.
    ImagePull = "image-pull",
    /// An image was pulled, removed or inspected.
    Image = "image",
    /// A node is not ready, unreachable or gone.
    NodeDown = "node-down",
    /// A node runs out of memory, disk or process ids.
    NodePressure = "node-pressure",
    /// A node's own life: started, registered, drained, rebooted.
    Node = "node",
    /// No node takes a pod.
    Scheduling = "scheduling",
    /// A pod gave way to a more important one.
    Preemption = "preemption",
    /// A volume cannot be attached or mounted.
    Volume = "volume",
    /// Claims, volumes and snapshots are provisioned.
    Storage = "storage",
    /// A controller cannot create what it owes.
    Create = "create",
    /// A quota or limit is reached.
    Quota = "quota",
    /// A request was refused on admission.
    Admission = "admission",
    /// A pod was evicted.
    Eviction = "eviction",
    /// A Secret, ConfigMap or setting is missing or wrong.
    Config = "config",
    /// A probe failed.
    Probe = "probe",
    /// A container cannot be made or started.
    Container = "container",
    /// The usual steps of a pod's life.
    Lifecycle = "lifecycle",
    /// Replicas were added or removed.
    Scaling = "scaling",
    /// An autoscaler looked, acted or could not.
    Autoscaling = "autoscaling",
    /// A new version is rolled out.
    Rollout = "rollout",
    /// Jobs and CronJobs.
    Job = "job",
    /// Disruption budgets.
    Disruption = "disruption",
    /// Services and their endpoints.
    Service = "service",
    /// Load balancers of Services.
    LoadBalancer = "load-balancer",
    /// Ingress and Gateway.
    Ingress = "ingress",
    /// Names and their resolution.
    Dns = "dns",
    /// Certificates and their renewal.
    Certificate = "certificate",
    /// A GitOps controller reconciles.
    Gitops = "gitops",
    /// A policy was applied or violated.
    Policy = "policy",
    /// API server, scheduler, controllers, etcd.
    ControlPlane = "control-plane",
    /// A component became or ceased to be leader.
    LeaderElection = "leader-election",
    /// An operator reconciles what it manages.
    Operator = "operator",
    /// The cluster or a node gets a new version.
    Upgrade = "upgrade",
    /// Backups and restores.
    Backup = "backup",
    /// Rights, secrets and their handling.
    Security = "security",
    /// Workflow engines.
    Workflow = "workflow",
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

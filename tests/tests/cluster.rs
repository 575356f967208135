//! Tests against a real control plane; `CONTRIBUTING.md` says what they need and where they are skipped.
//!
//! They are one program, so that they share one control plane and kube is linked once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "cluster/access.rs"]
mod access;
#[path = "cluster/bad_text.rs"]
mod bad_text;
#[path = "cluster/causes.rs"]
mod causes;
#[path = "cluster/completeness.rs"]
mod completeness;
#[path = "cluster/configuration.rs"]
mod configuration;
#[path = "cluster/contract.rs"]
mod contract;
#[path = "cluster/counting.rs"]
mod counting;
#[path = "cluster/definitions.rs"]
mod definitions;
#[path = "cluster/deployed.rs"]
mod deployed;
#[path = "cluster/endings.rs"]
mod endings;
#[path = "cluster/fidelity.rs"]
mod fidelity;
#[path = "cluster/history.rs"]
mod history;
#[path = "cluster/kills.rs"]
mod kills;
#[path = "cluster/leading.rs"]
mod leading;
#[path = "cluster/load.rs"]
mod load;
#[path = "cluster/meaning.rs"]
mod meaning;
#[path = "cluster/operation.rs"]
mod operation;
#[path = "cluster/outages.rs"]
mod outages;
#[path = "cluster/probe.rs"]
mod probe;
#[path = "cluster/program.rs"]
mod program;
#[path = "cluster/recordings.rs"]
mod recordings;
#[path = "cluster/recovery.rs"]
mod recovery;
#[path = "cluster/reports.rs"]
mod reports;
#[path = "cluster/requests.rs"]
mod requests;
#[path = "cluster/rights.rs"]
mod rights;
#[path = "cluster/secrets.rs"]
mod secrets;
#[path = "cluster/selection.rs"]
mod selection;
#[path = "cluster/simulated.rs"]
mod simulated;
#[path = "cluster/stage.rs"]
mod stage;
#[path = "cluster/stories.rs"]
mod stories;
#[path = "cluster/truth.rs"]
mod truth;
#[path = "cluster/watching.rs"]
mod watching;
#[path = "cluster/workloads.rs"]
mod workloads;

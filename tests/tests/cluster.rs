//! Tests against a real control plane; `CONTRIBUTING.md` says what they need and where they are skipped.
//!
//! They are one program, so that they share one control plane and kube is linked once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "cluster/access.rs"]
mod access;
#[path = "cluster/definitions.rs"]
mod definitions;
#[path = "cluster/endings.rs"]
mod endings;
#[path = "cluster/history.rs"]
mod history;
#[path = "cluster/kills.rs"]
mod kills;
#[path = "cluster/load.rs"]
mod load;
#[path = "cluster/outages.rs"]
mod outages;
#[path = "cluster/program.rs"]
mod program;
#[path = "cluster/recordings.rs"]
mod recordings;
#[path = "cluster/recovery.rs"]
mod recovery;
#[path = "cluster/requests.rs"]
mod requests;
#[path = "cluster/rights.rs"]
mod rights;
#[path = "cluster/simulated.rs"]
mod simulated;
#[path = "cluster/truth.rs"]
mod truth;
#[path = "cluster/watching.rs"]
mod watching;
#[path = "cluster/workloads.rs"]
mod workloads;

//! Tests against a real control plane; `CONTRIBUTING.md` says what they need and where they are skipped.
//!
//! They are one program, so that they share one control plane and kube is linked once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "cluster/deployed.rs"]
mod deployed;
#[path = "cluster/endings.rs"]
mod endings;
#[path = "cluster/history.rs"]
mod history;
#[path = "cluster/leading.rs"]
mod leading;
#[path = "cluster/operation.rs"]
mod operation;
#[path = "cluster/probe.rs"]
mod probe;
#[path = "cluster/program.rs"]
mod program;
#[path = "cluster/requests.rs"]
mod requests;
#[path = "cluster/rights.rs"]
mod rights;
#[path = "cluster/simulated.rs"]
mod simulated;
#[path = "cluster/watching.rs"]
mod watching;
#[path = "cluster/workloads.rs"]
mod workloads;

//! Tests against a real control plane; `CONTRIBUTING.md` says what they need and where they are skipped.
//!
//! They are one program, so that they share one control plane and kube is linked once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "cluster/bad_text.rs"]
mod bad_text;
#[path = "cluster/completeness.rs"]
mod completeness;
#[path = "cluster/configuration.rs"]
mod configuration;
#[path = "cluster/contract.rs"]
mod contract;
#[path = "cluster/counting.rs"]
mod counting;
#[path = "cluster/endings.rs"]
mod endings;
#[path = "cluster/fidelity.rs"]
mod fidelity;
#[path = "cluster/history.rs"]
mod history;
#[path = "cluster/meaning.rs"]
mod meaning;
#[path = "cluster/program.rs"]
mod program;
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
#[path = "cluster/watching.rs"]
mod watching;
#[path = "cluster/workloads.rs"]
mod workloads;

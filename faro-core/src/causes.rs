//! What an incident may be due to: a catalogue, decided by data like severity.

mod catalogue;
mod template;

pub use catalogue::{CauseEntry, Causes, Remedy};

pub(crate) use catalogue::{CauseId, Phase, Reported, Requirement, Root, Scope};
pub(crate) use template::{Captures, fill};

//! What an incident may be due to: a catalogue, decided by data like severity.

mod catalogue;
mod entry;
mod image;
mod scheduler;
mod template;
mod told;
mod user;

pub use catalogue::Causes;
pub use entry::{CauseEntry, Remedy};

pub(crate) use catalogue::{CauseId, Reported};
pub(crate) use entry::{Phase, Requirement, Root, Scope};
pub(crate) use template::{Captures, fill, one_line};
pub(crate) use told::Told;
pub(crate) use user::check;

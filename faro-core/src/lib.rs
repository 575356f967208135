//! The pure engine of Faro.

pub mod condition;
mod duration;
mod deadlines;
mod hash;
pub mod objects;
mod occurrences;
mod sketch;
mod slots;
mod suggestion;
mod symbols;
mod config;
pub mod filter;
mod engine;
mod groups;
mod gvr;
pub mod input;
pub mod record;
mod replay;
mod report;
pub mod severity;
mod time;

pub use duration::{DurationError, Span, parse_duration};
pub use config::{Emit, EngineConfig, Limits};
pub use engine::{Engine, RestoreError, Scope, Sink, Snapshot};
pub use groups::{GroupBooks, GroupBy, Groups, GroupsConfig, Occurrence};
pub use gvr::{Gvr, Link};
pub use occurrences::{CounterKey, News, Occurrences};
pub use record::Record;
pub use replay::Replay;
pub use report::{COMBINED_PREFIX, MAX_CLOCK_SKEW, Report};
pub use severity::{Family, Severity};
pub use suggestion::Suggestion;
pub use time::Nanos;

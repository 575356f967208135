//! The pure engine of Faro.

mod gvr;
pub mod input;
pub mod record;
mod report;
pub mod severity;
mod time;

pub use gvr::{Gvr, Link};
pub use record::Record;
pub use report::{COMBINED_PREFIX, MAX_CLOCK_SKEW, Report};
pub use severity::{Family, Severity};
pub use time::Nanos;

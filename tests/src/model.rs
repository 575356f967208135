//! The engine against an oracle: one vocabulary of operations, three drivers.
//!
//! A property test, a fuzzer and a hand-written case all make [`Op`]s. [`Cluster`] plays them as an API server would, so that both
//! sides get the same JSON; [`System`] feeds it to the engine and reads what is printed; [`Oracle`] keeps every occurrence in lists
//! and scans them; [`check`] compares the two after each operation.

mod cluster;
mod compare;
mod fold;
mod op;
mod oracle;
mod report;
mod setup;
mod system;
mod verdict;

pub use cluster::{Cluster, Input, START, rfc3339};
pub use compare::{check, check_with};
pub use fold::{Fold, final_fold};
pub use op::{Ago, More, Op, Slot, Span, Style, Subject, What};
pub use oracle::{Expected, Oracle};
pub use setup::Setup;
pub use system::{Printed, System};

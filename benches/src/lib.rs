//! What the benchmarks measure and what they are compared with.
//!
//! Each benchmark has a fixed seed, feeds keys in random order with realistic messages and live deadlines, and asserts its result.

pub mod ceiling;
pub mod cluster;
pub mod naive;
pub mod scan;
pub mod workload;

//! Generators, oracles and suites for the tests of Faro.

pub mod cilium_night;
pub mod flood;
pub mod fuzz;
pub mod model;
pub mod replayed;

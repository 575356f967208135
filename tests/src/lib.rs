//! Generators, oracles and suites for the tests of Faro.

pub mod cilium_night;
#[cfg(feature = "cluster")]
pub mod control_plane;
pub mod correlator;
pub mod flood;
pub mod fuzz;
pub mod model;
#[cfg(feature = "cluster")]
pub mod proxy;
pub mod replayed;

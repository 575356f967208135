//! Generators, oracles and suites for the tests of Faro.

pub mod cilium_night;
#[cfg(feature = "cluster")]
pub mod control_plane;
pub mod correlator;
pub mod flood;
pub mod fuzz;
#[cfg(feature = "cluster")]
pub mod load;
pub mod model;
#[cfg(feature = "cluster")]
pub mod proxy;
pub mod replayed;

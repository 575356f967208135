//! Generators and oracles for the tests of Faro.

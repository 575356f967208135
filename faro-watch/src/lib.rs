//! Cluster access for Faro.

//! Benchmarks of Faro; see `benches/`.

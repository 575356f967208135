//! Heap for each pod of a large cluster, everything that the engine keeps told together, and the part of the incidents.
//!
//! `cargo bench -p faro-benches --bench topology`

use faro_benches::cluster::{Cluster, START};
use faro_core::{Emit, Engine, EngineConfig, Nanos, Record, Scope, input};
use std::io::Write;

fn main() {
    // As a test it is enough to see that it runs; the figure is taken at 150,000 pods.
    let full = std::env::args().any(|argument| argument == "--bench");
    let cluster = if full { Cluster { nodes: 5_000, pods: 150_000 } } else { Cluster { nodes: 50, pods: 1_500 } };
    let (all, without) = (held(cluster, true), held(cluster, false));
    assert!(all > without, "the topology is kept");
    // Written by hand: a criterion report has no column for bytes.
    let _ = writeln!(
        std::io::stdout(),
        "topology/{}: {} bytes of heap for each pod, nodes and workloads included; {} of them for the incidents",
        cluster.pods,
        all / cluster.pods,
        (all - without) / cluster.pods
    );
}

/// What an engine holds once it has listed the cluster.
fn held(cluster: Cluster, incident: bool) -> u64 {
    let emit = Emit { object: false, event: false, group: true, incident, gap: true, sync: false };
    let mut engine = Engine::new(EngineConfig::default().emit(emit));
    let scope = Scope::default();
    let mut sink = |_: &Record<'_>| {};
    engine.begin_list(scope.clone(), Nanos(START).into(), &mut sink);
    let mut held = 0_i64;
    for line in cluster.objects() {
        let used = allocation_counter::measure(|| {
            let item = input::read(&line).expect("the cluster writes JSON");
            engine.ingest(item, Nanos(START).into(), &mut sink);
        });
        held += used.bytes_current;
    }
    let used = allocation_counter::measure(|| engine.end_list(scope, Nanos(START).into(), &mut sink));
    assert!(engine.stats().records.object >= cluster.pods);
    (held + used.bytes_current).cast_unsigned()
}

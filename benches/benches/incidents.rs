//! Causes on a large cluster, against a correlator that looks through all pods for each Event.
//!
//! `cargo bench -p faro-benches --bench incidents`

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use faro_benches::cluster::{Cluster, REPLICAS, START};
use faro_benches::scan::Scan;
use faro_core::{Emit, Engine, EngineConfig, Nanos, Record, Scope, input};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Two sizes, to see that cost is linear.
const SIZES: [Cluster; 2] = [Cluster { nodes: 500, pods: 15_000 }, Cluster { nodes: 5_000, pods: 150_000 }];

/// Lines are made and timed in batches that fit the cache.
const BATCH: u64 = 256;

/// So many records after it failed, a pod is well again.
const FAILING: u64 = 5_001;

/// Nanoseconds between two records: a thousand a second.
const INTERVAL: i64 = 1_000_000;

fn incidents(criterion: &mut Criterion) {
    for cluster in SIZES {
        let mut group = criterion.benchmark_group(format!("incidents/{}_pods", cluster.pods));
        group.throughput(Throughput::Elements(1)).sample_size(10);
        for (name, incident) in [("updates", true), ("updates_without_incidents", false)] {
            group.bench_function(name, |bencher| {
                let mut engine = listed(cluster, incident);
                let (mut number, mut now, mut printed) = (0, START, 0_u64);
                bencher.iter_custom(|records| {
                    let mut spent = Duration::ZERO;
                    for first in (0..records).step_by(usize::try_from(BATCH).unwrap_or(usize::MAX)) {
                        let lines: Vec<String> = (first..records.min(first + BATCH))
                            .map(|_| {
                                number += 1;
                                // One record in fifty is of a pod that fails; five seconds later it is well again.
                                let pod = |number: u64| number.wrapping_mul(0x2545_F491_4F6C_DD1D) % cluster.pods;
                                if number % 50 == 8 && number > FAILING {
                                    cluster.pod(pod(number - FAILING), number, true)
                                } else {
                                    cluster.pod(pod(number), number, number % 50 != 7)
                                }
                            })
                            .collect();
                        let begun = Instant::now();
                        for line in &lines {
                            now += INTERVAL;
                            feed(&mut engine, line, now, &mut printed);
                        }
                        spent += begun.elapsed();
                    }
                    spent
                });
                assert!(!incident || number < 10_000 || printed > 0, "what fails is told");
            });
        }
        let events = if cluster.pods > 100_000 { 200_000 } else { 20_000 };
        let storm: Vec<String> =
            (0..events).map(|number| cluster.event(number, START + i64::try_from(number).unwrap_or(0) * 1_000_000)).collect();
        group.throughput(Throughput::Elements(events));
        for (name, incident) in [("storm", true), ("storm_without_incidents", false)] {
            group.bench_function(name, |bencher| {
                bencher.iter_batched(
                    || listed_with(cluster, incident, |pod| !Cluster::is_hit(pod)),
                    |mut engine| {
                        let (mut now, mut printed) = (START, 0);
                        for line in &storm {
                            now += 1_000_000;
                            feed(&mut engine, line, now, &mut printed);
                        }
                        assert_eq!(engine.stats().records.event, events);
                        assert_eq!(printed > 0, incident, "the storm is told");
                        engine
                    },
                    BatchSize::PerIteration,
                );
            });
        }
        let few = 200;
        group.throughput(Throughput::Elements(few));
        group.bench_function("storm_scanning", |bencher| {
            let mut scan = Scan::default();
            for pod in 0..cluster.pods {
                let workload = pod / REPLICAS;
                scan.pod(
                    cluster.namespace(workload),
                    cluster.pod_name(pod),
                    format!("node-{}", cluster.node_of(pod)),
                    format!("shelf-{workload}"),
                );
            }
            bencher.iter(|| {
                for number in 0..few {
                    let pod = number.wrapping_mul(0x2545_F491_4F6C_DD1D) % cluster.pods;
                    let found = scan.event(&cluster.namespace(pod / REPLICAS), &cluster.pod_name(pod));
                    assert!(black_box(found).0 > 0);
                }
            });
        });
        group.finish();
    }
}

/// An engine that has just listed the cluster, which is well.
fn listed(cluster: Cluster, incident: bool) -> Engine {
    listed_with(cluster, incident, |_| true)
}

fn listed_with(cluster: Cluster, incident: bool, ready: impl Fn(u64) -> bool) -> Engine {
    let emit = Emit { object: false, event: false, group: false, incident, gap: false, sync: false };
    let mut engine = Engine::new(EngineConfig::default().emit(emit));
    let (scope, mut printed) = (Scope::default(), 0);
    let well = (0..cluster.pods).all(&ready);
    engine.begin_list(scope.clone(), Nanos(START).into(), &mut |_: &Record<'_>| {});
    cluster.objects_with(ready).for_each(|line| feed(&mut engine, &line, START, &mut printed));
    engine.end_list(scope, Nanos(START).into(), &mut |_: &Record<'_>| printed += 1);
    assert!(printed == 0 || !well, "a healthy cluster has no incident");
    engine
}

fn feed(engine: &mut Engine, line: &str, now: i64, printed: &mut u64) {
    let item = input::read(line).expect("the cluster writes JSON");
    engine.ingest(item, Nanos(now).into(), &mut |record: &Record<'_>| {
        black_box(record);
        *printed += 1;
    });
}

criterion_group!(benches, incidents);
criterion_main!(benches);

//! The group hot path, record in hand, against a `HashMap` with a formatted key.
//!
//! `cargo bench -p faro-benches --bench dedup`

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use faro_benches::naive::Naive;
use faro_benches::workload::{Hit, Raw, Workload};
use faro_core::{GroupKey, Groups, GroupsConfig, LOOK_AHEAD, Occurrence};
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// How often each group is hit: in a storm, and so seldom that each hit prints its group.
const PACES: [(&str, Duration); 2] = [("storm", Duration::from_secs(5)), ("trickle", Duration::from_secs(240))];

/// Hits are made in batches that fit the cache: a record in hand was just read.
const BATCH: u64 = 256;

fn dedup(criterion: &mut Criterion) {
    for (size, (pace, period)) in [1_000, 1_000_000].into_iter().flat_map(|size| PACES.map(|pace| (size, pace))) {
        let mut group = criterion.benchmark_group(format!("dedup/{size}/{pace}"));
        group.throughput(Throughput::Elements(1)).sample_size(20);
        group.bench_function("faro", |bencher| {
            let mut workload = Workload::new(size, period);
            let rules = workload.rules().clone();
            let limit = NonZeroUsize::new(usize::try_from(size).unwrap_or(usize::MAX)).unwrap_or(NonZeroUsize::MIN);
            let mut groups = Groups::new(GroupsConfig { limit, ..GroupsConfig::default() });
            let (mut fed, mut printed) = (0, 0_u64);
            let mut add = |groups: &mut Groups, key: GroupKey, hit: &Hit<'_>| {
                let Hit { report, counter, news, verdict, now } = hit;
                let occurrence = Occurrence { cluster: "prod", report, counter: *counter, news: *news, verdict: *verdict, workload: None };
                groups.settle(*now, &mut |_| true);
                groups.observe(key, &occurrence, &rules, *now, &mut |group| {
                    printed += group.count;
                    true
                })
            };
            let mut add_all = |hits: &[Hit<'_>]| {
                for hits in hits.chunks(LOOK_AHEAD) {
                    let mut keys = [None; LOOK_AHEAD];
                    for (key, hit) in keys.iter_mut().zip(hits) {
                        *key = Some(groups.key("prod", &hit.report, hit.verdict.family, None));
                    }
                    groups.look_ahead(keys.iter().copied().flatten());
                    for (key, hit) in keys.iter().copied().flatten().zip(hits) {
                        black_box(add(&mut groups, key, hit));
                    }
                }
                fed += hits.len() as u64;
            };
            for index in 0..size {
                let raw = workload.opening(index);
                add_all(&[workload.in_hand(&raw)]);
            }
            bencher.iter_custom(|hits| in_batches(&mut workload, hits, &mut add_all));
            let books = groups.books();
            assert_eq!(books.open + books.closed + books.evicted, fed, "no occurrence is lost");
            assert_eq!(groups.len(), limit.get(), "every group is live");
            assert!(fed < 2 * size || books.evicted_groups > 0, "eviction is live");
            black_box(printed);
        });
        group.bench_function("hashmap_string", |bencher| {
            let mut workload = Workload::new(size, period);
            let (mut naive, mut fed) = (Naive::default(), 0);
            let mut add = |hit: &Hit<'_>| {
                naive.observe(&hit.report, hit.news.count(), hit.verdict.severity);
                fed += 1;
            };
            for index in 0..size {
                let raw = workload.opening(index);
                add(&workload.in_hand(&raw));
            }
            bencher.iter_custom(|hits| in_batches(&mut workload, hits, |hits| hits.iter().for_each(&mut add)));
            assert_eq!(naive.total(), fed, "no occurrence is lost");
        });
        group.finish();
    }
}

/// Times so many hits. They are made in batches, outside of the measured time.
fn in_batches(workload: &mut Workload, hits: u64, mut add_all: impl FnMut(&[Hit<'_>])) -> Duration {
    let (mut left, mut spent) = (hits, Duration::ZERO);
    while left > 0 {
        let batch = left.min(BATCH);
        left -= batch;
        let raw: Vec<Raw> = (0..batch).map(|_| workload.next_hit()).collect();
        let in_hand: Vec<Hit<'_>> = raw.iter().map(|raw| workload.in_hand(raw)).collect();
        let begun = Instant::now();
        add_all(&in_hand);
        spent += begun.elapsed();
    }
    spent
}

criterion_group!(benches, dedup);
criterion_main!(benches);

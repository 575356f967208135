//! Heap for each live group, keys included, the text of the latest message not.
//!
//! `cargo bench -p faro-benches --bench memory`

use faro_benches::workload::{Hit, Workload};
use faro_core::{Groups, GroupsConfig, Occurrence};
use std::io::Write;
use std::time::Duration;

fn main() {
    // As a test it is enough to see that it runs; the figure is taken at a million groups.
    let size: u64 = if std::env::args().any(|argument| argument == "--bench") { 1_000_000 } else { 2_000 };
    let mut workload = Workload::new(size, Duration::from_secs(240));
    let rules = workload.rules().clone();
    let mut groups = Groups::new(GroupsConfig::default());
    let (mut held, mut messages) = (0_i64, 0_u64);
    for index in 0..2 * size {
        let raw = if index < size { workload.opening(index) } else { workload.next_hit() };
        let hit = workload.in_hand(&raw);
        let Hit { report, counter, news, verdict, now } = &hit;
        let occurrence = Occurrence { cluster: "prod", report, counter: *counter, news: *news, verdict: *verdict, workload: None };
        let used = allocation_counter::measure(|| {
            groups.settle(*now, &mut |_| true);
            let key = groups.key("prod", report, verdict.family, None);
            groups.observe(key, &occurrence, &rules, *now, &mut |_| true);
        });
        held += used.bytes_current;
    }
    let live = groups.len() as u64;
    groups.for_each_message(|message| messages += message.len() as u64);
    assert!(live >= size, "every group is live");
    let books = groups.books();
    assert_eq!(books.open + books.closed + books.evicted, 2 * size, "no occurrence is lost");
    let each = (held.cast_unsigned() - messages) / live;
    // Written by hand: a criterion report has no column for bytes.
    let _ = writeln!(
        std::io::stdout(),
        "memory/{size}: {each} bytes of heap for each of {live} live groups, {} more of message text",
        messages / live
    );
}

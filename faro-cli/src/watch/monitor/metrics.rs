//! What `/metrics` shows. No label has a value from an object's name; what bounds the others is said beside them.

use super::counts::{KINDS, LAGS, Lag, NAMESPACES, OTHER};
use super::page::{Kind, Page};
use super::{Monitor, Step};
use faro_core::{Nanos, Severity};
use faro_watch::{CollectionHealth, Standing};
use std::sync::atomic::Ordering;

/// A number of each collection: its name, what kind it is, what it means, and where it is.
type Column = (&'static str, Kind, &'static str, fn(&CollectionHealth) -> Option<f64>);

const COLUMNS: [Column; 10] = [
    ("faro_watch_ready", Kind::Gauge, "Whether all watches of the collection are synced and have a stream.", |one| {
        Some(f64::from(u8::from(one.ready == one.watches)))
    }),
    ("faro_watch_streams_total", Kind::Counter, "Streams that were asked for.", |one| Some(number(one.streams))),
    ("faro_watch_restarts_total", Kind::Counter, "Streams that ended or could not be opened, and were asked for again.", |one| {
        Some(number(one.restarts))
    }),
    ("faro_watch_silences_total", Kind::Counter, "Streams that were given up because they had gone silent.", |one| {
        Some(number(one.silences))
    }),
    ("faro_watch_renewals_total", Kind::Counter, "Quiet streams that were replaced by a successor.", |one| Some(number(one.renewals))),
    ("faro_watch_relists_total", Kind::Counter, "Lists made because the server's history did not reach back.", |one| {
        Some(number(one.relists))
    }),
    ("faro_watch_gaps_total", Kind::Counter, "Spans in which records may have been missed.", |one| Some(number(one.gaps))),
    ("faro_watch_refusals_total", Kind::Counter, "Answers 403: a right is missing.", |one| Some(number(one.refusals))),
    ("faro_watch_last_line_timestamp_seconds", Kind::Gauge, "When a line of a stream last came; of the watch that waits longest.", |one| {
        one.last_line.map(seconds)
    }),
    ("faro_watch_last_bookmark_timestamp_seconds", Kind::Gauge, "When a bookmark last came; of the watch that waits longest.", |one| {
        one.last_bookmark.map(seconds)
    }),
];

#[expect(clippy::cast_precision_loss, reason = "Prometheus knows no other numbers")]
fn number(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus knows no other numbers")]
fn seconds(time: Nanos) -> f64 {
    time.0 as f64 / 1e9
}

impl Monitor {
    /// Writes all metrics.
    pub(super) fn metrics(&self) -> String {
        let mut page = Page::default();
        page.metric("faro_build_info", Kind::Gauge, "Which build this is.");
        page.sample("faro_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        page.metric("process_start_time_seconds", Kind::Gauge, "When the process was started.");
        page.sample("process_start_time_seconds", &[], seconds(self.started));
        self.records(&mut page);
        self.occurrences(&mut page);
        self.lags(&mut page);
        self.input(&mut page);
        self.watching(&mut page);
        self.stored(&mut page);
        self.led(&mut page);
        page.finish()
    }

    fn records(&self, page: &mut Page) {
        let name = "faro_records_total";
        page.metric(name, Kind::Counter, "Records printed.");
        for (gvr, row) in self.counts.collections.read() {
            for ((record, event_type), count) in KINDS.into_iter().zip(row).filter(|(_, count)| *count > 0) {
                page.sample(name, &[("record", record), ("gvr", &gvr), ("event_type", event_type)], count);
            }
        }
        for (record, count) in [("group", &self.counts.groups), ("incident", &self.counts.incidents), ("summary", &self.counts.summaries)] {
            page.sample(name, &[("record", record)], count.load(Ordering::Relaxed));
        }
    }

    fn occurrences(&self, page: &mut Page) {
        let name = "faro_occurrences_total";
        let help = format!(
            "Occurrences that passed the filters, by severity and by the Event's namespace: the first {NAMESPACES} seen, the others as `{OTHER}`."
        );
        page.metric(name, Kind::Counter, &help);
        for (namespace, row) in self.counts.occurrences.read() {
            for (severity, count) in Severity::ALL.into_iter().zip(row).filter(|(_, count)| *count > 0) {
                page.sample(name, &[("severity", severity.name()), ("namespace", &namespace)], count);
            }
        }
    }

    fn lags(&self, page: &mut Page) {
        let name = "faro_lag_seconds";
        let help = "From the event's own time, or that of the object's change, to its line; most of these times are whole seconds. Initial state is left out.";
        page.metric(name, Kind::Histogram, help);
        for (record, lag) in [("event", &self.counts.event_lag), ("object", &self.counts.object_lag)] {
            histogram(page, name, record, lag);
        }
    }

    fn input(&self, page: &mut Page) {
        page.metric("faro_malformed_total", Kind::Counter, "Lines of watches that could not be understood.");
        for (cause, count) in self.counts.read_malformed() {
            page.sample("faro_malformed_total", &[("cause", cause)], count);
        }
        let (step, since) = self.step();
        let waited = if step == Step::Prints { since.as_secs_f64() } else { 0.0 };
        page.metric("faro_output_wait_seconds", Kind::Gauge, "How long the reader of standard output has kept us waiting by now.");
        page.sample("faro_output_wait_seconds", &[], waited);
    }

    fn watching(&self, page: &mut Page) {
        let Some(health) = self.health.get() else { return };
        page.metric("faro_buffered_bytes", Kind::Gauge, "Bytes of watches that wait for the engine.");
        page.sample("faro_buffered_bytes", &[], health.buffered());
        let collections = health.collections();
        for (name, kind, help, column) in COLUMNS {
            page.metric(name, kind, help);
            for one in &collections {
                if let Some(value) = column(one) {
                    page.sample(name, &[("cluster", &one.cluster), ("gvr", &one.gvr)], value);
                }
            }
        }
        page.metric("faro_collection_missing", Kind::Gauge, "Collections that were asked for and that the server does not have.");
        for absent in health.missing() {
            page.sample("faro_collection_missing", &[("cluster", &absent.cluster), ("gvr", &absent.gvr)], 1);
        }
    }

    fn stored(&self, page: &mut Page) {
        let checkpoints = &self.checkpoints;
        let (stored, last) = (checkpoints.stored.load(Ordering::Relaxed), checkpoints.last.load(Ordering::Relaxed));
        page.metric("faro_checkpoint_duration_seconds", Kind::Summary, "How long storing a checkpoint took.");
        page.sample("faro_checkpoint_duration_seconds_sum", &[], number(checkpoints.nanos.load(Ordering::Relaxed)) / 1e9);
        page.sample("faro_checkpoint_duration_seconds_count", &[], stored);
        page.metric("faro_checkpoint_failures_total", Kind::Counter, "Checkpoints that could not be stored.");
        page.sample("faro_checkpoint_failures_total", &[], checkpoints.failed.load(Ordering::Relaxed));
        page.metric("faro_checkpoint_timestamp_seconds", Kind::Gauge, "When a checkpoint was last stored.");
        if stored > 0 {
            page.sample("faro_checkpoint_timestamp_seconds", &[], number(last) / 1e9);
        }
    }

    fn led(&self, page: &mut Page) {
        let Some(candidate) = self.leadership.get() else { return };
        let leads = *candidate.standing.borrow() == Standing::Leading;
        page.metric("faro_leader", Kind::Gauge, "Whether this process holds the Lease.");
        page.sample("faro_leader", &[("lease", &candidate.place)], u8::from(leads));
    }
}

fn histogram(page: &mut Page, name: &str, record: &str, lag: &Lag) {
    let (classes, millis) = lag.read();
    let mut so_far = 0;
    let limits = LAGS.iter().map(|limit| (number(*limit) / 1e3).to_string()).chain(["+Inf".to_owned()]);
    for (limit, count) in limits.zip(classes) {
        so_far += count;
        page.sample(&format!("{name}_bucket"), &[("record", record), ("le", &limit)], so_far);
    }
    page.sample(&format!("{name}_sum"), &[("record", record)], number(millis) / 1e3);
    page.sample(&format!("{name}_count"), &[("record", record)], so_far);
}

#[cfg(test)]
mod tests {
    use super::*;
    use faro_core::input::Cause;

    #[test]
    fn every_metric_has_one_head_and_a_name_of_the_convention() {
        let monitor = Monitor::new();
        monitor.counts.malformed(Cause::BadTime);
        monitor.checkpoints.stored(std::time::Duration::from_millis(250));
        let text = monitor.metrics();
        let mut heads = std::collections::BTreeSet::new();
        let mut kind = "";
        for line in text.lines() {
            if let Some(head) = line.strip_prefix("# TYPE ") {
                kind = head.split(' ').nth(1).unwrap();
                assert!(heads.insert(head.split(' ').next().unwrap()), "{line} comes twice");
            } else if !line.starts_with('#') {
                let (name, value) = line.rsplit_once(' ').unwrap();
                let name = name.split('{').next().unwrap();
                let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
                assert!(heads.contains(name) || heads.contains(base), "{line} has no head");
                assert!(name.starts_with("faro_") || name.starts_with("process_"), "{line}");
                assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
                assert!(value.parse::<f64>().is_ok(), "{line}");
            }
        }
        assert!(text.contains("\nfaro_malformed_total{cause=\"bad-time\"} 1\n"), "{text}");
        assert!(text.contains("\nfaro_checkpoint_duration_seconds_sum 0.25\nfaro_checkpoint_duration_seconds_count 1\n"), "{text}");
        assert!(text.contains("\nfaro_lag_seconds_bucket{record=\"event\",le=\"0.05\"} 0\n"), "{text}");
    }
}

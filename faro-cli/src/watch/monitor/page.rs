//! A page of metrics in the text format of Prometheus, version 0.0.4.

use std::fmt::Write as _;

/// The content type of the format.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a metric is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }
}

/// A page that is being written.
#[derive(Default)]
pub(super) struct Page(String);

impl Page {
    /// Begins a metric; its samples follow.
    pub(super) fn metric(&mut self, name: &str, kind: Kind, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {}", kind.name());
    }

    /// Adds a sample. A label without a value is as good as none, and is left out.
    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str(name);
        let mut opening = '{';
        for (label, value) in labels.iter().filter(|(_, value)| !value.is_empty()) {
            self.0.push(opening);
            opening = ',';
            let _ = write!(self.0, "{label}=\"");
            for c in value.chars() {
                match c {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    c => self.0.push(c),
                }
            }
            self.0.push('"');
        }
        if opening == ',' {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_empty_ones_left_out() {
        let mut page = Page::default();
        page.metric("faro_x_total", Kind::Counter, "X.");
        page.sample("faro_x_total", &[("a", "q\"\\\n"), ("b", ""), ("c", "d")], 3);
        page.sample("faro_x_total", &[("a", "")], 0.5);
        let want = "# HELP faro_x_total X.\n# TYPE faro_x_total counter\nfaro_x_total{a=\"q\\\"\\\\\\n\",c=\"d\"} 3\nfaro_x_total 0.5\n";
        assert_eq!(page.finish(), want);
    }
}

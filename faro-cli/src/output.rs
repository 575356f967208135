//! Records on their way to standard output: whole lines, in JSON or for people.

mod json;
mod last;
mod text;

pub(crate) use text::Look;

use crate::failure::Failure;
use crate::watch::Tally;
use faro_core::{Record, Sink};
use last::{Kept, Last};
use std::io::{self, Write};

/// So much is written at once.
const FULL: usize = 256 << 10;

/// How records become lines.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    /// JSON Lines.
    Json,
    /// For people.
    Text(Look),
}

/// Writes records as lines; a line is written whole.
pub(crate) struct Output<W: Write> {
    out: W,
    lines: Vec<u8>,
    style: Style,
    summary: bool,
    events: bool,
    tally: Option<Tally>,
    last: Option<Last>,
    error: Option<io::Error>,
}

impl<W: Write> Output<W> {
    /// Writes to `out`.
    pub(crate) fn new(out: W, style: Style) -> Self {
        Self { out, lines: Vec::with_capacity(FULL + 4_096), style, summary: true, events: true, tally: None, last: None, error: None }
    }

    /// Leaves the summary out.
    pub(crate) fn without_summary(mut self) -> Self {
        self.summary = false;
        self
    }

    /// Leaves events out; what counts them sees them all the same.
    pub(crate) fn without_events(mut self) -> Self {
        self.events = false;
        self
    }

    /// Lets every line be counted.
    pub(crate) fn counted(mut self, tally: Tally) -> Self {
        self.tally = Some(tally);
        self
    }

    /// Keeps groups and incidents back and writes only the last version of each, at the end.
    pub(crate) fn only_last(mut self) -> Self {
        self.last = Some(Last::default());
        self
    }

    /// Whether nothing more can be written.
    pub(crate) fn failed(&self) -> bool {
        self.error.is_some()
    }

    /// Writes what is there.
    pub(crate) fn flush(&mut self) {
        if self.error.is_none()
            && let Err(error) = self.out.write_all(&self.lines).and_then(|()| self.out.flush())
        {
            self.error = Some(error);
        }
        self.lines.clear();
    }

    /// Sees to it that what was written to a file survives a crash; of a pipe or a terminal there is nothing to keep.
    pub(crate) fn sync(&mut self) {
        if let Ok(stdout) = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned() {
            // Only files can be synced.
            let _ = std::fs::File::from(stdout).sync_data();
        }
    }

    /// Writes all that is left, and tells whether everything arrived.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.flush();
        self.error.map_or(Ok(()), |error| Err(Failure::output(&error)))
    }

    fn line(&mut self, record: &Record<'_>) {
        let before = self.lines.len();
        render(record, self.style, &mut self.lines);
        if let Some(tally) = &mut self.tally
            && self.lines.len() > before
        {
            tally.printed(record);
        }
        if self.lines.len() >= FULL {
            self.flush();
        }
    }
}

impl<W: Write> Sink for Output<W> {
    fn record(&mut self, record: &Record<'_>) {
        if self.error.is_some() {
            return;
        }
        if let (Record::Event(event), Some(tally)) = (record, &mut self.tally) {
            tally.reported(event);
        }
        match (record, &mut self.last) {
            (Record::Event(_), _) if !self.events => {}
            (Record::Group(group), Some(last)) => {
                let style = self.style;
                last.keep(group, |line| render(record, style, line));
            }
            (Record::Incident(incident), Some(last)) => {
                let style = self.style;
                last.keep_incident(incident, |line| render(record, style, line));
            }
            (Record::Summary(_), last) => {
                // The summary is the last record: now no version is followed by another one.
                for (kept, line) in last.take().into_iter().flat_map(Last::lines) {
                    self.lines.extend_from_slice(&line);
                    match (&mut self.tally, kept) {
                        (Some(tally), Kept::Group) => tally.printed_groups(1),
                        (Some(tally), Kept::Incident) => tally.printed_incidents(1),
                        (None, Kept::Group | Kept::Incident) => {}
                    }
                    if self.lines.len() >= FULL {
                        self.flush();
                    }
                }
                if self.summary {
                    self.line(record);
                }
            }
            (Record::Object(_) | Record::Event(_) | Record::Group(_) | Record::Incident(_) | Record::Gap(_) | Record::Sync(_), _) => {
                self.line(record);
            }
        }
    }
}

fn render(record: &Record<'_>, style: Style, lines: &mut Vec<u8>) {
    match style {
        Style::Json => {
            let whole = lines.len();
            // Writing to memory cannot fail, and a record serialises; else the line is left out rather than torn.
            if json::write(lines, record).is_err() {
                lines.truncate(whole);
                return;
            }
        }
        Style::Text(look) => lines.extend_from_slice(text::line(record, look).as_bytes()),
    }
    lines.push(b'\n');
}

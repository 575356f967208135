//! A checkpoint as lines of text: a header, then for each watch a line and the lines of what it knows.

use super::{Checkpoint, Progress, WatchProgress};
use crate::machine::Position;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;

/// Rises when an older version could not read what this one writes.
const FORMAT: u32 = 1;

#[derive(Deserialize, Serialize)]
struct Header<'a> {
    faro: &'a str,
    format: u32,
    watches: usize,
}

#[derive(Deserialize, Serialize)]
struct Watch {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    cluster: String,
    watch: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<Position>,
    /// How many bytes of what is known follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    known: Option<usize>,
}

impl Checkpoint {
    /// Writes it as text.
    pub(super) fn to_text(&self) -> Result<String, serde_json::Error> {
        let known = self.progress.watches.iter().filter_map(|watch| watch.known.as_ref()).map(|known| known.len()).sum::<usize>();
        let mut text = String::with_capacity(known + 256 * (self.progress.watches.len() + 1));
        let header = Header { faro: "checkpoint", format: FORMAT, watches: self.progress.watches.len() };
        text.push_str(&serde_json::to_string(&header)?);
        text.push('\n');
        for watch in &self.progress.watches {
            let line = Watch {
                cluster: watch.cluster.clone(),
                watch: watch.watch.clone(),
                position: watch.position.clone(),
                known: watch.known.as_ref().map(|known| known.len()),
            };
            text.push_str(&serde_json::to_string(&line)?);
            text.push('\n');
            text.push_str(watch.known.as_deref().unwrap_or_default());
        }
        if let Some(engine) = &self.engine {
            // A line feed in JSON text is always between values.
            text.extend(engine.get().chars().map(|c| if c == '\n' { ' ' } else { c }));
            text.push('\n');
        }
        Ok(text)
    }

    /// Reads what [`Checkpoint::to_text`] wrote.
    pub(super) fn from_text(text: &str) -> Result<Self, String> {
        let (line, mut rest) = text.split_once('\n').ok_or("it is empty or cut off")?;
        let header: Header<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if header.faro != "checkpoint" || header.format != FORMAT {
            return Err(format!("format {}, not {FORMAT}", header.format));
        }
        let mut watches = Vec::new();
        for _ in 0..header.watches {
            let (line, after) = rest.split_once('\n').ok_or("it is cut off")?;
            let Watch { cluster, watch, position, known } = serde_json::from_str(line).map_err(|error| error.to_string())?;
            let (known, after) = match known {
                Some(length) => {
                    after.split_at_checked(length).map(|(known, after)| (Some(Arc::from(known)), after)).ok_or("it is cut off")?
                }
                None => (None, after),
            };
            rest = after;
            watches.push(WatchProgress { cluster, watch, position, known });
        }
        let engine = match rest.trim_ascii() {
            "" => None,
            engine => Some(RawValue::from_string(engine.to_owned()).map_err(|error| error.to_string())?),
        };
        Ok(Self { progress: Progress { watches }, engine })
    }
}

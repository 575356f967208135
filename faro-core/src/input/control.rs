//! The control lines of a recording: what a watch knows besides the objects.
//!
//! `faro-watch` feeds an engine the lines that a recording holds, so what is read here is also what a live run is told.

use super::malformed::Malformed;
use super::text::{Moment, ReceivedAt, Text};
use super::{Body, Cause, Change, Item, Origin};
use crate::record::Lost;
use crate::time::Nanos;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A control point of a watch.
#[derive(Debug)]
pub enum Control<'a> {
    /// A list begins: what follows for this collection is state, not news.
    ListBegin {
        /// The namespace that is listed; empty for all.
        namespace: Text<'a>,
    },
    /// The list has ended.
    ListEnd {
        /// The namespace that was listed; empty for all.
        namespace: Text<'a>,
        /// The `resourceVersion` of the list; empty when not told.
        resource_version: Text<'a>,
        /// How many objects it held, when told.
        objects: Option<u64>,
    },
    /// The list was given up: its collection cannot be listed at the moment.
    ListAborted {
        /// The namespace; empty for all.
        namespace: Text<'a>,
    },
    /// The watch could not prove that nothing was missed.
    Gap(Box<Gap<'a>>),
    /// Everything an engine remembered when the recording began.
    Snapshot(&'a RawValue),
    /// The run ended, at the moment of this line.
    End,
}

/// A span in which records may have been missed.
#[derive(Debug)]
pub struct Gap<'a> {
    /// The namespace that is watched; empty for all.
    pub namespace: Text<'a>,
    /// Where the stream was last known to be whole.
    pub from: Position<'a>,
    /// Where it is whole again.
    pub to: Position<'a>,
    /// Why continuity could not be proven.
    pub cause: Text<'a>,
    /// How many changes the relist brought back, when told.
    pub recovered: Option<u64>,
    /// What can be missing, when told.
    pub lost: Option<Lost>,
}

/// A place in a stream.
#[derive(Debug, Default)]
pub struct Position<'a> {
    /// The `resourceVersion`; empty when unknown.
    pub resource_version: Text<'a>,
    /// The time, when known.
    pub timestamp: Option<Nanos>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    #[serde(borrow)]
    control: Text<'a>,
    #[serde(default)]
    received_at: ReceivedAt,
    #[serde(borrow, default)]
    cluster: Text<'a>,
    #[serde(borrow, default)]
    gvr: Text<'a>,
    #[serde(borrow, default)]
    namespace: Text<'a>,
    #[serde(borrow, default)]
    resource_version: Text<'a>,
    objects: Option<u64>,
    #[serde(borrow, default)]
    from: Place<'a>,
    #[serde(borrow, default)]
    to: Place<'a>,
    #[serde(borrow, default)]
    cause: Text<'a>,
    recovered: Option<u64>,
    lost: Option<Lost>,
    #[serde(borrow)]
    snapshot: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Place<'a> {
    #[serde(borrow)]
    resource_version: Text<'a>,
    timestamp: Moment,
}

impl<'a> From<Place<'a>> for Position<'a> {
    fn from(place: Place<'a>) -> Self {
        Self { resource_version: place.resource_version, timestamp: place.timestamp.0 }
    }
}

/// Reads a line that has `control`.
pub(super) fn read(text: &str) -> Result<Item<'_>, Malformed> {
    let line: Line<'_> = serde_json::from_str(text).map_err(|error| Malformed::from_json(&error))?;
    let Line { namespace, resource_version, objects, cause, recovered, lost, .. } = line;
    let (control, of_collection) = match &*line.control {
        "listBegin" => (Control::ListBegin { namespace }, true),
        "listEnd" => (Control::ListEnd { namespace, resource_version, objects }, true),
        "listAborted" => (Control::ListAborted { namespace }, true),
        "gap" if cause.is_empty() => return Err(Malformed::missing("cause")),
        "gap" => {
            let gap = Gap { namespace, from: line.from.into(), to: line.to.into(), cause, recovered, lost };
            (Control::Gap(Box::new(gap)), true)
        }
        "snapshot" => (Control::Snapshot(line.snapshot.ok_or_else(|| Malformed::missing("snapshot"))?), false),
        "end" => (Control::End, false),
        other => return Err(Malformed::new(Cause::UnknownShape, format!("unknown control `{}`", other.escape_debug()))),
    };
    if of_collection && line.gvr.is_empty() {
        return Err(Malformed::missing("gvr"));
    }
    Ok(Item {
        observed: line.received_at.0,
        timed: line.received_at.0.is_some(),
        change: Change::Bare,
        origin: Origin::Watch,
        cluster: line.cluster,
        gvr: line.gvr,
        body: Body::Control(control),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input;

    #[test]
    fn list_end_tells_where_and_how_many() {
        let item = input::read(r#"{"control":"listEnd","gvr":"v1/pods","namespace":"shop","resourceVersion":"7","objects":3}"#).unwrap();
        let Body::Control(Control::ListEnd { namespace, resource_version, objects }) = item.body else { panic!("a list's end") };
        assert_eq!((&*namespace, &*resource_version, objects), ("shop", "7", Some(3)));
    }

    #[test]
    fn gap_tells_its_ends() {
        let item = input::read(
            r#"{"control":"gap","gvr":"v1/pods","receivedAt":"2026-01-02T03:04:05Z","from":{"resourceVersion":"5","timestamp":"2026-01-02T03:00:00Z"},"to":{"resourceVersion":"9"},"cause":"expired","recovered":2,"lost":"intermediate-versions"}"#,
        )
        .unwrap();
        let Body::Control(Control::Gap(gap)) = item.body else { panic!("a gap") };
        assert_eq!((&*gap.from.resource_version, &*gap.to.resource_version, &*gap.cause), ("5", "9", "expired"));
        assert!(gap.from.timestamp.is_some() && gap.to.timestamp.is_none());
        assert_eq!((gap.recovered, gap.lost), (Some(2), Some(Lost::IntermediateVersions)));
    }

    #[test]
    fn incomplete_controls_are_refused() {
        for text in [
            r#"{"control":"gap","gvr":"v1/pods"}"#,
            r#"{"control":"listBegin"}"#,
            r#"{"control":"snapshot"}"#,
            r#"{"control":"rewind","gvr":"v1/pods"}"#,
            r#"{"control":"listEnd","gvr":"v1/pods","objects":-1}"#,
        ] {
            assert!(input::read(text).is_err(), "{text}");
        }
    }
}

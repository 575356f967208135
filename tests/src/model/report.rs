//! An Event, read by the oracle.

use chrono::DateTime;
use serde_json::Value;

use super::setup::SECOND;

/// Event namespace, Event name, first time.
pub(super) type Counter = (String, String, Option<i64>);

/// An Event, read once more and apart from the engine.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) object: [String; 4],
    pub(super) type_: String,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) counter: Counter,
    pub(super) count: u32,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) clamped: bool,
}

impl Report {
    pub(super) fn read(event: &Value, observed: i64) -> Self {
        let either = |names: [&str; 2]| names.iter().map(|name| &event[*name]).find(|value| !value.is_null()).unwrap_or(&Value::Null);
        let about = either(["involvedObject", "regarding"]);
        let (kind, name, uid) = (text(&about["kind"]), text(&about["name"]), text(&about["uid"]));
        let uid = if kind == "Node" || uid == name { String::new() } else { uid };
        let times = [
            moment(&event["series"]["lastObservedTime"]),
            moment(either(["lastTimestamp", "deprecatedLastTimestamp"])),
            moment(&event["eventTime"]),
            moment(either(["firstTimestamp", "deprecatedFirstTimestamp"])),
        ];
        let [_, _, event_time, first_time] = times;
        let last_sent = times.into_iter().flatten().next().unwrap_or(observed);
        let first_sent = first_time.or(event_time).unwrap_or(last_sent);
        let latest = observed + 300 * SECOND;
        let settled = |sent: i64| if sent > latest { observed } else { sent };
        let last = settled(last_sent);
        let counts = [&event["series"]["count"], &event["count"], &event["deprecatedCount"]];
        let message = text(either(["message", "note"]));
        let metadata = &event["metadata"];
        Self {
            object: [kind, text(&about["namespace"]), name, uid],
            type_: text(&event["type"]),
            reason: text(&event["reason"]),
            message: message.strip_prefix("(combined from similar events): ").map(str::to_owned).unwrap_or(message),
            counter: (text(&metadata["namespace"]), text(&metadata["name"]), first_time.or(event_time)),
            count: counts
                .into_iter()
                .filter_map(Value::as_u64)
                .find(|count| *count > 0)
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or(1),
            first: settled(first_sent).min(last),
            last,
            clamped: last_sent > latest || first_sent > latest,
        }
    }
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Reads a moment; year 0001 is none.
pub(super) fn moment(value: &Value) -> Option<i64> {
    let text = value.as_str().filter(|text| !text.is_empty() && !text.starts_with("0001"))?;
    DateTime::parse_from_rfc3339(text).ok()?.timestamp_nanos_opt()
}

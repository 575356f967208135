//! Who holds a Lease, as the API says it (`LeaseSpec` of coordination.k8s.io/v1).

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use std::time::Duration;

/// What a Lease says of its holder.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Holding {
    /// `holderIdentity`; empty when nobody holds it.
    pub(super) holder: String,
    /// `leaseDurationSeconds`: for so long after its last change nobody else takes it.
    pub(super) duration: Duration,
    /// `acquireTime`, by the holder's clock; for people.
    pub(super) acquired: Option<DateTime<Utc>>,
    /// `renewTime`, by the holder's clock; for people.
    pub(super) renewed: Option<DateTime<Utc>>,
    /// `leaseTransitions`: how often the holder changed.
    pub(super) transitions: u64,
}

/// A Lease as it was read: who holds it, and which version of the object says so.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Seen {
    pub(super) holding: Holding,
    pub(super) version: String,
}

impl Seen {
    /// Reads a Lease; what it lacks is empty.
    pub(super) fn of(lease: &Value) -> Self {
        let spec = &lease["spec"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let time = |value: &Value| DateTime::parse_from_rfc3339(value.as_str()?).ok().map(|time| time.to_utc());
        let holding = Holding {
            holder: text(&spec["holderIdentity"]),
            duration: Duration::from_secs(spec["leaseDurationSeconds"].as_u64().unwrap_or_default()),
            acquired: time(&spec["acquireTime"]),
            renewed: time(&spec["renewTime"]),
            transitions: spec["leaseTransitions"].as_u64().unwrap_or_default(),
        };
        Self { holding, version: text(&lease["metadata"]["resourceVersion"]) }
    }
}

impl Holding {
    /// Writes itself into a Lease, and leaves alone what else is there.
    pub(super) fn put_into(&self, lease: &mut Value) {
        // `MicroTime`: six digits, no more and no less.
        let time = |time: Option<DateTime<Utc>>| time.map_or(Value::Null, |time| json!(time.to_rfc3339_opts(SecondsFormat::Micros, true)));
        let spec = json!({
            "holderIdentity": self.holder,
            "leaseDurationSeconds": self.duration.as_secs(),
            "acquireTime": time(self.acquired),
            "renewTime": time(self.renewed),
            "leaseTransitions": self.transitions,
        });
        match (lease["spec"].as_object_mut(), spec) {
            (Some(there), Value::Object(spec)) => there.extend(spec),
            (_, spec) => lease["spec"] = spec,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holding_is_read_as_it_was_written_and_the_rest_stays() {
        let time = "2026-01-02T03:04:05.120000Z";
        let holding = Holding {
            holder: "a".to_owned(),
            duration: Duration::from_secs(15),
            acquired: time.parse().ok(),
            renewed: time.parse().ok(),
            transitions: 3,
        };
        let mut lease = json!({"metadata": {"resourceVersion": "7", "labels": {"x": "y"}}, "spec": {"strategy": "OldestEmulationVersion"}});
        holding.put_into(&mut lease);
        assert_eq!(Seen::of(&lease), Seen { holding, version: "7".to_owned() });
        assert_eq!(lease["spec"]["renewTime"], time);
        assert_eq!(lease["spec"]["strategy"], "OldestEmulationVersion");
        assert_eq!(lease["metadata"]["labels"], json!({"x": "y"}));
    }

    #[test]
    fn lease_without_holder_is_nobodys() {
        assert_eq!(Seen::of(&json!({"spec": {"holderIdentity": null}})), Seen::default());
        let mut lease = json!({"metadata": {}});
        Holding::default().put_into(&mut lease);
        assert_eq!(Seen::of(&lease), Seen::default());
    }
}

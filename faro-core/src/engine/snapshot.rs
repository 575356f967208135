//! An engine's memory, to go on from after a restart.

use super::{Engine, Scope};
use crate::config::EngineConfig;
use crate::groups::{GroupBy, Groups, GroupsSnapshot};
use crate::hash::Fingerprint;
use crate::incidents::IncidentsSnapshot;
use crate::objects::{Contents, ContentsSnapshot, Identities, IdentitiesSnapshot, Owners, OwnersSnapshot};
use crate::occurrences::{Occurrences, OccurrencesSnapshot};
use crate::record::{RecordCounts, Summary};
use crate::time::Nanos;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The format that this version writes and reads.
const FORMAT: u32 = 1;

/// Everything an engine remembers. It serialises with serde in any self-describing format.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    format: u32,
    rules: u64,
    window: i64,
    lateness: i64,
    group_by: GroupBy,
    now: i64,
    lists: BTreeSet<Scope>,
    listed: BTreeSet<Scope>,
    events: IdentitiesSnapshot,
    objects: IdentitiesSnapshot,
    contents: ContentsSnapshot,
    owners: OwnersSnapshot,
    occurrences: OccurrencesSnapshot,
    groups: GroupsSnapshot,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incidents: Option<IncidentsSnapshot>,
    counted: Counted,
}

/// The part of the books that no stage knows.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Counted {
    records: [u64; 5],
    occurrences: [u64; 2],
    malformed: BTreeMap<String, u64>,
    late: u64,
    clamped: u64,
    gaps: u64,
}

/// Why an engine cannot go on from a snapshot.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// Another version of Faro wrote it.
    #[error("the snapshot has format `{found}`, this version reads `{FORMAT}`")]
    Format {
        /// The format found.
        found: u32,
    },
    /// The groups were made under other settings.
    #[error("the snapshot was made with another `{setting}`")]
    Setting {
        /// The setting that differs.
        setting: &'static str,
    },
}

impl Snapshot {
    /// Tells whether the engine had seen nothing: then any other one goes on from it.
    pub(crate) fn is_empty(&self) -> bool {
        self.counted.records[0] == 0 && self.counted.malformed.is_empty()
    }
}

impl Engine {
    /// Returns everything the engine remembers.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let Summary { records, occurrences, malformed, late, clamped, gaps, .. } = &self.counted;
        Snapshot {
            format: FORMAT,
            rules: self.config.rules.fingerprint(),
            window: self.config.groups.window.0,
            lateness: self.config.groups.lateness.0,
            group_by: self.config.groups.group_by,
            now: self.now.0,
            lists: self.lists.clone(),
            listed: self.listed.clone(),
            events: self.events.snapshot(),
            objects: self.objects.snapshot(),
            contents: self.contents.snapshot(),
            owners: self.owners.snapshot(),
            occurrences: self.occurrences.snapshot(),
            groups: self.groups.snapshot(),
            incidents: self.incidents.as_ref().map(|incidents| incidents.snapshot()),
            counted: Counted {
                records: [records.total, records.object, records.event, records.ignored, records.repeated],
                occurrences: [occurrences.total, occurrences.unproven],
                malformed: malformed.iter().map(|(cause, count)| ((*cause).to_owned(), *count)).collect(),
                late: *late,
                clamped: *clamped,
                gaps: *gaps,
            },
        }
    }

    /// Makes an engine that goes on as if nothing had happened.
    ///
    /// # Errors
    ///
    /// The snapshot is of another format, or was made with another window, lateness, grouping or other rules.
    pub fn restore(config: EngineConfig, snapshot: Snapshot) -> Result<Self, RestoreError> {
        if snapshot.format != FORMAT {
            return Err(RestoreError::Format { found: snapshot.format });
        }
        let same = [
            ("rules", snapshot.rules == config.rules.fingerprint()),
            ("window", snapshot.window == config.groups.window.0),
            ("lateness", snapshot.lateness == config.groups.lateness.0),
            ("group-by", snapshot.group_by == config.groups.group_by),
        ];
        if let Some((setting, _)) = same.into_iter().find(|(_, same)| !same) {
            return Err(RestoreError::Setting { setting });
        }
        let counted = snapshot.counted;
        let [total, object, event, ignored, repeated] = counted.records;
        let mut summary = Summary {
            records: RecordCounts { total, object, event, ignored, repeated },
            late: counted.late,
            clamped: counted.clamped,
            gaps: counted.gaps,
            ..Summary::default()
        };
        [summary.occurrences.total, summary.occurrences.unproven] = counted.occurrences;
        for (cause, count) in counted.malformed {
            if let Some(cause) = crate::input::Cause::ALL.iter().find(|known| known.name() == cause) {
                summary.malformed.insert(cause.name(), count);
            }
        }
        let limits = config.limits;
        Ok(Self {
            now: Nanos(snapshot.now),
            lists: snapshot.lists,
            listed: snapshot.listed,
            events: Identities::restore(limits.events, snapshot.events),
            objects: Identities::restore(limits.objects, snapshot.objects),
            contents: Contents::restore(snapshot.contents),
            owners: Owners::restore(limits.owners, snapshot.owners),
            occurrences: Occurrences::restore(limits.counters, snapshot.occurrences),
            groups: Groups::restore(config.groups, snapshot.groups),
            incidents: super::incidents::restored(&config, snapshot.incidents),
            counted: summary,
            scratch: Fingerprint::default(),
            config,
        })
    }
}

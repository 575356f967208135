//! What the machine delivers: objects, list boundaries, and gaps.

use crate::known::KnownObject;
use crate::line::Object;
use faro_core::Nanos;

/// What is delivered.
#[derive(Debug)]
pub enum Delivery<'a> {
    /// A list begins: what follows until its end is state.
    ListBegin,
    /// A list has ended.
    ListEnd {
        /// Its `resourceVersion`; empty when the list could not be had.
        resource_version: &'a str,
        /// How many objects it held.
        objects: u64,
    },
    /// An object as the server sent it.
    Object(Changed<'a>),
    /// An object that a list no longer shows.
    Missing(&'a KnownObject<'a>),
    /// A span in which something may have been missed.
    Gap(Gap),
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// It is there now.
    Added,
    /// It is another version.
    Modified,
    /// It is gone.
    Deleted,
}

/// How it is known that something happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Evidence {
    /// The server reported it, or the first list showed it.
    Reported,
    /// A list, compared with what was known, shows it; no watch line carried it.
    Compared,
    /// The object still exists but is no longer selected.
    LeftSelector,
    /// Both.
    ComparedLeftSelector,
}

/// An object as the server sent it, and what happened to it.
#[derive(Debug)]
pub struct Changed<'a> {
    /// What happened.
    pub change: Change,
    /// How that is known.
    pub evidence: Evidence,
    pub(crate) object: &'a Object<'a>,
    // JSON, empty when there were none.
    pub(crate) last_labels: Option<&'a str>,
}

impl<'a> Changed<'a> {
    /// The object's JSON text.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.object.text
    }

    /// Of an object that left its selector the labels that it had while it was selected, as JSON and empty when there were none: by
    /// these it was known to whoever heard of it, and by these its deletion is told. The API server does the same where it selects
    /// (`k8s.io/apiserver/pkg/storage/cacher`, `convertToWatchEvent` sends the previous object).
    #[must_use]
    pub const fn last_labels(&self) -> Option<&'a str> {
        self.last_labels
    }
}

/// A span in which something may have been missed: the server had no history for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Gap {
    /// The position that was lost.
    pub from_version: String,
    /// When the stream was last known to be alive.
    pub from_time: Nanos,
    /// The version of the list that bridged it.
    pub to_version: String,
    /// When that list was complete.
    pub to_time: Nanos,
    /// Why.
    pub cause: GapCause,
    /// How many changes the list brought back.
    pub recovered: u64,
    /// What can be missing.
    pub lost: Lost,
}

/// Why there is a gap.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GapCause {
    /// The position of a watch that was alive expired (410).
    Expired,
    /// The position of the checkpoint had expired at the start.
    CheckpointTooOld,
    /// The same, and the checkpoint did not say what was known: deletions in between cannot be told.
    CheckpointWithoutObjects,
    /// The server's versions lie before the position: its storage was restored from a backup.
    Rewound,
    /// What the server sent after the position could not be read, time and again.
    Unreadable,
}

impl GapCause {
    /// The name in the record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::CheckpointTooOld => "checkpoint-too-old",
            Self::CheckpointWithoutObjects => "checkpoint-without-objects",
            Self::Rewound => "rewound",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What a gap can hide.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lost {
    /// Versions between the last one known and the one in the list.
    IntermediateVersions,
    /// These, and objects that were created and deleted within the gap.
    ShortLivedObjects,
}

impl Lost {
    /// The name in the record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IntermediateVersions => "intermediate-versions",
            Self::ShortLivedObjects => "short-lived-objects",
        }
    }
}

//! The vocabulary: what can happen to an engine.

use arbitrary::Arbitrary as Fuzzed;
use proptest_derive::Arbitrary as Generated;

/// One step of a run.
#[derive(Clone, Copy, Debug, Eq, Fuzzed, Generated, PartialEq)]
pub enum Op {
    /// A reporter writes an Event: for the first time, or with a higher count.
    #[proptest(weight = 14)]
    Report {
        /// Which Event.
        event: Slot,
        /// How many occurrences it adds.
        more: More,
        /// How long ago the last of them was.
        ago: Ago,
        /// How the Event is written.
        style: Style,
    },
    /// A copy of an Event arrives that is older than the newest one.
    #[proptest(weight = 2)]
    Stale {
        /// Which Event.
        event: Slot,
    },
    /// A reporter has lost its counts and begins again.
    #[proptest(weight = 1)]
    Recount {
        /// Which Event.
        event: Slot,
        /// The new count.
        count: u8,
    },
    /// The Event has expired; the recorder makes it anew with another uid, the same name and the next count.
    #[proptest(weight = 2)]
    Expire {
        /// Which Event.
        event: Slot,
    },
    /// The reporter begins another Event about the same thing.
    #[proptest(weight = 2)]
    Renew {
        /// In place of which Event.
        event: Slot,
    },
    /// The object is deleted and made anew under its name.
    #[proptest(weight = 1)]
    Recreate {
        /// Which object.
        subject: Subject,
    },
    /// The object itself is seen, with the controller that owns it.
    #[proptest(weight = 1)]
    Adopt {
        /// Which object.
        subject: Subject,
    },
    /// An Event is deleted.
    #[proptest(weight = 1)]
    Delete {
        /// Which Event.
        event: Slot,
        /// Whether the watch sends its last state along, or metadata alone.
        whole: bool,
    },
    /// A lost watch: a list of all Events that exist.
    #[proptest(weight = 1)]
    Relist,
    /// The Events that exist, as a dump in some order: no envelopes, no moment of delivery.
    #[proptest(weight = 1)]
    Dump {
        /// Which of the possible orders.
        order: u8,
    },
    /// A list begins: what follows belongs to it.
    #[proptest(weight = 1)]
    BeginList {
        /// Whether it is one of pods rather than of events.
        of_pods: bool,
    },
    /// The list ends.
    #[proptest(weight = 2)]
    EndList {
        /// Whether it is the one of pods rather than of events.
        of_pods: bool,
    },
    /// Time passes.
    #[proptest(weight = 8)]
    Wait {
        /// How much.
        span: Span,
    },
    /// Somebody looks whether anything is due.
    #[proptest(weight = 1)]
    Tick,
    /// The process ends and starts again from what it saved.
    #[proptest(weight = 1)]
    Restart,
}

/// One of the Events that reporters write.
#[derive(Clone, Copy, Debug, Eq, Fuzzed, Generated, Ord, PartialEq, PartialOrd)]
pub struct Slot {
    /// What it is about.
    pub subject: Subject,
    /// What it says.
    pub what: What,
    /// Whether it is the second Event that says so, in other words.
    pub twin: bool,
}

/// The objects that Events are about.
#[derive(Clone, Copy, Debug, Eq, Fuzzed, Generated, Ord, PartialEq, PartialOrd)]
pub enum Subject {
    /// The pod `web-1` of the namespace `shop`.
    #[proptest(weight = 4)]
    Web,
    /// The pod `api-1` of the namespace `shop`.
    #[proptest(weight = 2)]
    Api,
    /// The pod `web-1` of the namespace `pay`.
    #[proptest(weight = 1)]
    Namesake,
    /// The node `n1`; its Events carry no uid, its name as uid, or its uid.
    #[proptest(weight = 2)]
    Node,
}

/// What an Event says.
#[derive(Clone, Copy, Debug, Eq, Fuzzed, Generated, Ord, PartialEq, PartialOrd)]
pub enum What {
    /// `FailedCreatePodSandBox`.
    #[proptest(weight = 3)]
    Sandbox,
    /// `BackOff` of a container.
    CrashLoop,
    /// `BackOff` of an image.
    ImagePull,
    /// `Unhealthy`, readiness: worse once it has lasted.
    #[proptest(weight = 3)]
    Readiness,
    /// `Unhealthy`, liveness: the same group as readiness.
    #[proptest(weight = 2)]
    Liveness,
    /// `Rebooted`: worse after three.
    #[proptest(weight = 2)]
    Rebooted,
    /// `Pulled`, of type Normal.
    Pulled,
    /// A reason that nobody knows.
    Unknown,
}

/// By how much a count rises.
#[derive(Clone, Copy, Debug, Eq, Fuzzed, Generated, PartialEq)]
pub enum More {
    /// Not at all.
    None,
    /// By one.
    #[proptest(weight = 5)]
    One,
    /// By a few: the number modulo 20.
    #[proptest(weight = 2)]
    Few(u8),
    /// By 561.
    Leap,
}

/// How long ago something was.
#[derive(Clone, Copy, Debug, Eq, Fuzzed, Generated, PartialEq)]
pub enum Ago {
    /// It is happening.
    #[proptest(weight = 8)]
    Now,
    /// So many seconds.
    #[proptest(weight = 3)]
    Seconds(u8),
    /// As long as the window.
    Window,
    /// A microsecond more than the window.
    BeyondWindow,
    /// So many minutes modulo 64.
    #[proptest(weight = 2)]
    Minutes(u8),
}

/// How much time passes.
#[derive(Clone, Copy, Debug, Eq, Fuzzed, Generated, PartialEq)]
pub enum Span {
    /// So many seconds.
    #[proptest(weight = 6)]
    Seconds(u8),
    /// As long as the window.
    #[proptest(weight = 2)]
    Window,
    /// A nanosecond more than the window.
    #[proptest(weight = 2)]
    BeyondWindow,
    /// As long as closed groups are kept.
    #[proptest(weight = 1)]
    Lateness,
    /// An hour.
    #[proptest(weight = 1)]
    Hour,
}

/// How an Event is written.
#[derive(Clone, Copy, Debug, Eq, Fuzzed, Generated, PartialEq)]
pub enum Style {
    /// `count`, `firstTimestamp`, `lastTimestamp`.
    #[proptest(weight = 8)]
    Core,
    /// The same with a message that stands for several.
    Combined,
    /// `series` and `eventTime`.
    #[proptest(weight = 2)]
    Series,
    /// The view of events.k8s.io/v1.
    #[proptest(weight = 2)]
    EventsV1,
    /// A single occurrence with `eventTime` alone.
    EventTime,
    /// No time at all.
    Timeless,
    /// A clock that is an hour ahead.
    Future,
    /// No resourceVersion.
    Versionless,
}

//! The names that a condition may use.

/// What stands behind a name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A string, times included.
    Text,
    /// An integer; the period of a group is a double.
    Number,
    /// True or false.
    Flag,
    /// A list.
    List,
    /// A map with these keys.
    Fields(&'static [Word]),
    /// A map with any keys.
    Map,
}

/// A name and what stands behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

const fn text(name: &'static str) -> Word {
    Word { name, kind: Kind::Text }
}

const fn number(name: &'static str) -> Word {
    Word { name, kind: Kind::Number }
}

const fn flag(name: &'static str) -> Word {
    Word { name, kind: Kind::Flag }
}

const fn list(name: &'static str) -> Word {
    Word { name, kind: Kind::List }
}

const fn map(name: &'static str) -> Word {
    Word { name, kind: Kind::Map }
}

const fn fields(name: &'static str, words: &'static [Word]) -> Word {
    Word { name, kind: Kind::Fields(words) }
}

/// `ObjectReference` of core/v1. A record carries it as sent, `resourceVersion` included; a report does without that one.
const REFERENCE: &[Word] =
    &[text("kind"), text("namespace"), text("name"), text("uid"), text("apiVersion"), text("resourceVersion"), text("fieldPath")];
const PARTS: &[Word] = &[text("kind"), text("namespace"), text("name"), text("uid"), text("apiVersion"), text("fieldPath")];
const SOURCE: &[Word] = &[text("component"), text("host")];
const OWNER: &[Word] = &[text("kind"), text("name")];
const WORKLOAD: &[Word] = &[text("kind"), text("namespace"), text("name")];
const RESOURCE: &[Word] = &[text("kind"), text("namespace"), text("name"), text("uid"), text("apiVersion")];

/// The one variable of a user rule.
pub(super) const RULE: &[Word] = &[fields(
    "event",
    &[
        text("reason"),
        text("type"),
        text("message"),
        number("count"),
        text("namespace"),
        text("name"),
        text("uid"),
        fields("involvedObject", PARTS),
        fields("related", PARTS),
        text("action"),
        fields("source", SOURCE),
        text("reportingComponent"),
        text("reportingInstance"),
        text("firstSeen"),
        text("lastSeen"),
        flag("combined"),
        map("labels"),
        map("annotations"),
    ],
)];

/// The fields of an `object` record.
pub(super) const OBJECT: &[Word] = &[
    text("record"),
    text("cluster"),
    text("gvr"),
    text("kind"),
    text("namespace"),
    text("name"),
    text("uid"),
    text("resourceVersion"),
    text("eventType"),
    text("timestamp"),
    flag("initial"),
    flag("synthesized"),
    flag("leftSelector"),
    text("changedAt"),
    text("link"),
    list("operational"),
    map("labels"),
    map("annotations"),
    fields("owner", OWNER),
    list("changes"),
];

/// The fields of an `event` record.
pub(super) const EVENT: &[Word] = &[
    text("record"),
    text("cluster"),
    text("gvr"),
    text("kind"),
    text("namespace"),
    text("name"),
    text("uid"),
    text("resourceVersion"),
    text("eventType"),
    text("timestamp"),
    flag("initial"),
    text("changedAt"),
    text("link"),
    map("labels"),
    map("annotations"),
    fields("involvedObject", REFERENCE),
    fields("related", REFERENCE),
    text("reason"),
    text("type"),
    text("message"),
    text("action"),
    fields("source", SOURCE),
    text("reportingComponent"),
    text("reportingInstance"),
    number("count"),
    number("occurrences"),
    flag("combined"),
    flag("clamped"),
    text("firstSeen"),
    text("lastSeen"),
    text("severity"),
    text("family"),
    fields("workload", WORKLOAD),
];

/// The fields of a `group` record.
pub(super) const GROUP: &[Word] = &[
    text("record"),
    text("cluster"),
    text("id"),
    number("version"),
    text("state"),
    text("previous"),
    text("mergedInto"),
    text("pattern"),
    number("period"),
    fields("resource", RESOURCE),
    fields("workload", WORKLOAD),
    text("reason"),
    text("type"),
    text("family"),
    text("severity"),
    number("count"),
    number("events"),
    number("objects"),
    text("firstSeen"),
    text("lastSeen"),
    text("message"),
    number("messages"),
    text("summary"),
    flag("evicted"),
];

/// Every record whose fields a condition may name.
pub(super) const RECORDS: [&[Word]; 3] = [OBJECT, EVENT, GROUP];

/// The functions and macros of the language, and those that read times.
pub(super) const FUNCTIONS: [&str; 21] = [
    "all",
    "bool",
    "bytes",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "exists",
    "exists_one",
    "filter",
    "has",
    "int",
    "map",
    "matches",
    "size",
    "startsWith",
    "string",
    "timestamp",
    "type",
    "uint",
];

/// The names of types, as `type(x) == int` uses them.
pub(super) const TYPES: [&str; 9] = ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "uint"];

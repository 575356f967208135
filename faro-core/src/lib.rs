//! The engine of Faro: Kubernetes events in, each thing that happened once out, counted, grouped and ranked.
//!
//! A cluster repeats itself. Counts of Events are cumulative, half of their timestamps are null, and severity is `Normal` or
//! `Warning`. This crate reads Events and objects as the API sends them and answers with records: what is new, how often, since
//! when, how bad. It is a state machine: no I/O, no clock, no threads, no async. It is fed values and `now`, and gives records to a
//! [`Sink`].
//!
//! ```
//! use faro_core::{Engine, EngineConfig, Record, input};
//!
//! let mut engine = Engine::new(EngineConfig::default());
//! let mut groups = Vec::new();
//! for (count, time) in [(1, "2025-09-12T21:54:11Z"), (566, "2025-09-12T21:58:47Z")] {
//!     let event = format!(r#"{{"apiVersion":"v1","kind":"Event","metadata":{{"name":"web-1.17a","namespace":"shop"}},
//!         "involvedObject":{{"kind":"Pod","namespace":"shop","name":"web-1"}},"type":"Warning",
//!         "reason":"FailedCreatePodSandBox","message":"Failed to create pod sandbox: ...","count":{count},
//!         "firstTimestamp":"2025-09-12T21:54:11Z","lastTimestamp":"{time}"}}"#);
//!     engine.ingest(input::read(&event)?, time.parse()?, &mut |record: &Record<'_>| {
//!         if let Record::Group(group) = record {
//!             groups.push(format!("{} {} {}", group.id, group.severity, group.summary));
//!         }
//!     });
//! }
//! let id = groups[0].split(' ').next().unwrap_or_default();
//! assert_eq!(groups, [format!("{id} critical 1 event"), format!("{id} critical 566 similar events grouped")]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! One group, printed twice: when it opened, and when it had grown. 1 and then 566 are 566 occurrences, not 567.
//!
//! # Where to begin
//!
//! | to do this | use | shown in |
//! |---|---|---|
//! | follow a live stream with a clock of your own | [`Engine`] | above |
//! | read a recording or a dump: which values are a list, and what time it is | [`Replay`] | `examples/embed.rs` |
//! | only the count of what is new | [`Report`], [`Occurrences`] | `examples/occurrences.rs` |
//! | only how bad it is, with rules of your own | [`Report`], [`severity::Rules`] | `examples/severity_rules.rs` |
//! | cut bytes into JSON values, of lines, documents, or one `List` of any size | [`input::Framer`], [`input::YamlFramer`] | their pages |
//! | choose which records are printed | [`filter::Filter`], [`condition::Condition`] | their pages |
//!
//! # The stages
//!
//! A record goes through them from top to bottom. Each is a type of its own that can be used alone; [`Engine`] only calls them in
//! this order.
//!
//! | stage | takes | gives | contract |
//! |---|---|---|---|
//! | [`input::read`] | the text of one JSON value | an [`input::Item`] that borrows it | never panics; what cannot be understood is an [`input::Malformed`] with cause and place |
//! | [`Report::new`] | an Event of any API version, and when it was observed | one count, one first time, one last time | `v1` and `events.k8s.io/v1` of one Event give the same report; a count of none, zero or less is one; no time lies more than [`MAX_CLOCK_SKEW`] after the observation |
//! | [`Rules::judge`](severity::Rules::judge) | a report | [`Severity`] and [`Family`] | user rules, then the catalogue, then the type; the same report gives the same answer |
//! | [`Occurrences::observe`] | a report | [`News`]: the occurrences that are new | what was counted is not counted again; what cannot be told from it is [`News::Unproven`], never guessed |
//! | [`Groups::observe`] | a [`GroupKey`], an [`Occurrence`] and `now` | [`GroupRecord`](record::GroupRecord)s as they are due | every occurrence is in exactly one group; which one does not depend on the order of arrival |
//! | incidents (`Emit::incident`) | objects, reports and `now` | [`IncidentRecord`](record::IncidentRecord)s from the catalogue of [`causes::Causes`] | what is judged depends on what is known, not on the order of arrival; what is healthy again is resolved |
//! | [`Filter::passes`](filter::Filter::passes) | a [`Record`] | whether it is printed | filters choose what is printed, never what is counted |
//!
//! Objects of other kinds are no Events: [`Engine`] prints their changes as `object` records, learns from them who owns what, and
//! merges none of them.
//!
//! # A stage alone
//!
//! ```
//! use faro_core::input::{self, Body};
//! use faro_core::severity::Rules;
//! use faro_core::{Family, Nanos, Report, Severity};
//!
//! let item = input::read(r#"{"kind":"Event","metadata":{"name":"n1.17a"},"reason":"NodeNotReady","type":"Normal",
//!     "message":"Node n1 status is now: NodeNotReady","involvedObject":{"kind":"Node","name":"n1"}}"#)?;
//! let Body::Event(event) = item.body else { unreachable!() };
//! let verdict = Rules::builtin().judge(&Report::new(event, item.change, Nanos(0)));
//! assert_eq!((verdict.severity, verdict.family), (Severity::Critical, Family::NodeDown));
//! # Ok::<(), input::Malformed>(())
//! ```
//!
//! # Time
//!
//! - Every input carries `now`. It decides when deadlines are due and nothing else: windows, order and severity use the Event's own
//!   times ([`Report::first_seen`], [`Report::last_seen`]). A `now` before the latest one seen counts as the latest one seen.
//! - What is due by `now` happens before the input itself is looked at, each deadline at its own time. So early, frequent or missing
//!   calls of [`Engine::tick`] change when lines appear, not what they say. [`Engine::next_deadline`] says when the next call is worthwhile.
//! - An occurrence joins a group when no more than the window lies between them (5 minutes; exactly 5 minutes join). A longer
//!   silence ends the group. A group that has ended is kept for the lateness (10 minutes), and what comes late still joins it.
//!   What comes later than that is counted all the same, and as `late`.
//!
//! # Lists
//!
//! A list (an initial state, a relist, a dump) delivers an hour of Events within a second, in the order of names, and that second
//! means nothing. Between [`Engine::begin_list`] and [`Engine::end_list`] no group opens, closes or prints; each that the list
//! changed prints once at its end. [`Replay`] makes a list of every stretch of values without a moment of delivery.
//!
//! # The books
//!
//! [`Engine::stats`] balances to the unit at every moment:
//!
//! ```text
//! occurrences in = closed + open + evicted + unproven
//! groups         = printed + hidden
//! records in     = objects + events + ignored
//! ```
//!
//! # Determinism
//!
//! The same input, with the same `now`s, gives the same bytes in every run and on every machine: no hash order, no randomness, no
//! clock. A group's [`id`](record::GroupRecord::id) is a hash of its key and its earliest occurrence. The last version of each group is
//! also the same in every order of arrival that keeps each object's own, as long as no limit was reached and nothing was late. An
//! engine restored from an [`Engine::snapshot`] goes on as if nothing had happened.
//!
//! # Bounds
//!
//! Memory follows the number of live things, not the size of the input. Every map has a limit ([`Limits`],
//! [`GroupsConfig::limit`]); at a limit the entry that was least recently seen goes, and a counter says so. A value of the input may
//! have 16 MiB ([`input::DEFAULT_LIMIT`]). Conditions are compiled once and have a bounded length.
//!
//! # Errors
//!
//! Inputs do not fail the engine: [`Engine::malformed`] counts what [`input::read`] refused. Only what a person writes does:
//! rules ([`severity::RuleError`]), conditions ([`condition::ConditionError`]), selectors ([`filter::SelectorError`]) and
//! durations ([`DurationError`]), each with what was wrong and, where close, what may have been meant; and a snapshot made under other
//! settings ([`RestoreError`]).
//!
//! # Features and versions
//!
//! There are no cargo features. The minimum supported Rust version is 1.95. `chrono` is part of the public interface, without its
//! `clock` feature. Field names of the records are part of the interface too: [`record::SCHEMA`] is their JSON Schema.
//!
//! # Where the facts come from
//!
//! - Fields of Events, and which of them are null: `EventSource`, `Event` and `EventSeries` in `k8s.io/api/core/v1/types.go`,
//!   `k8s.io/api/events/v1/types.go`, and KEP-383, "Redesign Event API".
//! - Cumulative counts, Events that are created anew, and `(combined from similar events): `: `recordToSink`, `EventAggregator` and
//!   `eventLogger` in `k8s.io/client-go/tools/record`; series in `k8s.io/client-go/tools/events`.
//! - How long Events live: `--event-ttl` of kube-apiserver, one hour by default.
//! - Lists, watches, bookmarks and what a `resourceVersion` promises: the API concepts of the Kubernetes documentation.
//! - Reasons: the constants and format strings of the components that report them; each entry of the catalogue names its own.

#![forbid(unsafe_code)]

pub mod causes;
pub mod condition;
mod config;
mod deadlines;
mod duration;
mod engine;
pub mod filter;
pub mod graph;
mod groups;
mod gvr;
mod hash;
mod incidents;
pub mod input;
mod membership;
pub mod objects;
mod occurrences;
pub mod record;
mod replay;
mod report;
pub mod severity;
mod signals;
mod sketch;
mod slots;
pub mod story;
mod suggestion;
mod symbols;
mod time;
mod topology;

pub use config::{Emit, EngineConfig, Limits};
pub use duration::{DurationError, Span, parse_duration};
pub use engine::{Dependency, Engine, KnownObject, ObjectState, RestoreError, Scope, Sink, Snapshot};
pub use groups::{GroupBooks, GroupBy, GroupKey, Groups, GroupsConfig, LOOK_AHEAD, Occurrence};
pub use gvr::{Gvr, Link};
pub use occurrences::{CounterKey, News, Occurrences};
pub use record::Record;
pub use replay::Replay;
pub use report::{COMBINED_PREFIX, MAX_CLOCK_SKEW, Report};
pub use severity::{Family, Severity};
pub use suggestion::Suggestion;
pub use time::Nanos;

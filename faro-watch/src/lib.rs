//! Access to clusters for Faro: lists and watches that lose nothing, and say so where they cannot.
//!
//! A [`Watcher`] takes [`Cluster`]s and [`Selection`]s and hands out lines: each is what the API server sent, with the moment, the
//! cluster and the collection in front, and is what [`faro_core::input::read`] understands. Between them stand the control points of
//! each watch: a list begins, a list has ended, a gap.
//!
//! ```text
//! {"receivedAt":"2026-01-02T03:04:05.123456789Z","cluster":"prod","gvr":"v1/pods","control":"listBegin"}
//! {"receivedAt":"2026-01-02T03:04:05.131415926Z","cluster":"prod","gvr":"v1/pods","type":"ADDED","object":{"kind":"Pod",...}}
//! {"receivedAt":"2026-01-02T03:04:05.141421356Z","cluster":"prod","gvr":"v1/pods","control":"listEnd","resourceVersion":"7","objects":1}
//! {"receivedAt":"2026-01-02T03:09:00.271828182Z","cluster":"prod","gvr":"v1/pods","synthesized":true,"type":"DELETED","object":{...}}
//! ```
//!
//! # Example
//!
//! ```no_run
//! use faro_core::{Engine, EngineConfig, Record, input};
//! use faro_watch::{Cluster, Output, Selection, Watcher};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let pods = Selection::new("v1/pods").namespaces(["shop", "pay"]).labels("app=web");
//! let cluster = Cluster::find(None, None)?;
//! let mut watcher = Watcher::builder().cluster(cluster, [Selection::new("v1/events"), pods]).start().await?;
//! let mut engine = Engine::new(EngineConfig::default());
//! while let Some(output) = watcher.next().await {
//!     let Output::Feed(feed) = output else { continue };
//!     match input::read(feed.line()) {
//!         Ok(item) => engine.ingest(item, feed.received_at(), &mut |record: &Record<'_>| {
//!             println!("{}", serde_json::to_string(record).unwrap_or_default());
//!         }),
//!         Err(malformed) => engine.malformed(&malformed),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! `examples/stream.rs` prints the lines; `examples/engine.rs` adds the engine's timer and a checkpoint.
//!
//! # What is where
//!
//! | to do this | use |
//! |---|---|
//! | find a cluster as kubectl does | [`Cluster`] |
//! | say what to watch | [`Selection`]; overlapping ones share a watch ([`plan`]) |
//! | read what happens | [`Watcher::next`] |
//! | know how the watches are doing, and which right is missing | [`Watcher::health`] |
//! | go on after a restart | [`Watcher::mark`], [`checkpoint::Store`], [`WatcherBuilder::resume`] |
//! | let one of several processes work | [`Candidacy`], [`Leadership`] |
//! | record lines | [`strip`] |
//! | follow a list and a watch with requests of your own | [`machine::Machine`] |
//!
//! # Promises
//!
//! - Per object, lines come in the API's order, each change once. What a relist shows is marked `synthesized`.
//! - After any disconnect the watch goes on from its position. Where the server no longer has that, a gap says from when to when
//!   something may have been missed, and the differences are delivered. No gap means no gap; how that is known of a silent watch is
//!   told in [`machine`].
//! - Of an object only uid, version, labels and owners are kept ([`known::Known`]); of Events nothing.
//! - A reader that stops slows the watches down; nothing is dropped, nothing grows.
//! - Secrets are asked for as metadata, and their annotations have no values.
//!
//! # Where the facts come from
//!
//! Lists, watches, bookmarks, `resourceVersion`, 410 and metadata-only requests: the API concepts of the Kubernetes documentation,
//! KEP-956 (bookmarks), KEP-365 (chunked lists), KEP-5504 (comparable resource versions). Discovery: KEP-3352. Kubeconfig: "Organizing
//! Cluster Access Using kubeconfig Files". Times of compaction and of bookmarks: `k8s.io/apiserver`, as named where they are used.
//!
//! This crate is the only one of Faro that knows `kube` and `k8s-openapi`; `faro-core` stays free of both.

pub mod checkpoint;
mod connect;
pub mod discovery;
mod feed;
mod health;
pub mod known;
mod lease;
mod line;
pub mod machine;
mod request;
mod selection;
mod strip;
mod watcher;

pub use connect::{Cluster, ConnectError, contexts, current_context};
pub use feed::Feed;
pub use health::{Absent, CollectionHealth, Health, WatchHealth, WatchName};
pub use lease::{Candidacy, Leadership, Standing};
pub use selection::{Choice, Content, PlanError, Selection, Target, plan};
pub use strip::{LAST_APPLIED, strip};
pub use watcher::{Output, StartError, Watcher, WatcherBuilder};

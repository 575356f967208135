//! Access to clusters for Faro: what to watch, and how what was watched reaches the engine.
//!
//! # What is here
//!
//! [`Selection`], which says what to watch: a collection, where, and which of its objects. It is plain data; nothing in this
//! version opens a connection.
//!
//! # What is not here yet
//!
//! - Clients: kubeconfig and in-cluster configuration, several contexts in one process.
//! - Discovery: which collection a kind belongs to, and resources that appear or vanish while Faro runs.
//! - List and watch: initial state, bookmarks, resumption, proven continuity, and a `gap` record where it cannot be proven.
//! - Checkpoints: positions and the engine's snapshot, in a file or a `ConfigMap`.
//! - Health and metrics.
//!
//! Until they are here, feed [`faro_core::Engine`] with what your own client watches, or [`faro_core::Replay`] with what
//! `kubectl get events --watch --output-watch-events -o json` printed.
//!
//! This crate is the only one of Faro that will know `kube` and `k8s-openapi`; `faro-core` stays free of both.
//!
//! # Example
//!
//! ```
//! use faro_watch::Selection;
//!
//! let pods = Selection::new("v1/pods").namespaces(["shop", "pay"]).labels("app=web");
//! assert_eq!(pods.gvr, "v1/pods");
//! assert!(Selection::new("v1/nodes").namespaces.is_empty(), "everywhere, unless told otherwise");
//! ```

pub mod checkpoint;
mod connect;
pub mod discovery;
mod feed;
mod health;
pub mod known;
mod line;
pub mod machine;
mod request;
mod selection;
mod strip;
mod watcher;

pub use connect::{Cluster, ConnectError, contexts, current_context};
pub use feed::Feed;
pub use health::{Absent, Health, WatchHealth, WatchName};
pub use selection::{Choice, Content, PlanError, Selection, Target, plan};
pub use strip::{LAST_APPLIED, strip};
pub use watcher::{Output, StartError, Watcher, WatcherBuilder};

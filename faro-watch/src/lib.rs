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

/// What to watch: one collection, where, and which of its objects.
///
/// Selectors are handed to the API server as they are written, so they mean what they mean to `kubectl`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selection {
    /// The collection: `v1/pods`, `apps/v1/deployments`.
    pub gvr: String,
    /// The namespaces; none means all, and cluster-scoped objects have none.
    pub namespaces: Vec<String>,
    /// Which objects by name (`metadata.name`); empty means all.
    pub name: String,
    /// Which objects by label, `app=web,tier!=db`; empty means all.
    pub labels: String,
    /// Which objects by field, `status.phase=Running`; empty means all.
    pub fields: String,
}

impl Selection {
    /// Selects every object of a collection, in all namespaces.
    #[must_use]
    pub fn new(gvr: impl Into<String>) -> Self {
        Self { gvr: gvr.into(), ..Self::default() }
    }

    /// Sets the namespaces; all.
    #[must_use]
    pub fn namespaces<T: Into<String>>(mut self, namespaces: impl IntoIterator<Item = T>) -> Self {
        self.namespaces = namespaces.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the one name; any.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the label selector; none.
    #[must_use]
    pub fn labels(mut self, selector: impl Into<String>) -> Self {
        self.labels = selector.into();
        self
    }

    /// Sets the field selector; none.
    #[must_use]
    pub fn fields(mut self, selector: impl Into<String>) -> Self {
        self.fields = selector.into();
        self
    }
}

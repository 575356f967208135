//! What to watch, and how overlapping wishes become watches that repeat nothing.

mod choice;
mod plan;

pub use choice::Choice;
pub use plan::{PlanError, Target, plan};

use serde::{Deserialize, Serialize};

/// What to watch: one collection, where, and which of its objects.
///
/// Selectors mean what they mean to `kubectl`. They are handed to the API server as they are written, unless several selections of
/// one collection overlap: then one watch serves them all, and what is selected is decided here (see [`plan`]).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Selection {
    /// The collection: `v1/pods`, `apps/v1/deployments`.
    pub gvr: String,
    /// The namespaces; none, or an empty one, means all, and cluster-scoped objects have none.
    pub namespaces: Vec<String>,
    /// Which objects by name (`metadata.name`); empty means all.
    pub name: String,
    /// Which objects by label, `app=web,tier!=db`; empty means all.
    pub labels: String,
    /// Which objects by field, `status.phase=Running`; empty means all.
    pub fields: String,
    /// How much of each object.
    pub content: Content,
}

/// How much of each object is asked for.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Content {
    /// Only metadata: `PartialObjectMetadata` of `meta.k8s.io/v1` (API concepts, "Alternate representations of resources").
    Metadata,
    /// The whole object. Secrets are nevertheless asked for by their metadata.
    #[default]
    Whole,
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

    /// Asks for metadata only; the whole object.
    #[must_use]
    pub fn metadata_only(mut self) -> Self {
        self.content = Content::Metadata;
        self
    }

    /// The namespaces that are named; none means all of them.
    pub(crate) fn places(&self) -> &[String] {
        if self.namespaces.iter().any(String::is_empty) { &[] } else { &self.namespaces }
    }

    /// The field selector, with the name in it.
    pub(crate) fn field_selector(&self) -> String {
        match (&*self.name, &*self.fields) {
            ("", fields) => fields.to_owned(),
            (name, "") => format!("metadata.name={name}"),
            (name, fields) => format!("metadata.name={name},{fields}"),
        }
    }
}

//! The settings of a filter, by the options that make them.

use std::fmt;

/// What hides a record.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Setting {
    /// It is of less severity.
    Severity,
    /// It lies before.
    Since,
    /// It lies after.
    Until,
    /// It is of another namespace.
    Namespace,
    /// It has other labels.
    Selector,
    /// It has other fields.
    FieldSelector,
    /// It is of another collection.
    Gvr,
    /// It is about another object.
    For,
    /// It is of another type.
    Type,
    /// It has another reason.
    Reason,
    /// It is of another family.
    Family,
    /// It is about another kind.
    Kind,
    /// The condition does not hold.
    Where,
}

impl Setting {
    /// Returns the long name of the option: `severity`, `field-selector`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Severity => "severity",
            Self::Since => "since",
            Self::Until => "until",
            Self::Namespace => "namespace",
            Self::Selector => "selector",
            Self::FieldSelector => "field-selector",
            Self::Gvr => "gvr",
            Self::For => "for",
            Self::Type => "type",
            Self::Reason => "reason",
            Self::Family => "family",
            Self::Kind => "kind",
            Self::Where => "where",
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--{}", self.name())
    }
}

//! Field selectors, as `kubectl --field-selector` takes them.

use super::SelectorError;
use crate::record::Record;
use crate::suggestion::Suggestion;
use std::borrow::Cow;

/// Requirements on fields, all of which must hold: `involvedObject.kind=Pod,reason!=Scheduled`.
///
/// Known are the fields of core/v1 and events.k8s.io/v1 Events (`pkg/registry/core/event/strategy.go` of Kubernetes). Of a group
/// `involvedObject` is its `resource`; a field that a record lacks leaves the record alone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FieldSelector(Vec<Requirement>);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Requirement {
    field: Field,
    equal: bool,
    value: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Field {
    Name,
    Namespace,
    InvolvedKind,
    InvolvedNamespace,
    InvolvedName,
    InvolvedUid,
    InvolvedApiVersion,
    InvolvedFieldPath,
    Reason,
    Type,
    Source,
    ReportingComponent,
}

const FIELDS: [(&str, Field); 19] = [
    ("metadata.name", Field::Name),
    ("metadata.namespace", Field::Namespace),
    ("involvedObject.kind", Field::InvolvedKind),
    ("involvedObject.namespace", Field::InvolvedNamespace),
    ("involvedObject.name", Field::InvolvedName),
    ("involvedObject.uid", Field::InvolvedUid),
    ("involvedObject.apiVersion", Field::InvolvedApiVersion),
    ("involvedObject.fieldPath", Field::InvolvedFieldPath),
    ("regarding.kind", Field::InvolvedKind),
    ("regarding.namespace", Field::InvolvedNamespace),
    ("regarding.name", Field::InvolvedName),
    ("regarding.uid", Field::InvolvedUid),
    ("regarding.apiVersion", Field::InvolvedApiVersion),
    ("regarding.fieldPath", Field::InvolvedFieldPath),
    ("reason", Field::Reason),
    ("type", Field::Type),
    ("source", Field::Source),
    ("reportingController", Field::ReportingComponent),
    ("reportingComponent", Field::ReportingComponent),
];

impl FieldSelector {
    /// Reads a selector; an empty one selects everything.
    ///
    /// # Errors
    ///
    /// A requirement has no operator, or names a field that Events do not have.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        text.split(',').map(requirement).collect::<Result<_, _>>().map(Self)
    }

    /// Tells whether every requirement holds that the record can answer.
    #[must_use]
    pub fn matches(&self, record: &Record<'_>) -> bool {
        self.0
            .iter()
            .all(|requirement| value(record, requirement.field).is_none_or(|value| (*value == *requirement.value) == requirement.equal))
    }

    /// Tells whether everything is selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn requirement(text: &str) -> Result<Requirement, SelectorError> {
    let split = [("!=", false), ("==", true), ("=", true)].into_iter().find_map(|(operator, equal)| {
        let (name, value) = text.split_once(operator)?;
        Some((name.trim(), equal, value.trim()))
    });
    let (name, equal, value) = split.ok_or_else(|| SelectorError::malformed(text))?;
    let known = FIELDS.iter().find(|(known, _)| *known == name);
    let &(_, field) = known.ok_or_else(|| SelectorError::UnknownField {
        field: name.chars().take(64).flat_map(char::escape_debug).collect(),
        suggestion: Suggestion::of(name, FIELDS.map(|(known, _)| known)),
    })?;
    Ok(Requirement { field, equal, value: value.to_owned() })
}

/// The field's value; `None` where the record has no such field.
fn value<'a>(record: &'a Record<'_>, field: Field) -> Option<Cow<'a, str>> {
    let value = match record {
        Record::Object(object) => match field {
            Field::Name => Some(object.name),
            Field::Namespace => Some(object.namespace),
            Field::InvolvedKind
            | Field::InvolvedNamespace
            | Field::InvolvedName
            | Field::InvolvedUid
            | Field::InvolvedApiVersion
            | Field::InvolvedFieldPath
            | Field::Reason
            | Field::Type
            | Field::Source
            | Field::ReportingComponent => None,
        },
        Record::Event(event) => Some(match field {
            Field::Name => event.name,
            Field::Namespace => event.namespace,
            Field::InvolvedKind => event.involved_object.kind(),
            Field::InvolvedNamespace => event.involved_object.namespace(),
            Field::InvolvedName => event.involved_object.name(),
            Field::InvolvedUid => event.involved_object.uid(),
            Field::InvolvedApiVersion => event.involved_object.api_version(),
            Field::InvolvedFieldPath => event.involved_object.field_path(),
            Field::Reason => event.reason,
            Field::Type => event.type_,
            // The API server looks in both places too.
            Field::Source if event.source.component.is_empty() => event.reporting_component,
            Field::Source => &event.source.component,
            Field::ReportingComponent => event.reporting_component,
        }),
        Record::Group(group) => {
            let resource = group.resource.as_ref();
            match field {
                Field::InvolvedKind => resource.map(|resource| resource.kind),
                Field::InvolvedNamespace => resource.map(|resource| resource.namespace),
                Field::InvolvedName => resource.map(|resource| resource.name),
                Field::InvolvedUid => return resource.map(|resource| Cow::Owned(resource.uid.to_string())),
                Field::InvolvedApiVersion => resource.map(|resource| resource.api_version),
                Field::Reason => Some(group.reason),
                Field::Type => Some(group.type_),
                Field::Name | Field::Namespace | Field::InvolvedFieldPath | Field::Source | Field::ReportingComponent => None,
            }
        }
        Record::Incident(_) | Record::Gap(_) | Record::Sync(_) | Record::Summary(_) => None,
    };
    value.map(Cow::Borrowed)
}

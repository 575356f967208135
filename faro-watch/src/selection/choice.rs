//! Selection on the client, where one watch serves several selections.

use super::Selection;
use crate::line::Object;
use faro_core::filter::{LabelSelector, SelectorError};
use faro_core::input::Fields;

/// Which objects of a shared watch are wanted: those that any of several selections wants.
///
/// The default wants everything.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Choice(Vec<Alternative>);

/// One selection, without its collection.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Alternative {
    namespaces: Vec<String>,
    name: String,
    labels: LabelSelector,
}

impl Choice {
    /// Makes a choice of what any of `selections` wants. Of field selectors only the name and namespace are known here; see
    /// [`is_local`].
    pub(crate) fn any<'a>(selections: impl IntoIterator<Item = &'a Selection>) -> Result<Self, SelectorError> {
        let alternative = |selection: &Selection| {
            let mut alternative = Alternative {
                namespaces: selection.places().to_vec(),
                name: selection.name.clone(),
                labels: LabelSelector::parse(&selection.labels)?,
            };
            for (field, value) in terms(&selection.fields).into_iter().flatten() {
                match field {
                    "metadata.name" => value.clone_into(&mut alternative.name),
                    _ => alternative.namespaces = vec![value.to_owned()],
                }
            }
            Ok(alternative)
        };
        selections.into_iter().map(alternative).collect::<Result<_, _>>().map(Self)
    }

    /// Tells whether everything is wanted.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn selects(&self, object: &Object<'_>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let metadata = &object.metadata;
        // What cannot be read has none.
        let labels: Fields<'_> = serde_json::from_str(metadata.labels()).unwrap_or_default();
        self.0.iter().any(|one| {
            (one.namespaces.is_empty() || one.namespaces.iter().any(|namespace| *namespace == *metadata.namespace))
                && (one.name.is_empty() || *one.name == *metadata.name)
                && one.labels.matches(&labels)
        })
    }
}

/// Tells whether a field selector can be decided from metadata alone: it asks for a name or a namespace, and once each.
pub(super) fn is_local(selection: &Selection) -> bool {
    let Some(terms) = terms(&selection.fields) else { return false };
    let count = |field| terms.iter().filter(|(name, _)| *name == field).count();
    let names = count("metadata.name") + usize::from(!selection.name.is_empty());
    let namespaces = count("metadata.namespace") + usize::from(!selection.places().is_empty());
    names <= 1 && namespaces <= 1
}

/// The requirements of a field selector, when each is that a name or namespace is equal to something.
fn terms(fields: &str) -> Option<Vec<(&str, &str)>> {
    let requirements = fields.split(',').map(str::trim).filter(|term| !term.is_empty());
    requirements
        .map(|term| {
            let (field, value) = term.split_once("==").or_else(|| term.split_once('='))?;
            let known = matches!(field.trim(), "metadata.name" | "metadata.namespace") && !value.contains('\\');
            known.then(|| (field.trim(), value.trim()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_selection_is_enough() {
        let by_label = Selection::new("v1/pods").labels("app=web");
        let by_name = Selection::new("v1/pods").namespaces(["pay"]).name("db");
        let by_field = Selection::new("v1/pods").fields("metadata.name=cache,metadata.namespace==shop");
        let all = [by_label, by_name, by_field];
        check(&all, ("shop", "x", r#"{"app":"web"}"#), true);
        check(&all, ("shop", "x", r#"{"app":"api"}"#), false);
        check(&all, ("pay", "db", "null"), true);
        check(&all, ("shop", "db", "null"), false);
        check(&all, ("shop", "cache", "null"), true);
        check(&[], ("shop", "x", "null"), true);
    }

    #[test]
    fn fields_beyond_metadata_are_for_the_server() {
        for (fields, want) in [("metadata.name=a", true), ("status.phase=Running", false), ("metadata.name!=a", false), ("", true)] {
            assert_eq!(is_local(&Selection::new("v1/pods").fields(fields)), want, "{fields}");
        }
        assert!(!is_local(&Selection::new("v1/pods").name("a").fields("metadata.name=b")), "two names at once");
    }

    #[track_caller]
    fn check(selections: &[Selection], (namespace, name, labels): (&str, &str, &str), want: bool) {
        let choice = Choice::any(selections).unwrap();
        let text = format!(r#"{{"metadata":{{"namespace":"{namespace}","name":"{name}","labels":{labels}}}}}"#);
        assert_eq!(choice.selects(&Object::read(&text).unwrap()), want, "{text}");
    }
}

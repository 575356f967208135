//! What to watch, as a file says it: by namespace, by resource, or both.
//!
//! ```yaml
//! namespaces: [{name_selector: shop, resources: {v1/configmaps: {label_selector: "app=x", name_selector: cm-1}}}]
//! resources: [{gvr: v1/configmaps, namespace_names: [shop], name_selector: cm-1, label_selector: "app=x", field_selector: "..."}]
//! ```

use faro_core::Suggestion;
use faro_core::filter::{FieldSelector, LabelSelector};
use faro_watch::Selection;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_saphyr::{Location, MessageFormatter, Spanned, UserMessageFormatter};
use std::fmt;

/// The keys of a file that say what to watch; every other one is an option.
pub(crate) const KEYS: [&str; 2] = ["namespaces", "resources"];

/// What one entry selects, and where it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    /// `namespaces[0].resources[v1/pods]`, `resources[2]`.
    pub(crate) name: String,
    /// The file; empty until the reader of the file says it.
    pub(crate) file: String,
    /// Its line, from 1.
    pub(crate) line: u64,
    /// What it selects.
    pub(crate) selection: Selection,
}

/// What is wrong with a file, and on which line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Wrong {
    pub(crate) line: u64,
    pub(crate) what: String,
}

/// Reads the entries of a file; options beside them are passed over.
pub(crate) fn read(text: &str) -> Result<Vec<Entry>, Wrong> {
    let options = serde_saphyr::options! { with_snippet: false };
    let file: Option<File> = serde_saphyr::from_str_with_options(text, options).map_err(|error| wrong(&error))?;
    let File { namespaces, resources } = file.unwrap_or_default();
    let mut entries = Vec::new();
    for (index, namespace) in namespaces.into_iter().enumerate() {
        if namespace.resources.is_empty() {
            return Err(Wrong { line: 1, what: format!("namespaces[{index}] names no `resources`") });
        }
        for (gvr, wanted) in namespace.resources {
            let name = format!("namespaces[{index}].resources[{}]", gvr.value);
            let wanted = wanted.unwrap_or_default();
            let written = Written {
                gvr,
                name_selector: wanted.name_selector,
                label_selector: wanted.label_selector,
                field_selector: wanted.field_selector,
            };
            entries.push(written.entry(name, namespace.name_selector.clone().into_iter().collect())?);
        }
    }
    for (index, resource) in resources.into_iter().enumerate() {
        let ByResource { gvr, namespace_names, name_selector, label_selector, field_selector } = resource;
        let written = Written { gvr, name_selector, label_selector, field_selector };
        entries.push(written.entry(format!("resources[{index}]"), namespace_names)?);
    }
    Ok(entries)
}

/// The two lists of a file.
#[derive(Default)]
struct File {
    namespaces: Vec<ByNamespace>,
    resources: Vec<ByResource>,
}

impl<'de> Deserialize<'de> for File {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FileVisitor;

        impl<'de> Visitor<'de> for FileVisitor {
            type Value = File;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`namespaces`, `resources` and options")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<File, A::Error> {
                let mut file = File::default();
                while let Some(key) = map.next_key::<String>()? {
                    match &*key {
                        "namespaces" => file.namespaces = map.next_value::<Option<_>>()?.unwrap_or_default(),
                        "resources" => file.resources = map.next_value::<Option<_>>()?.unwrap_or_default(),
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(file)
            }
        }
        deserializer.deserialize_map(FileVisitor)
    }
}

/// Everything that is wanted of a namespace; without a name, of all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByNamespace {
    name_selector: Option<String>,
    #[serde(deserialize_with = "pairs")]
    resources: Vec<Pair>,
}

/// A collection, and what is wanted of it; all when nothing is said.
type Pair = (Spanned<String>, Option<Wanted>);

/// What is wanted of a collection within a namespace.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name_selector: Option<String>,
    label_selector: Option<Spanned<String>>,
    field_selector: Option<Spanned<String>>,
}

/// One collection, wherever it is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByResource {
    gvr: Spanned<String>,
    #[serde(default)]
    namespace_names: Vec<String>,
    name_selector: Option<String>,
    label_selector: Option<Spanned<String>>,
    field_selector: Option<Spanned<String>>,
}

/// What both formats say of a collection.
struct Written {
    gvr: Spanned<String>,
    name_selector: Option<String>,
    label_selector: Option<Spanned<String>>,
    field_selector: Option<Spanned<String>>,
}

impl Written {
    fn entry(self, name: String, namespaces: Vec<String>) -> Result<Entry, Wrong> {
        let line = self.gvr.referenced.line();
        if !crate::settings::is_gvr(&self.gvr.value) {
            let what =
                format!("{name}: `gvr`: `{}` is no collection: write it like v1/pods or apps/v1/deployments", short(&self.gvr.value));
            return Err(Wrong { line, what });
        }
        let mut selection = Selection::new(self.gvr.value).namespaces(namespaces);
        if let Some(wanted) = self.name_selector {
            selection = selection.name(wanted);
        }
        if let Some(wanted) = self.label_selector {
            if let Err(error) = LabelSelector::parse(&wanted.value) {
                return Err(Wrong { line: wanted.referenced.line(), what: format!("{name}: `label_selector`: {error}") });
            }
            selection = selection.labels(wanted.value);
        }
        if let Some(wanted) = self.field_selector {
            if let Err(what) = check_fields(&selection.gvr, &wanted.value) {
                return Err(Wrong { line: wanted.referenced.line(), what: format!("{name}: `field_selector`: {what}") });
            }
            selection = selection.fields(wanted.value);
        }
        Ok(Entry { name, file: String::new(), line, selection })
    }
}

/// Tells what is wrong with a field selector. Of Events the fields are known; of other collections only the server knows which
/// there are, but not how to read what is no requirement at all.
fn check_fields(gvr: &str, text: &str) -> Result<(), String> {
    if matches!(gvr, "v1/events" | "events.k8s.io/v1/events") {
        return FieldSelector::parse(text).map(drop).map_err(|error| error.to_string());
    }
    let is_requirement = |term: &str| term.split_once('=').is_some_and(|(field, _)| !field.trim_end_matches('!').trim().is_empty());
    match text.split(',').find(|term| !text.trim().is_empty() && !is_requirement(term)) {
        Some(term) => Err(format!("`{}` is no requirement: write it like status.phase=Running", short(term))),
        None => Ok(()),
    }
}

/// A map as pairs in the order in which they were written, each key with its place.
fn pairs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Pair>, D::Error> {
    struct PairsVisitor;

    impl<'de> Visitor<'de> for PairsVisitor {
        type Value = Vec<Pair>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("collections: `v1/pods: {}`")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    deserializer.deserialize_map(PairsVisitor)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is the parser's, and the others differ in their words only")]
fn wrong(error: &serde_saphyr::Error) -> Wrong {
    let line = error.location().unwrap_or(Location::UNKNOWN).line().max(1);
    let what = match error.without_snippet() {
        serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
            format!("unknown key `{}`{}", short(field), Suggestion::of(field, expected.iter().copied()))
        }
        serde_saphyr::Error::SerdeMissingField { field, .. } => format!("no `{field}`"),
        other => short(&UserMessageFormatter.format_message(other)),
    };
    Wrong { line, what }
}

/// The beginning of a text that somebody wrote, fit to be printed.
fn short(text: &str) -> String {
    text.chars().take(200).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_say_the_same() {
        let by_namespace =
            "namespaces:\n  - name_selector: shop\n    resources:\n      v1/configmaps: {label_selector: \"app=x\", name_selector: cm-1}\n";
        let by_resource =
            "resources:\n  - gvr: v1/configmaps\n    namespace_names: [shop]\n    name_selector: cm-1\n    label_selector: app=x\n";
        let want = Selection::new("v1/configmaps").namespaces(["shop"]).name("cm-1").labels("app=x");
        for text in [by_namespace, by_resource] {
            let entries = read(text).unwrap();
            assert_eq!((entries.len(), &entries[0].selection), (1, &want), "{text}");
        }
        assert_eq!(read(by_namespace).unwrap()[0].name, "namespaces[0].resources[v1/configmaps]");
    }

    #[test]
    fn a_collection_alone_means_every_namespace() {
        for text in
            ["resources: [{gvr: v1/pods}]", "resources: [{gvr: v1/pods, namespace_names: []}]", "namespaces: [{resources: {v1/pods: }}]"]
        {
            assert_eq!(read(text).unwrap()[0].selection, Selection::new("v1/pods"), "{text}");
        }
    }

    #[test]
    fn options_beside_the_entries_are_passed_over() {
        assert_eq!(read("window: 5m\nemit: [object]\nresources: [{gvr: v1/pods}]\n").unwrap().len(), 1);
        assert_eq!(read("").unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        check("resources:\n  - gvr: v1/pods\n    name_seletor: a\n", 3, "unknown key `name_seletor`, did you mean `name_selector`?");
        let no_collection = "`gvr`: `pods` is no collection: write it like v1/pods or apps/v1/deployments";
        check("resources:\n  - gvr: pods\n", 2, &format!("resources[0]: {no_collection}"));
        check("namespaces:\n  - resources:\n      pods: {}\n", 3, &format!("namespaces[0].resources[pods]: {no_collection}"));
        check("resources:\n  - namespace_names: [a]\n", 2, "no `gvr`");
        check("namespaces: [{name_selector: a, resources: {}}]", 1, "namespaces[0] names no `resources`");
        let error = read("resources:\n- gvr: v1/pods\n  label_selector: 'a in'\n").unwrap_err();
        assert!(error.line == 3 && error.what.starts_with("resources[0]: `label_selector`: "), "{error:?}");
        check(
            "resources:\n- {gvr: v1/pods, field_selector: status.phase}\n",
            2,
            "resources[0]: `field_selector`: `status.phase` is no requirement: write it like status.phase=Running",
        );
        assert!(read("resources: [{gvr: v1/pods, field_selector: 'status.phase!=Running,spec.nodeName=a'}]").is_ok());
        let error = read("resources: [{gvr: v1/events, field_selector: 'resaon=BackOff'}]").unwrap_err();
        assert!(error.what.contains("did you mean `reason`"), "{error:?}");
    }

    #[track_caller]
    fn check(text: &str, line: u64, what: &str) {
        assert_eq!(read(text).unwrap_err(), Wrong { line, what: what.to_owned() });
    }
}

//! The variables of a condition: fields of a record or of a report, each made when it is asked for.

use super::value::{Boxed, Pattern, json, text, texts};
use super::vocabulary::{Kind, RULE, Word};
use super::written;
use crate::input::Reference;
use crate::record::Record;
use crate::report::Report;
use cel::common::types::{CelBool, CelInt, CelList, CelMap, CelMapKey, CelString};
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use std::collections::HashMap;
use std::sync::OnceLock;

/// The pattern of that name, when it is one.
fn pattern<'b>(patterns: &'b [Pattern], name: &str) -> Option<CowVal<'b, 'b>> {
    let number: usize = name.strip_prefix('@')?.parse().ok()?;
    patterns.get(number).map(|pattern| CowVal::Borrowed(pattern))
}

/// The fields of a record, made when one is first asked for.
pub(super) struct RecordVariables<'a> {
    pub(super) patterns: &'a [Pattern],
    pub(super) words: &'static [Word],
    pub(super) record: &'a Record<'a>,
    pub(super) fields: OnceLock<serde_json::Value>,
}

impl VariableResolver for RecordVariables<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let name = written(variable);
        let Some(word) = self.words.iter().find(|word| word.name == name) else {
            return pattern(self.patterns, variable);
        };
        let fields = self.fields.get_or_init(|| serde_json::to_value(self.record).unwrap_or_default());
        let value: Boxed<'b> = match (fields.get(name), word.kind) {
            (Some(value), _) => json(value),
            (None, Kind::Text) => Box::new(CelString::from("")),
            (None, Kind::Number) => Box::new(CelInt::from(0)),
            (None, Kind::Flag) => Box::new(CelBool::from(false)),
            (None, Kind::List) => Box::new(CelList::from(Vec::new())),
            (None, Kind::Fields(_) | Kind::Map) => texts([]),
        };
        Some(CowVal::from(value))
    }
}

/// The parts of a reference that a condition may name.
const PARTS: [&str; 6] = ["kind", "namespace", "name", "uid", "apiVersion", "fieldPath"];

fn part<'b>(reference: &'b Reference<'_>, key: &str) -> &'b str {
    match key {
        "kind" => reference.kind(),
        "namespace" => reference.namespace(),
        "name" => reference.name(),
        "uid" => reference.uid(),
        "apiVersion" => reference.api_version(),
        "fieldPath" => reference.field_path(),
        _ => "",
    }
}

/// The fields of a report, each made when it is asked for.
pub(super) struct ReportVariables<'a> {
    pub(super) patterns: &'a [Pattern],
    pub(super) report: &'a Report<'a>,
}

impl VariableResolver for ReportVariables<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        // The interpreter asks for the longest path first: a field is found without making the whole event.
        if let Some(path) = variable.strip_prefix("event.") {
            return self.field(path);
        }
        if variable == "event" {
            let Some(Word { kind: Kind::Fields(words), .. }) = RULE.first() else {
                return None;
            };
            let fields = words.iter().filter_map(|word| Some((CelMapKey::from(word.name), self.field(word.name)?.into_owned())));
            return Some(CowVal::owned(CelMap::from(fields.collect::<HashMap<_, _>>())));
        }
        pattern(self.patterns, variable)
    }
}

impl ReportVariables<'_> {
    fn field<'b>(&'b self, path: &str) -> Option<CowVal<'b, 'b>> {
        let report = self.report;
        let (involved, related, source) = (report.involved(), report.related(), report.source());
        let some = |value: &'b str| (!value.is_empty()).then(|| text(value));
        let reference = |reference: &'b Reference<'b>| {
            (!reference.is_empty()).then(|| CowVal::from(texts(PARTS.map(|key| (key, part(reference, key))))))
        };
        match path {
            "reason" => some(report.reason()),
            "type" => some(report.type_()),
            "message" => some(report.message()),
            "count" => Some(CowVal::owned(CelInt::from(i64::from(report.count)))),
            "namespace" => some(report.namespace()),
            "name" => some(report.name()),
            "uid" => some(report.uid()),
            "action" => some(report.action()),
            "reportingComponent" => some(report.reporting_component()),
            "reportingInstance" => some(report.reporting_instance()),
            "firstSeen" => Some(CowVal::owned(CelString::from(report.first_seen.to_string()))),
            "lastSeen" => Some(CowVal::owned(CelString::from(report.last_seen.to_string()))),
            "combined" => Some(CowVal::owned(CelBool::from(report.combined))),
            "source.component" => some(&source.component),
            "source.host" => some(&source.host),
            "source" => (!source.is_empty()).then(|| CowVal::from(texts([("component", &*source.component), ("host", &*source.host)]))),
            "labels" => Some(CowVal::from(texts(report.labels().0.iter().map(|(key, value)| (&**key, &**value))))),
            "annotations" => Some(CowVal::from(texts(report.annotations().0.iter().map(|(key, value)| (&**key, &**value))))),
            "involvedObject" => reference(involved),
            "related" => reference(related),
            _ => match path.split_once('.')? {
                ("involvedObject", key) => some(part(involved, key)),
                ("related", key) => some(part(related, key)),
                _ => None,
            },
        }
    }
}

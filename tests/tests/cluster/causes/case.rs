//! Labelled faults, and what of the found incidents is said about them.

use super::place::Place;
use crate::stage::text;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Instant;

/// A fault and its label.
#[derive(Clone, Copy)]
pub(super) struct Case {
    pub(super) name: &'static str,
    /// How its namespace begins.
    pub(super) namespace: &'static str,
    pub(super) label: Label,
    /// What can be told by who comes after the fact and has not seen what changed; the same where there is nothing.
    pub(super) late: Option<Label>,
    /// How things are while they are well.
    pub(super) before: fn(&Place<'_>),
    /// What goes wrong.
    pub(super) happens: fn(&Place<'_>),
}

/// The right answer.
#[derive(Clone, Copy)]
pub(super) struct Label {
    /// `cause.category`.
    category: &'static str,
    /// Each of these is a right `cause.code`.
    codes: &'static [&'static str],
    /// Kind and name of the object that is the cause. It is in the namespace, unless it is a Node.
    root: (&'static str, &'static str),
}

impl Label {
    pub(super) const fn new(category: &'static str, codes: &'static [&'static str], kind: &'static str, name: &'static str) -> Self {
        Self { category, codes, root: (kind, name) }
    }

    fn told(self) -> String {
        format!("{}/{} {} {}", self.category, self.codes.join("|"), self.root.0, self.root.1)
    }
}

/// A case that has happened.
pub(super) struct Watched<'a> {
    case: &'a Case,
    label: Label,
    namespace: String,
    happened: Instant,
    /// Seconds until what was found was right, and stayed so.
    right: Option<f64>,
}

pub(super) const HEADING: &str = "case                               expected                                                         \
                                  found                                                                conf.  seconds";

impl<'a> Watched<'a> {
    pub(super) fn new(case: &'a Case, namespace: &str) -> Self {
        Self { case, label: case.label, namespace: namespace.to_owned(), happened: Instant::now(), right: None }
    }

    /// The same for who begins to look now.
    pub(super) fn afterwards(&self) -> Self {
        let label = self.case.late.unwrap_or(self.label);
        Self { case: self.case, label, namespace: self.namespace.clone(), happened: Instant::now(), right: None }
    }

    /// Whether the likeliest cause is the right one now.
    pub(super) fn look(&mut self, open: &[&Value]) -> bool {
        let right = self.likeliest(open).is_some_and(|incident| self.is_right(incident));
        self.right = right.then(|| self.right.unwrap_or_else(|| self.happened.elapsed().as_secs_f64()));
        right
    }

    fn likeliest<'i>(&self, open: &[&'i Value]) -> Option<&'i Value> {
        at(open, &self.namespace).max_by(|a, b| score(a).total_cmp(&score(b)))
    }

    fn is_right(&self, incident: &Value) -> bool {
        let (root, cause) = (&incident["rootCause"], &incident["cause"]);
        let place = if self.label.root.0 == "Node" { "" } else { &self.namespace };
        (text(&root["kind"]), text(&root["namespace"]), text(&root["name"])) == (self.label.root.0, place, self.label.root.1)
            && cause["category"] == self.label.category
            && self.label.codes.contains(&text(&cause["code"]))
    }

    /// A row of a table.
    pub(super) fn row(&self, open: &[&Value]) -> String {
        let found = self.likeliest(open);
        let confidence = found.and_then(|incident| incident["cause"]["confidence"].as_f64()).unwrap_or_default();
        let right = self.right.map_or("wrong".to_owned(), |seconds| format!("{seconds:.1}"));
        let others = at(open, &self.namespace).count().saturating_sub(1);
        let others = if others == 0 { String::new() } else { format!("  and {others} more") };
        let (expected, found) = (self.label.told(), found.map_or("nothing".to_owned(), told));
        format!("{:<34} {expected:<64} {found:<70} {confidence:.2} {right:>8}{others}", self.case.name)
    }

    /// What is wrong with what was found.
    pub(super) fn wrong(&self, open: &[&Value]) -> Option<String> {
        let right = self.likeliest(open).is_some_and(|incident| self.is_right(incident));
        (!right).then(|| {
            let incidents: Vec<String> = at(open, &self.namespace).map(|incident| format!("{incident:#}")).collect();
            format!("{}: expected {}, found {}", self.case.name, self.label.told(), incidents.join("\n"))
        })
    }
}

/// The last version of each incident that is open.
pub(super) fn open(records: &[Value]) -> Vec<&Value> {
    let incidents = records.iter().filter(|record| record["record"] == "incident");
    let last: BTreeMap<&str, &Value> = incidents.map(|incident| (text(&incident["id"]), incident)).collect();
    last.into_values().filter(|incident| incident["state"] != "resolved").collect()
}

/// Those that touch a namespace.
pub(super) fn at<'a, 'i: 'a>(open: &'a [&'i Value], namespace: &'a str) -> impl Iterator<Item = &'i Value> + 'a {
    let touches = move |incident: &Value| {
        let affected = incident["affected"]["objects"].as_array().into_iter().flatten();
        affected.chain([&incident["rootCause"]]).any(|object| object["namespace"] == namespace)
    };
    open.iter().copied().filter(move |incident| touches(incident))
}

/// An incident in a few words.
pub(super) fn told(incident: &Value) -> String {
    let (root, cause) = (&incident["rootCause"], &incident["cause"]);
    format!("{}/{} {} {}", text(&cause["category"]), text(&cause["code"]), text(&root["kind"]), text(&root["name"]))
}

fn score(incident: &Value) -> f64 {
    incident["score"].as_f64().unwrap_or_default()
}

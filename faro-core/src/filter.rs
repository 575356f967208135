//! What is printed: every record is made, and filters choose among them.
//!
//! Filters never choose what the engine sees. Each version of a group is tested with the severity that it has by then. A filter
//! on a field that a type of record lacks leaves that type alone: `--severity` keeps `object` records.

mod field;
mod kind;
mod label;
mod setting;

pub use field::FieldSelector;
pub(crate) use kind::KindName;
pub use label::LabelSelector;
pub use setting::Setting;

use crate::condition::Condition;
use crate::gvr::Gvr;
use crate::record::{EventRecord, GroupRecord, IncidentRecord, ObjectRecord, Record, Workload};
use crate::severity::{Family, Pattern, Severity};
use crate::suggestion::Suggestion;
use crate::time::Nanos;
use std::sync::Arc;

/// Why a text is no selector.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectorError {
    /// A requirement that cannot be read.
    #[error("bad selector `{requirement}`")]
    Malformed {
        /// The requirement.
        requirement: String,
    },
    /// A field that nothing has.
    #[error("unknown field `{field}`{suggestion}")]
    UnknownField {
        /// The field.
        field: String,
        /// What may have been meant.
        suggestion: Suggestion,
    },
}

impl SelectorError {
    fn malformed(requirement: &str) -> Self {
        Self::Malformed { requirement: requirement.chars().take(128).flat_map(char::escape_debug).collect() }
    }
}

/// Chooses the records that are printed; without a setting, all of them.
///
/// # Example
///
/// ```
/// use faro_core::filter::Filter;
/// use faro_core::record::{Record, Summary};
/// use faro_core::Severity;
///
/// let filter = Filter::default().severity(Severity::High).namespaces(vec!["shop".to_owned()]);
/// assert!(filter.passes(&Record::Summary(Summary::default())));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Filter {
    // Whether anything is set at all.
    set: bool,
    severity: Severity,
    namespaces: Vec<String>,
    labels: LabelSelector,
    fields: FieldSelector,
    types: Vec<String>,
    reasons: Vec<Pattern>,
    families: Vec<Family>,
    kinds: Vec<KindName>,
    object: Option<(KindName, String)>,
    gvrs: Vec<(String, String)>,
    since: Option<Nanos>,
    until: Option<Nanos>,
    condition: Option<Arc<Condition>>,
}

impl Filter {
    /// Keeps events and groups of this severity and above.
    #[must_use]
    pub fn severity(mut self, least: Severity) -> Self {
        self.severity = least;
        self.touched()
    }

    /// Keeps what belongs to these namespaces, and events and groups about cluster-scoped objects; none means all.
    #[must_use]
    pub fn namespaces(mut self, namespaces: Vec<String>) -> Self {
        self.namespaces = namespaces;
        self.touched()
    }

    /// Keeps objects and events with these labels.
    #[must_use]
    pub fn selector(mut self, selector: LabelSelector) -> Self {
        self.labels = selector;
        self.touched()
    }

    /// Keeps records whose fields have these values.
    #[must_use]
    pub fn field_selector(mut self, selector: FieldSelector) -> Self {
        self.fields = selector;
        self.touched()
    }

    /// Keeps events and groups of these types, in any case; none means all.
    #[must_use]
    pub fn types(mut self, types: Vec<String>) -> Self {
        self.types = types;
        self.touched()
    }

    /// Keeps events and groups with one of these reasons; none means all.
    #[must_use]
    pub fn reasons(mut self, reasons: Vec<Pattern>) -> Self {
        self.reasons = reasons;
        self.touched()
    }

    /// Keeps events and groups of these families; none means all.
    #[must_use]
    pub fn families(mut self, families: Vec<Family>) -> Self {
        self.families = families;
        self.touched()
    }

    /// Keeps objects of these kinds, and events and groups about such; written as kind, plural or short name; none means all.
    #[must_use]
    pub fn kinds<T: AsRef<str>>(mut self, kinds: &[T]) -> Self {
        self.kinds = kinds.iter().map(|kind| KindName::new(kind.as_ref())).collect();
        self.touched()
    }

    /// Keeps the records of one object, events and groups about it, and those of which it is the workload.
    #[must_use]
    pub fn for_object(mut self, kind: &str, name: &str) -> Self {
        self.object = Some((KindName::new(kind), name.to_owned()));
        self.touched()
    }

    /// Keeps objects and events of these collections (`v1/pods`); none means all.
    #[must_use]
    pub fn gvrs<T: AsRef<str>>(mut self, gvrs: &[T]) -> Self {
        let split = |gvr: &str| {
            let (version, resource) = gvr.rsplit_once('/').unwrap_or(("", gvr));
            // Both API versions give the same records.
            let version = if version.starts_with("events.k8s.io/") && resource == "events" { "v1" } else { version };
            (version.to_owned(), resource.to_owned())
        };
        self.gvrs = gvrs.iter().map(|gvr| split(gvr.as_ref())).collect();
        self.touched()
    }

    /// Keeps what was last seen (objects: observed) at this moment or later.
    #[must_use]
    pub fn since(mut self, moment: Nanos) -> Self {
        self.since = Some(moment);
        self.touched()
    }

    /// Keeps what was last seen (objects: observed) at this moment or earlier.
    #[must_use]
    pub fn until(mut self, moment: Nanos) -> Self {
        self.until = Some(moment);
        self.touched()
    }

    /// Keeps records for which the condition holds.
    #[must_use]
    pub fn where_(mut self, condition: Condition) -> Self {
        self.condition = Some(Arc::new(condition));
        self.touched()
    }

    fn touched(mut self) -> Self {
        self.set = true;
        self
    }

    /// Tells whether nothing is set, so that every record passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.set
    }

    /// Tells whether a record is printed.
    #[must_use]
    pub fn passes(&self, record: &Record<'_>) -> bool {
        self.hidden_by(record).is_none()
    }

    /// Tells which setting hides a record: the first that it does not meet. `None` when it is printed.
    #[must_use]
    pub fn hidden_by(&self, record: &Record<'_>) -> Option<Setting> {
        if self.is_empty() {
            return None;
        }
        let own = match record {
            Record::Object(object) => self.object_hidden_by(object),
            Record::Event(event) => self.event_hidden_by(event),
            Record::Group(group) => self.group_hidden_by(group),
            Record::Incident(incident) => self.incident_hidden_by(incident),
            Record::Gap(gap) => return self.not_concerned(&gap.gvr, gap.namespace),
            Record::Sync(sync) => return self.not_concerned(&sync.gvr, sync.namespace),
            Record::Summary(_) => return None,
        };
        own.or_else(|| unmet(self.fields.matches(record), Setting::FieldSelector)).or_else(|| {
            let holds = self.condition.as_ref().is_none_or(|condition| condition.passes(record));
            unmet(holds, Setting::Where)
        })
    }

    /// Why what is said of a watch is of no interest: one of all namespaces concerns each.
    fn not_concerned(&self, gvr: &Gvr<'_>, namespace: &str) -> Option<Setting> {
        let concerned = namespace.is_empty() || self.namespaces.is_empty() || self.in_namespace(namespace);
        unmet(concerned, Setting::Namespace).or_else(|| unmet(self.of_gvr(gvr), Setting::Gvr))
    }

    fn object_hidden_by(&self, object: &ObjectRecord<'_>) -> Option<Setting> {
        let is_it = |(kind, name): &(KindName, String)| name == object.name && kind.is(object.kind, object.gvr.resource);
        self.untimely(object.timestamp)
            .or_else(|| unmet(self.namespaces.is_empty() || self.in_namespace(object.namespace), Setting::Namespace))
            .or_else(|| unmet(self.of_gvr(&object.gvr), Setting::Gvr))
            .or_else(|| unmet(self.of_kind(object.kind, object.gvr.resource), Setting::Kind))
            .or_else(|| unmet(self.object.as_ref().is_none_or(is_it), Setting::For))
            .or_else(|| unmet(self.labels.is_empty() || self.labels.matches(object.labels), Setting::Selector))
    }

    fn event_hidden_by(&self, event: &EventRecord<'_>) -> Option<Setting> {
        let involved = event.involved_object;
        let resource = event.link.map_or("", |link| link.gvr.resource);
        let in_namespace = || {
            self.in_namespace(event.namespace)
                || self.in_namespace(involved.namespace())
                // Events about nodes and the like have a namespace of their own, for want of their object's.
                || (involved.namespace().is_empty() && !involved.is_empty() && matches!(event.namespace, "" | "default"))
        };
        let is_it = |(kind, name): &(KindName, String)| {
            (name == involved.name() && kind.is(involved.kind(), resource)) || is_workload(kind, name, event.workload.as_ref())
        };
        // A deletion that says no more than which Event is gone has no severity and no time of its own.
        unmet(self.severity <= event.severity.unwrap_or_default(), Setting::Severity)
            .or_else(|| self.untimely(event.last_seen.unwrap_or(event.timestamp)))
            .or_else(|| unmet(self.namespaces.is_empty() || in_namespace(), Setting::Namespace))
            .or_else(|| self.of_other_sort(event.type_, event.reason, event.family))
            .or_else(|| unmet(self.of_gvr(&event.gvr), Setting::Gvr))
            .or_else(|| unmet(self.of_kind(involved.kind(), resource), Setting::Kind))
            .or_else(|| unmet(self.object.as_ref().is_none_or(is_it), Setting::For))
            .or_else(|| unmet(self.labels.is_empty() || self.labels.matches(event.labels), Setting::Selector))
    }

    fn group_hidden_by(&self, group: &GroupRecord<'_>) -> Option<Setting> {
        let namespace = group.resource.map(|resource| resource.namespace).or(group.workload.as_ref().map(|workload| &*workload.namespace));
        let in_namespace = || namespace.is_none_or(|namespace| namespace.is_empty() || self.in_namespace(namespace));
        let is_it = |(kind, name): &(KindName, String)| {
            group.resource.is_some_and(|resource| name == resource.name && kind.is(resource.kind, ""))
                || is_workload(kind, name, group.workload.as_ref())
        };
        unmet(self.severity <= group.severity, Setting::Severity)
            .or_else(|| self.untimely(group.last_seen))
            .or_else(|| unmet(self.namespaces.is_empty() || in_namespace(), Setting::Namespace))
            .or_else(|| self.of_other_sort(group.type_, group.reason, Some(group.family)))
            .or_else(|| unmet(group.resource.is_none_or(|resource| self.of_kind(resource.kind, "")), Setting::Kind))
            .or_else(|| unmet(self.object.as_ref().is_none_or(is_it), Setting::For))
    }

    /// An incident passes by whatever of it is asked for: one whose root is a node touches the namespaces of its pods.
    fn incident_hidden_by(&self, incident: &IncidentRecord) -> Option<Setting> {
        let root = incident.root_cause.as_ref();
        let objects = || incident.affected.objects.iter();
        let of_kind = || root.is_some_and(|root| self.of_kind(&root.kind, "")) || objects().any(|object| self.of_kind(&object.kind, ""));
        let is_it = |(kind, name): &(KindName, String)| {
            root.is_some_and(|root| (name == &root.name && kind.is(&root.kind, "")) || is_workload(kind, name, root.workload.as_ref()))
                || incident.members.has(kind.name(), None, name)
        };
        let in_namespace = || incident.namespaces.iter().any(|namespace| self.in_namespace(namespace));
        unmet(self.severity <= incident.severity, Setting::Severity)
            .or_else(|| self.untimely(incident.last_seen))
            .or_else(|| unmet(self.namespaces.is_empty() || in_namespace(), Setting::Namespace))
            .or_else(|| unmet(self.kinds.is_empty() || of_kind(), Setting::Kind))
            .or_else(|| unmet(self.object.as_ref().is_none_or(is_it), Setting::For))
    }

    /// The setting of type, reason and family that something does not meet.
    fn of_other_sort(&self, type_: &str, reason: &str, family: Option<Family>) -> Option<Setting> {
        unmet(self.of_type(type_), Setting::Type)
            .or_else(|| unmet(self.of_reason(reason), Setting::Reason))
            .or_else(|| unmet(self.of_family(family), Setting::Family))
    }

    /// The setting of time that a moment does not meet.
    fn untimely(&self, moment: Nanos) -> Option<Setting> {
        let late_enough = self.since.is_none_or(|since| since <= moment);
        let early_enough = self.until.is_none_or(|until| moment <= until);
        unmet(late_enough, Setting::Since).or_else(|| unmet(early_enough, Setting::Until))
    }

    fn in_namespace(&self, namespace: &str) -> bool {
        self.namespaces.iter().any(|one| one == namespace)
    }

    fn of_gvr(&self, gvr: &Gvr<'_>) -> bool {
        self.gvrs.is_empty() || self.gvrs.iter().any(|(version, resource)| version == gvr.api_version && resource == gvr.resource)
    }

    fn of_kind(&self, kind: &str, resource: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|one| one.is(kind, resource))
    }

    fn of_type(&self, type_: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|one| one.eq_ignore_ascii_case(type_))
    }

    fn of_reason(&self, reason: &str) -> bool {
        self.reasons.is_empty() || self.reasons.iter().any(|one| one.matches(reason))
    }

    fn of_family(&self, family: Option<Family>) -> bool {
        self.families.is_empty() || family.is_some_and(|family| self.families.contains(&family))
    }
}

/// A setting that is not met.
fn unmet(met: bool, setting: Setting) -> Option<Setting> {
    (!met).then_some(setting)
}

fn is_workload(kind: &KindName, name: &str, workload: Option<&Workload<'_>>) -> bool {
    workload.is_some_and(|workload| workload.name == name && kind.is(&workload.kind, ""))
}

#[cfg(test)]
mod tests;

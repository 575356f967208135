//! From arguments to what the engine is set up with; what is wrong is found before anything is read.

use crate::args::{Emitted, GroupingArgs, Moment, OutputArgs, SelectionArgs};
use crate::failure::Failure;
use faro_core::condition::Condition;
use faro_core::filter::{FieldSelector, Filter, LabelSelector};
use faro_core::severity::Pattern;
use faro_core::{Emit, EngineConfig, Nanos};

/// Sets up the engine.
pub(crate) fn engine(
    output: &OutputArgs,
    selection: &SelectionArgs,
    grouping: &GroupingArgs,
    now: Option<Nanos>,
) -> Result<EngineConfig, Failure> {
    Ok(grouped(grouping)?.emit(emit(&output.emit)).filter(filter(selection, now)?))
}

/// Sets up an engine that prints nothing yet.
pub(crate) fn grouped(grouping: &GroupingArgs) -> Result<EngineConfig, Failure> {
    let mut config = EngineConfig::default()
        .window(grouping.window)
        .lateness(grouping.lateness)
        .update_interval(grouping.update_interval)
        .group_by(grouping.group_by);
    if let Some(cluster) = &grouping.cluster {
        config = config.cluster(cluster.as_str());
    }
    if let Some(file) = &grouping.rules {
        config = config.rules(crate::rules::load(file)?);
    }
    Ok(config)
}

/// Whether a type of record is to be printed.
pub(crate) fn emits(list: &[Emitted], one: Emitted) -> bool {
    list.contains(&one) || list.contains(&Emitted::All)
}

/// The types of records that the engine is to make.
pub(crate) fn emit(list: &[Emitted]) -> Emit {
    Emit {
        object: emits(list, Emitted::Object),
        event: emits(list, Emitted::Event),
        group: emits(list, Emitted::Group),
        incident: emits(list, Emitted::Incident),
        gap: emits(list, Emitted::Gap),
        sync: emits(list, Emitted::Sync),
    }
}

/// Tells what is wrong with a selection; the moment that a duration lies before is known later.
pub(crate) fn check(args: &SelectionArgs) -> Result<(), Failure> {
    filter(args, Some(Nanos(0))).map(drop)
}

/// Which records are printed.
pub(crate) fn filter(args: &SelectionArgs, now: Option<Nanos>) -> Result<Filter, Failure> {
    let wrong = |option: &str, what: &dyn std::fmt::Display| Failure::usage(format!("invalid value for `{option}`: {what}"));
    let mut filter = Filter::default();
    if !args.namespace.is_empty() {
        filter = filter.namespaces(args.namespace.clone());
    }
    if let Some(text) = &args.selector {
        filter = filter.selector(LabelSelector::parse(text).map_err(|error| wrong("--selector", &error))?);
    }
    if let Some(text) = &args.field_selector {
        filter = filter.field_selector(FieldSelector::parse(text).map_err(|error| wrong("--field-selector", &error))?);
    }
    if !args.gvr.is_empty() {
        if let Some(bad) = args.gvr.iter().find(|gvr| !is_gvr(gvr)) {
            return Err(wrong("--gvr", &format_args!("`{bad}` is no collection: write it like v1/pods or apps/v1/deployments")));
        }
        filter = filter.gvrs(&args.gvr);
    }
    if let Some((kind, name)) = &args.for_object {
        filter = filter.for_object(kind, name);
    }
    if let Some(severity) = args.severity {
        filter = filter.severity(severity);
    }
    if !args.types.is_empty() {
        filter = filter.types(args.types.clone());
    }
    if !args.reason.is_empty() {
        filter = filter.reasons(args.reason.iter().map(|reason| Pattern::from(reason.as_str())).collect());
    }
    if !args.family.is_empty() {
        filter = filter.families(args.family.clone());
    }
    if !args.kind.is_empty() {
        filter = filter.kinds(&args.kind);
    }
    if let Some(text) = &args.condition {
        filter = filter.where_(Condition::parse(text).map_err(|error| wrong("--where", &error))?);
    }
    if let Some(moment) = args.since {
        filter = filter.since(resolve("--since", moment, now)?);
    }
    if let Some(moment) = args.until {
        filter = filter.until(resolve("--until", moment, now)?);
    }
    Ok(filter)
}

/// A duration lies before `--now`: the newest time of the input is known only when all of it was read.
fn resolve(option: &str, moment: Moment, now: Option<Nanos>) -> Result<Nanos, Failure> {
    match (moment, now) {
        (Moment::At(time), _) => Ok(time),
        (Moment::Before(span), Some(now)) => Ok(now.minus(span.0)),
        (Moment::Before(_), None) => {
            Err(Failure::usage(format!("`{option}` with a duration needs `--now TIME`, the moment it lies before")))
        }
    }
}

/// `v1/pods`, `apps/v1/deployments`.
pub(crate) fn is_gvr(text: &str) -> bool {
    let mut parts = text.rsplit('/');
    let (resource, version, group) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
    let is_name = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let is_version = version.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && is_name(rest));
    is_name(resource) && is_version && group.is_none_or(is_name) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collections_have_a_version() {
        for (text, want) in [
            ("v1/pods", true),
            ("apps/v1/deployments", true),
            ("example.com/v1beta1/Widget", true),
            ("pods", false),
            ("a/b/v1/x", false),
            ("apps/deployments", false),
        ] {
            assert_eq!(is_gvr(text), want, "{text}");
        }
    }
}

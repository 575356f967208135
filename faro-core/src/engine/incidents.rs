//! Both streams into the stage of the incidents, and what it makes out.

use super::{Context, Engine, Sink};
use crate::config::EngineConfig;
use crate::incidents::{Incidents, IncidentsConfig, IncidentsSnapshot};
use crate::input::RawObject;
use crate::occurrences::News;
use crate::record::{IncidentRecord, Record};
use crate::report::Report;
use crate::severity::Severity;
use crate::time::Nanos;
use std::sync::Arc;

/// Makes the stage where incidents are asked for; else neither topology nor causes cost anything.
pub(super) fn stage(config: &EngineConfig) -> Option<Box<Incidents>> {
    config.emit.incident.then(|| Box::new(Incidents::new(settings(config), Arc::clone(config.rules.causes()))))
}

/// Makes the stage from what it remembered, or anew when it was not asked for before.
pub(super) fn restored(config: &EngineConfig, snapshot: Option<IncidentsSnapshot>) -> Option<Box<Incidents>> {
    let stage = stage(config)?;
    Some(snapshot.map_or(stage, |snapshot| Box::new(Incidents::restore(settings(config), Arc::clone(config.rules.causes()), snapshot))))
}

fn settings(config: &EngineConfig) -> IncidentsConfig {
    IncidentsConfig {
        objects: config.limits.topology,
        reported: config.limits.reported,
        hold: config.groups.lateness.0,
        update_interval: config.groups.update_interval.0,
    }
}

impl Engine {
    pub(super) fn learn_object(&mut self, context: Context<'_>, object: &RawObject<'_>) {
        if let Some(incidents) = &mut self.incidents {
            incidents.object(context.cluster, object, context.change, context.observed);
        }
    }

    pub(super) fn learn_report(&mut self, cluster: &str, report: &Report<'_>, severity: Severity, news: News) {
        if let Some(incidents) = &mut self.incidents {
            incidents.report(cluster, report, severity, news);
        }
    }

    pub(super) fn advance_incidents(&mut self, now: Nanos, sink: &mut impl Sink) {
        let Self { incidents, config, .. } = self;
        if let Some(incidents) = incidents {
            incidents.advance(now, &mut |incident| show(config, incident, sink));
        }
    }

    pub(super) fn end_incidents_list(&mut self, sink: &mut impl Sink) {
        let Self { incidents, config, now, .. } = self;
        if let Some(incidents) = incidents {
            incidents.end_list(*now, &mut |incident| show(config, incident, sink));
        }
    }

    pub(super) fn flush_incidents(&mut self, sink: &mut impl Sink) {
        let Self { incidents, config, now, .. } = self;
        if let Some(incidents) = incidents {
            incidents.flush(*now, &mut |incident| show(config, incident, sink));
        }
    }

    pub(super) fn incidents_deadline(&self) -> Option<Nanos> {
        self.incidents.as_ref().and_then(|incidents| incidents.next_deadline())
    }
}

/// Prints an incident unless a filter hides it, and tells which. One that was shown once stays visible.
fn show(config: &EngineConfig, incident: IncidentRecord, sink: &mut impl Sink) -> bool {
    let shown_before = incident.shown_before;
    let record = Record::Incident(Box::new(incident));
    let passes = shown_before || config.filter.passes(&record);
    if passes {
        sink.record(&record);
    }
    passes
}

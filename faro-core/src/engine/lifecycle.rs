//! Objects through the stages.

use super::{Context, Engine, Sink, event_type};
use crate::gvr::{Gvr, Link};
use crate::hash::Fingerprint;
use crate::input::{Change, Origin, RawObject};
use crate::objects::{Identity, Sight, Version};
use crate::record::{EventType, ObjectRecord, Owner, Record};

impl Engine {
    pub(super) fn object(&mut self, context: Context<'_>, sent_gvr: &str, object: &RawObject<'_>, sink: &mut impl Sink) {
        let metadata = object.metadata();
        let gvr = sent_gvr.rsplit_once('/').map_or_else(
            || Gvr::of_reference(object.api_version(), object.kind()),
            |(api_version, resource)| Gvr { api_version, resource },
        );
        let gvr_text = gvr.to_string();
        let observed = context.observed.unwrap_or(self.now);
        let identity = Identity::with(&mut self.scratch, context.cluster, &gvr_text, &metadata.uid, &metadata.namespace, &metadata.name);
        let deleted = context.change == Change::Deleted;
        let version = match &*metadata.resource_version {
            _ if deleted => Version::DELETED,
            "" => Version::of_content(content_of(&mut self.scratch, object)),
            known => Version::of(known),
        };
        let sight = self.objects.observe(identity, version, observed, context.timed);
        if sight == Sight::Repeat {
            self.counted.records.repeated += 1;
            return;
        }
        if let Some(displaced) = self.objects.take_forgotten() {
            self.contents.forget(displaced);
        }
        let adoption = self.owners.learn_from_object(context.cluster, object);
        self.adopt(context.cluster, adoption, sink);
        self.learn_object(context, object);
        if !self.config.emit.object {
            return;
        }
        let event_type = event_type(context.change, sight);
        let mut changes = Vec::new();
        if deleted {
            self.contents.forget(identity);
        } else {
            changes = self.contents.observe(identity, object);
        }
        if event_type != EventType::Updated {
            changes.clear();
        }
        let owner = self.owners.top_by_objects(context.cluster, object.kind(), &metadata.namespace, &metadata.name);
        let operational = self.groups.operational(context.cluster, object.kind(), &metadata.namespace, &metadata.name);
        let record = Record::Object(ObjectRecord {
            cluster: context.cluster,
            gvr,
            kind: object.kind(),
            namespace: &metadata.namespace,
            name: &metadata.name,
            uid: &metadata.uid,
            resource_version: &metadata.resource_version,
            event_type,
            timestamp: context.observed.or(object.newest_time()).unwrap_or(self.now),
            initial: event_type == EventType::Added && self.is_initial(context, &gvr_text, &metadata.namespace),
            synthesized: self.is_synthesized(context, &gvr_text, &metadata.namespace),
            left_selector: matches!(context.origin, Origin::Selector | Origin::RelistSelector),
            changed_at: metadata.managed_fields.newest(),
            link: Link { gvr, namespace: &metadata.namespace, name: &metadata.name },
            operational,
            labels: &metadata.labels,
            annotations: &metadata.annotations,
            owner: owner.as_ref().map(|(kind, name)| Owner { kind, name }),
            changes,
        });
        if self.config.filter.passes(&record) {
            sink.record(&record);
        }
    }
}

/// A hash of what an object says.
fn content_of(scratch: &mut Fingerprint, object: &RawObject<'_>) -> u64 {
    let scratch = scratch.start();
    for raw in [object.0.spec, object.0.status, object.0.data, object.0.binary_data] {
        scratch.text(raw.map_or("", |raw| raw.get()));
    }
    for (key, value) in object.metadata().labels.0.iter().chain(&object.metadata().annotations.0) {
        scratch.text(key).text(value);
    }
    scratch.number(object.metadata().deletion_timestamp.0.map_or(0, |at| at.0.cast_unsigned())).finish()
}

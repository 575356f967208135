//! Objects against what is known: what a list shows that no watch line carried, and what a selector on the client lets through.

use super::{
    Action, Change, Changed, Delivery, Evidence, Failure, Gap, GapCause, Goal, Keeps, List, Lost, Machine, Origin, Position, State,
};
use crate::known::{KnownObject, Sighting, Uid, Version};
use crate::line::{Object, Page};
use faro_core::Nanos;
use std::borrow::Cow;

/// What is known of an object as it was sent.
fn seen<'a>(object: &'a Object<'a>) -> KnownObject<'a> {
    let metadata = &object.metadata;
    KnownObject {
        namespace: Cow::Borrowed(&metadata.namespace),
        name: Cow::Borrowed(&metadata.name),
        uid: Uid::new(&metadata.uid),
        version: Version::new(&metadata.resource_version),
        labels: Cow::Borrowed(metadata.labels()),
        owner_references: Cow::Borrowed(metadata.owner_references()),
    }
}

impl Machine {
    /// A watch line reports a change.
    pub(super) fn changed(&mut self, change: Change, object: &Object<'_>, act: &mut dyn FnMut(Action<'_>)) {
        let mut deliver =
            |change, evidence| act(Action::Deliver(Delivery::Object(Changed { change, evidence, object, last_labels: None })));
        let selected = self.choice.selects(object);
        if self.keeps == Keeps::Nothing {
            if selected {
                deliver(change, Evidence::Reported);
            }
            return;
        }
        let metadata = &object.metadata;
        let known = self.known.find(&metadata.namespace, &metadata.name).is_some_and(|known| known.uid == Uid::new(&metadata.uid));
        match change {
            Change::Deleted => {
                if known {
                    self.known.remove(&metadata.namespace, &metadata.name);
                }
                // What was deleted is selected by what it was last known as, which is what the server sends.
                if known || selected {
                    deliver(Change::Deleted, Evidence::Reported);
                }
            }
            Change::Added | Change::Modified if !selected => {
                if known {
                    self.left(Evidence::LeftSelector, object, act);
                }
            }
            Change::Added | Change::Modified => match self.known.observe(&seen(object)) {
                // The same version is the same change, sent twice.
                Sighting::Same => {}
                // What comes into a selection on the client is new, whatever the server calls it.
                Sighting::New if self.choice.is_everything() => deliver(change, Evidence::Reported),
                Sighting::New => deliver(Change::Added, Evidence::Reported),
                Sighting::Changed => deliver(Change::Modified, Evidence::Reported),
                Sighting::Replaced(before) => {
                    act(Action::Deliver(Delivery::Missing(&before)));
                    let evidence = Evidence::Reported;
                    act(Action::Deliver(Delivery::Object(Changed { change: Change::Added, evidence, object, last_labels: None })));
                }
            },
        }
    }

    /// A known object is no longer selected.
    fn left(&mut self, evidence: Evidence, object: &Object<'_>, act: &mut dyn FnMut(Action<'_>)) {
        let before = self.known.remove(&object.metadata.namespace, &object.metadata.name);
        let last_labels = before.as_ref().map(|before| &*before.labels);
        act(Action::Deliver(Delivery::Object(Changed { change: Change::Deleted, evidence, object, last_labels })));
    }

    /// One page of a list has come.
    pub(super) fn page(&mut self, body: &str, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        let Some(page) = Page::read(body) else {
            let shown: String = body.chars().take(80).flat_map(char::escape_debug).collect();
            self.failed(&Failure::Connection { message: format!("the answer is no list: `{shown}`") }, now, act);
            return;
        };
        let Goal::List(list) = &mut self.goal else { return };
        let mut list = std::mem::take(list);
        self.open_list(act);
        self.failing_since = None;
        self.status.enter(State::Listing, now, String::new);
        if list.version.is_empty() {
            list.version = page.metadata.resource_version.to_string();
            list.since = Some(now);
            self.known.begin_round();
        }
        for object in page.items() {
            self.listed(&object, &mut list, act);
        }
        list.continue_token = page.metadata.continue_token.to_string();
        if list.continue_token.is_empty() {
            self.list_complete(list, now, act);
        } else {
            self.goal = Goal::List(list);
        }
        self.ask(now, act);
    }

    fn listed(&mut self, object: &Object<'_>, list: &mut List, act: &mut dyn FnMut(Action<'_>)) {
        list.population += 1;
        let compared = self.origin != Origin::Fresh;
        let evidence = if compared { Evidence::Compared } else { Evidence::Reported };
        if !self.choice.selects(object) {
            let metadata = &object.metadata;
            let uid = Uid::new(&metadata.uid);
            if self.known.find(&metadata.namespace, &metadata.name).is_some_and(|known| known.uid == uid) {
                list.recovered += 1;
                self.left(Evidence::ComparedLeftSelector, object, act);
            }
            return;
        }
        let mut deliver =
            |change, evidence| act(Action::Deliver(Delivery::Object(Changed { change, evidence, object, last_labels: None })));
        list.objects += 1;
        if self.keeps == Keeps::Nothing {
            let lost = match &list.bridges {
                // Another storage counts anew.
                Some((GapCause::Rewound, ..)) | None => None,
                Some((_, position, _)) => position.as_ref(),
            };
            let version = Version::new(&object.metadata.resource_version);
            let later = lost.is_none_or(|lost| version.is_later(&Version::new(&lost.resource_version)).unwrap_or(true));
            list.recovered += u64::from(later);
            deliver(Change::Added, evidence);
            return;
        }
        match self.known.observe(&seen(object)) {
            Sighting::Same => return,
            Sighting::New => deliver(Change::Added, evidence),
            // Also within a first list, when it had to begin anew.
            Sighting::Changed => deliver(Change::Modified, Evidence::Compared),
            Sighting::Replaced(before) => {
                list.recovered += 1;
                act(Action::Deliver(Delivery::Missing(&before)));
                act(Action::Deliver(Delivery::Object(Changed { change: Change::Added, evidence, object, last_labels: None })));
            }
        }
        list.recovered += 1;
    }

    fn list_complete(&mut self, mut list: List, now: Nanos, act: &mut dyn FnMut(Action<'_>)) {
        for object in self.known.end_round() {
            list.recovered += 1;
            act(Action::Deliver(Delivery::Missing(&object)));
        }
        if let Some((cause, position, from_time)) = list.bridges.take() {
            self.status.gaps += 1;
            act(Action::Deliver(Delivery::Gap(Gap {
                from_version: position.map(|position| position.resource_version).unwrap_or_default(),
                from_time,
                to_version: list.version.clone(),
                to_time: now,
                cause,
                recovered: list.recovered,
                lost: gap_hides(self.keeps, cause),
            })));
        }
        self.close_list(&list.version, list.objects, act);
        self.origin = Origin::Live;
        self.status.last_alive = Some(now);
        let population = Some(list.population);
        self.position = Some(Position { resource_version: list.version, at: list.since.unwrap_or(now), population });
        self.goal = Goal::Watch;
    }
}

const fn gap_hides(keeps: Keeps, cause: GapCause) -> Lost {
    match (keeps, cause) {
        // Their counts are cumulative: what a list shows includes what it does not.
        (Keeps::Nothing, _) => Lost::IntermediateVersions,
        (Keeps::Objects, _) => Lost::ShortLivedObjects,
    }
}

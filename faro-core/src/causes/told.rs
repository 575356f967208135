//! A text as the patterns of the catalogue see it.

use super::image;
use super::scheduler;
use super::template::{Captures, Template, extract};
use std::borrow::Cow;

/// What an Event or a state says. Of the scheduler's reasons only the decisive one.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    text: Cow<'a, str>,
    others: Option<String>,
}

impl<'a> Told<'a> {
    /// `name` is the reason of the Event or the name of the state.
    pub(crate) fn new(name: &str, text: &'a str) -> Self {
        let verdict = if matches!(name, "FailedScheduling" | "unscheduled") { scheduler::verdict(text) } else { None };
        match verdict {
            Some(verdict) => {
                let others = (!verdict.others.is_empty()).then(|| extract(&verdict.others.join(", ")));
                Self { text: Cow::Owned(verdict.text), others }
            }
            None => Self { text: Cow::Borrowed(text), others: None },
        }
    }

    /// All that is said, whatever decides.
    pub(crate) const fn whole(text: &'a str) -> Self {
        Self { text: Cow::Borrowed(text), others: None }
    }

    /// What the first pattern that fits extracts; without patterns any text will do.
    pub(super) fn read(&self, patterns: &[Template]) -> Option<Captures> {
        let mut captures =
            if patterns.is_empty() { Captures::new() } else { patterns.iter().find_map(|pattern| pattern.read(&self.text))? };
        if let Some(others) = &self.others {
            captures.insert("others".to_owned(), others.clone());
        }
        // Events and states spell images and registries in several ways.
        if let Some(registry) = captures.get_mut("registry") {
            *registry = image::registry_of_host(registry).to_owned();
        }
        if let Some(image) = captures.get_mut("image") {
            let registry = image::registry(image).to_owned();
            *image = image::familiar(image).to_owned();
            captures.entry("registry".to_owned()).or_insert(registry);
        }
        Some(captures)
    }
}

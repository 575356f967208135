//! What the occurrences of a group say together: how bad it has become, and whether it flaps.

use super::group::{Change, Group};
use super::{Groups, Occurrence, Stretch, pattern};
use crate::record::{GroupRecord, Pattern};
use crate::severity::Rules;
use crate::time::Nanos;

impl Groups {
    /// Raises the group's severity to what its evidence asks for.
    pub(super) fn escalate(&mut self, slot: u32, rules: &Rules) {
        let group = &mut self.groups[slot];
        let (count, lasted) = (group.count, Nanos(group.last.since(group.first)));
        let mut raised = group.severity;
        for step in group.rules.iter().take_while(|&&rule| rule != 0).flat_map(|&rule| rules.escalations(rule.into())) {
            if step.to <= raised || step.lasting.is_some_and(|span| lasted < span) {
                continue;
            }
            let extra = group.extra.as_deref();
            if step.objects.is_some_and(|least| extra.map_or(1, |extra| extra.objects.count().max(1)) < least) {
                continue;
            }
            // The only costly question comes last.
            let enough = match (step.after, step.within) {
                (Some(after), Some(within)) => {
                    count >= after
                        && extra.and_then(|extra| extra.timeline.as_ref()).is_some_and(|timeline| timeline.reaches(after, within))
                }
                (Some(after), None) => count >= after,
                (None, _) => true,
            };
            if enough {
                raised = step.to;
            }
        }
        group.severity = raised;
    }

    /// Remembers what the rules ask for of a member.
    pub(super) fn look_at_rule(group: &mut Group, occurrence: &Occurrence<'_>, stretch: Stretch, rules: &Rules) {
        let rule = occurrence.verdict.rule;
        let steps = rules.escalations(rule);
        if steps.is_empty() {
            return;
        }
        group.take_rule(rule);
        if steps.iter().any(|step| step.within.is_some() && step.to > group.severity) {
            group.extra().timeline.get_or_insert_default().insert(stretch.from, stretch.to, stretch.count);
        }
    }

    /// A state and the one that ends it are judged together.
    pub(super) fn look_at_opposite(
        &mut self,
        slot: u32,
        occurrence: &Occurrence<'_>,
        rules: &Rules,
        now: Nanos,
        print: &mut impl FnMut(GroupRecord<'_>) -> bool,
    ) {
        let Some(opposite) = rules.opposite(occurrence.verdict.rule) else { return };
        if self.groups[slot].extra().opposite.is_none() {
            self.groups[slot].extra().opposite = Some(opposite.into());
        }
        let Some(other) = self.opposite_of(slot) else { return };
        let flaps = pattern::judge(&self.groups[other], Some(&self.groups[slot])).0 == Some(Pattern::Flapping);
        let known = self.groups[other].extra.as_deref().is_some_and(|extra| extra.printed_flapping);
        if flaps != known && self.groups[other].change == Change::None {
            self.changed(other, now, print);
        }
    }
}

//! The rules that a user adds.

use super::{Escalation, Family, Severity};
use crate::report::Report;

/// The rules of a file, compiled.
#[derive(Debug, Default)]
pub struct UserRules {}

impl UserRules {
    pub(crate) fn is_empty(&self) -> bool { true }
    pub(crate) fn len(&self) -> usize { 0 }
    pub(crate) fn text(&self) -> &str { "" }
    pub(crate) fn escalations(&self, _number: usize) -> Option<&[Escalation]> { None }
    pub(crate) fn outcome(&self, _number: usize) -> (Option<Severity>, Option<Family>) { (None, None) }
    pub(crate) fn decide(&self, _report: &Report<'_>, _family: Family) -> Option<usize> { None }
}

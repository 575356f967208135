//! Files of severity rules.

use crate::failure::Failure;
use faro_core::severity::Rules;
use std::path::Path;

/// Reads a file of rules, to be used before the catalogue.
pub(crate) fn load(file: &Path) -> Result<Rules, Failure> {
    Err(Failure::usage(format!("{}: rules are not read yet", file.display())))
}

/// `check-config`: runs the examples of a file of rules.
pub(crate) fn run(file: &Path) -> Result<(), Failure> {
    load(file).map(|_| ())
}

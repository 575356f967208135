//! Why a control plane does not start.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use super::{ApiError, BuildError, Component, START};

/// Why there is no control plane, or a part of it does not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The programs are not there.
    #[error(transparent)]
    Unavailable(#[from] BuildError),
    /// A file or a process was refused.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No port is free.
    #[error("no port for a server: {0}")]
    NoPort(io::Error),
    /// A key or a certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A component ended while it was waited for.
    #[error("{} ended with {status}; see `{}`\n{logs}", component.program(), directory.display())]
    Ended {
        /// Which one.
        component: Component,
        /// How it ended.
        status: ExitStatus,
        /// The directory of the control plane, which is kept.
        directory: PathBuf,
        /// The end of each log.
        logs: String,
    },
    /// Something did not become ready in time.
    #[error("{what} was not ready within {} s: {problem}; see `{}`\n{logs}", START.as_secs(), directory.display())]
    NotReady {
        /// What was waited for.
        what: &'static str,
        /// What it said last.
        problem: String,
        /// The directory of the control plane, which is kept.
        directory: PathBuf,
        /// The end of each log.
        logs: String,
    },
    /// The API server refused what a control plane needs.
    #[error(transparent)]
    Api(#[from] ApiError),
}

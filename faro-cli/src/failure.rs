//! Why a run ends without having done its work.

use crate::notice::shown;
use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

/// The end of a run that did not do its work.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Failure {
    /// The command line, or a file that it names, asks for something that does not exist: exit code 2.
    Usage(String),
    /// Something could not be done: exit code 1.
    Failed(String),
    /// The reader of standard output left, which is its right: exit code 0.
    Closed,
    /// clap has said what is wrong, or has shown its help.
    Told(u8),
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Usage(message) | Self::Failed(message) => f.write_str(message),
            Self::Closed => f.write_str("the reader left"),
            Self::Told(_) => Ok(()),
        }
    }
}

impl Failure {
    pub(crate) fn usage(message: impl Display) -> Self {
        Self::Usage(message.to_string())
    }

    pub(crate) fn failed(message: impl Display) -> Self {
        Self::Failed(message.to_string())
    }

    /// Something about a file that could not be done.
    pub(crate) fn io(what: &str, path: &Path, error: &io::Error) -> Self {
        Self::Failed(format!("{what} `{}`: {}", path.display(), reason(error)))
    }

    /// Standard output could not be written.
    pub(crate) fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::Closed
        } else {
            Self::Failed(format!("cannot write to standard output: {}", reason(error)))
        }
    }

    /// Says what is wrong, in one line, and returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Usage(message) => {
                crate::notice::line(&format!("error: {}", shown(message)));
                ExitCode::from(2)
            }
            Self::Failed(message) => {
                crate::notice::line(&format!("error: {}", shown(message)));
                ExitCode::FAILURE
            }
            Self::Closed => ExitCode::SUCCESS,
            Self::Told(code) => ExitCode::from(*code),
        }
    }
}

/// The system's words without the number that Rust adds.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

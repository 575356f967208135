//! The program as it is installed, where tests of this package find it.

use std::process::ExitCode;

fn main() -> ExitCode {
    faro_cli::run(faro_cli::Program::FaroCli)
}

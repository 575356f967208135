//! What happened in a Kubernetes cluster, as JSON Lines.

use std::process::ExitCode;

fn main() -> ExitCode {
    faro_cli::run(faro_cli::Program::FaroCli)
}

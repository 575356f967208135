//! `kubectl faro`: what happened in a Kubernetes cluster.

use std::process::ExitCode;

fn main() -> ExitCode {
    faro_cli::run(faro_cli::Program::KubectlFaro)
}

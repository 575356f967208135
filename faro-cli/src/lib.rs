//! The command line of Faro: arguments in, JSON Lines out.
//!
//! The programs `faro-cli` and `kubectl-faro` are this library under two names.

mod args;
mod catalogue;
mod drive;
mod explain;
mod failure;
mod graph;
mod notice;
mod output;
mod progress;
mod read;
mod replay;
mod rules;
mod settings;
mod signals;
mod source;
mod watch;

pub use args::Program;

use args::Command;
use failure::Failure;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// Runs the program on the arguments of this process.
///
/// Returns 0 when the work is done, also when the reader closed the pipe; 1 when something failed, which one line on standard error
/// names; 2 when the command line or a file of settings is wrong.
#[must_use]
pub fn run(program: Program) -> ExitCode {
    notice::program(program.name());
    let args: Vec<OsString> = std::env::args_os().collect();
    match args::parse(program, &args).and_then(|cli| dispatch(program, cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn dispatch(program: Program, command: Command) -> Result<(), Failure> {
    match command {
        Command::Replay(args) => replay::run(program, &args),
        Command::Watch(args) => watch::run(program, &args),
        Command::Record(args) => watch::record(&args),
        Command::Explain(args) => explain::run(program, &args),
        Command::Graph(args) => graph::run(&args),
        Command::Schema => print(faro_core::record::SCHEMA.trim_end().as_bytes()),
        Command::Reasons { reason } => catalogue::run(reason.as_deref()),
        Command::Causes { code, rules } => catalogue::causes(code.as_deref(), rules.as_deref()),
        Command::CheckConfig { file } => rules::run(&file),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut args::command(program), program.name(), &mut script);
            print(script.trim_ascii_end())
        }
    }
}

/// Writes whole lines to standard output.
fn print(text: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

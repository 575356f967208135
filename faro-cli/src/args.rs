//! The command line.

mod config;
mod options;
mod values;

pub(crate) use options::{
    ClusterArgs, Format, GraphFormat, GroupingArgs, OutputArgs, RotationArgs, RunArgs, SelectionArgs, SourceArgs, WatchedArgs,
};
pub(crate) use values::{Emitted, LeaseName, Moment};

use crate::failure::Failure;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint};
use faro_core::Nanos;
use std::ffi::OsString;
use std::path::PathBuf;

/// Under which of its names the program runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Program {
    /// `faro-cli`: JSON Lines wherever they go.
    FaroCli,
    /// `kubectl faro`: text on a terminal.
    KubectlFaro,
}

impl Program {
    /// The file's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::FaroCli => "faro-cli",
            Self::KubectlFaro => "kubectl-faro",
        }
    }

    /// What one types.
    const fn typed(self) -> &'static str {
        match self {
            Self::FaroCli => "faro-cli",
            Self::KubectlFaro => "kubectl faro",
        }
    }
}

/// What happened in a Kubernetes cluster: each thing once, counted, ranked, as JSON Lines.
#[derive(Debug, Parser)]
#[command(version, args_override_self = true, max_term_width = 110, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reads recordings: what happened, each thing once.
    ///
    /// Reads watch envelopes, objects, Lists and Faro's own records, in JSON or YAML, plain, .gz or .zst. Inputs that carry
    /// `receivedAt` are merged by it; the others come first, in the order given.
    Replay(Box<ReplayArgs>),
    /// Watches clusters: what happens, each thing once, until it is stopped.
    ///
    /// Reads the kubeconfig as kubectl does, or the service account of the pod it runs in. Without `--gvr` and without entries in
    /// `--config` it watches events and what explains them: pods, nodes, workloads, services, claims, quotas and the like.
    Watch(Box<WatchArgs>),
    /// Records a watch, to be replayed: what a live run is fed, line by line, without managedFields and without Secrets' data.
    Record(Box<RecordArgs>),
    /// Tells one object's story: what happened to it, what is behind it, and why each event of it is or is not shown.
    ///
    /// Of a workload also the story of its pods. From recordings, or, without any, from the cluster as it is now.
    Explain(Box<ExplainArgs>),
    /// Prints objects, records, groups and incidents as nodes and edges.
    ///
    /// From recordings, or, without any, from the cluster as it is now.
    Graph(Box<GraphArgs>),
    /// Prints the JSON Schema of every record type.
    Schema,
    /// Prints what is known about the reasons of events, one JSON line for each.
    Reasons {
        /// Only this reason.
        reason: Option<String>,
    },
    /// Prints what incidents may be due to, one JSON line for each cause.
    Causes {
        /// Only this cause.
        code: Option<String>,
        /// The causes of this file, too.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        rules: Option<PathBuf>,
    },
    /// Checks a file of rules and causes and runs the examples in it.
    ///
    /// Prints one JSON line for each example. Exits with 1 when an example fails and with 2 when the file is wrong.
    CheckConfig {
        /// The rules.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Prints the completions of a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// Recordings: files, directories (every *.ndjson, *.jsonl, *.json, *.yaml, *.yml, also .gz and .zst), `-` for standard input.
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) inputs: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) output: OutputArgs,

    #[command(flatten)]
    pub(crate) selection: SelectionArgs,

    #[command(flatten)]
    pub(crate) grouping: GroupingArgs,

    /// The moment that "still open" refers to, and before which durations lie; else the newest time in the input.
    #[arg(long, value_name = "TIME", value_parser = values::time, help_heading = "Input")]
    pub(crate) now: Option<Nanos>,

    /// Ends at the first value that cannot be understood, with exit code 1.
    #[arg(long, help_heading = "Input")]
    pub(crate) strict: bool,

    /// Options in YAML by their long names; those on the command line go before.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,

    #[command(flatten)]
    pub(crate) output: OutputArgs,

    #[command(flatten)]
    pub(crate) selection: SelectionArgs,

    #[command(flatten)]
    pub(crate) grouping: GroupingArgs,

    #[command(flatten)]
    pub(crate) run: RunArgs,

    #[command(flatten)]
    pub(crate) rotation: RotationArgs,

    /// Also writes what the run is fed into this file, to be replayed.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Run")]
    pub(crate) record: Option<PathBuf>,

    /// Only one of several processes that share this Lease works at a time; `faro` in the own namespace unless it is named.
    #[arg(
        long,
        value_name = "NAMESPACE/NAME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "faro",
        value_parser = values::lease,
        help_heading = "Run"
    )]
    pub(crate) leader_elect: Option<LeaseName>,

    /// What to watch (`namespaces:`, `resources:`), and options in YAML by their long names; those on the command line go before.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct RecordArgs {
    /// Where to; standard output unless given.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,

    #[command(flatten)]
    pub(crate) selection: WatchedArgs,

    #[command(flatten)]
    pub(crate) run: RunArgs,

    #[command(flatten)]
    pub(crate) rotation: RotationArgs,

    /// What to watch (`namespaces:`, `resources:`), and options in YAML by their long names; those on the command line go before.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// The object: `pod/web-1`, `deployment/web`.
    #[arg(value_name = "KIND/NAME", value_parser = values::object)]
    pub(crate) object: (String, String),

    #[command(flatten)]
    pub(crate) source: SourceArgs,

    #[command(flatten)]
    pub(crate) selection: SelectionArgs,

    #[command(flatten)]
    pub(crate) grouping: GroupingArgs,

    /// Record types that would be printed; the story says what that hides.
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        hide_possible_values = true,
        default_value = "group,incident,gap,summary",
        help_heading = "Output"
    )]
    pub(crate) emit: Vec<Emitted>,

    /// How it is printed; json, but text for `kubectl faro` on a terminal.
    #[arg(short, long, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) output: Option<Format>,
}

#[derive(Args, Debug)]
pub(crate) struct GraphArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,

    #[command(flatten)]
    pub(crate) selection: SelectionArgs,

    #[command(flatten)]
    pub(crate) grouping: GroupingArgs,

    /// Record types that become nodes: object, event, group, incident, or all. Objects themselves always do.
    #[arg(long, value_name = "LIST", value_delimiter = ',', hide_possible_values = true, default_value = "all", help_heading = "Output")]
    pub(crate) emit: Vec<Emitted>,

    /// How it is printed.
    #[arg(short, long, value_name = "FORMAT", default_value = "json", help_heading = "Output")]
    pub(crate) output: GraphFormat,
}

/// The clap command under the name that was typed.
pub(crate) fn command(program: Program) -> clap::Command {
    Cli::command().name(program.name()).bin_name(program.typed())
}

/// Reads the command line and the configuration file that it names.
pub(crate) fn parse(program: Program, args: &[OsString]) -> Result<Cli, Failure> {
    let matches = command(program).try_get_matches_from(args).map_err(|error| told(&error))?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| told(&error))?;
    let file = match &cli.command {
        Command::Replay(args) => &args.config,
        Command::Watch(args) => &args.config,
        Command::Record(args) => &args.config,
        Command::Explain(_)
        | Command::Graph(_)
        | Command::Schema
        | Command::Reasons { .. }
        | Command::Causes { .. }
        | Command::CheckConfig { .. }
        | Command::Completions { .. } => {
            return Ok(cli);
        }
    };
    let (Some(file), Some((name, given))) = (file, matches.subcommand()) else { return Ok(cli) };
    let more = config::read(program, name, file, given)?;
    // Where the subcommand's own arguments begin; nothing can stand before its name but the program.
    let head = args.iter().position(|arg| arg == name).map_or(args.len(), |at| at + 1);
    let all = args[..head].iter().cloned().chain(more).chain(args[head..].iter().cloned());
    let matches = command(program).try_get_matches_from(all).map_err(|error| told(&error))?;
    Cli::from_arg_matches(&matches).map_err(|error| told(&error))
}

/// Lets clap say it: help goes to standard output, errors to standard error.
fn told(error: &clap::Error) -> Failure {
    match error.print() {
        Ok(()) => Failure::Told(u8::try_from(error.exit_code()).unwrap_or(2)),
        Err(error) => Failure::output(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_is_consistent() {
        command(Program::FaroCli).debug_assert();
    }
}

//! The command line.

mod config;
mod values;

pub(crate) use values::{Emitted, LeaseName, Moment};

use crate::failure::Failure;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint};
use faro_core::{Family, GroupBy, Nanos, Severity};
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
#[command(next_help_heading = "Cluster")]
pub(crate) struct ClusterArgs {
    /// Contexts of the kubeconfig, each a cluster to watch; the current one.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) context: Vec<String>,

    /// The kubeconfig; else `$KUBECONFIG`, else `~/.kube/config`, else the pod's service account.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) kubeconfig: Option<PathBuf>,
}

/// What is watched, where nothing is filtered.
#[derive(Args, Debug)]
#[command(next_help_heading = "Selection")]
pub(crate) struct WatchedArgs {
    /// Only these namespaces, and cluster-scoped objects.
    #[arg(short, long, value_name = "NS", value_delimiter = ',')]
    pub(crate) namespace: Vec<String>,

    /// All namespaces, as without `--namespace`.
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,

    /// Collections: `v1/events,v1/pods`.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) gvr: Vec<String>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunArgs {
    /// Goes on where an earlier run with this file stopped: nothing is lost, nothing repeated.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) checkpoint: Option<PathBuf>,

    /// Ends when the initial state was delivered.
    #[arg(long)]
    pub(crate) once: bool,

    /// Ends after this time.
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub(crate) duration: Option<Nanos>,

    /// Serves /livez, /readyz and /metrics: `127.0.0.1:9180`, `:9180`.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Recording")]
pub(crate) struct RotationArgs {
    /// Begins another file when this one has so many bytes: `100M`, `1Gi`.
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub(crate) rotate_size: Option<u64>,

    /// Begins another file when this one is so old.
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub(crate) rotate_age: Option<Nanos>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Record types to print: object, event, group, incident, gap, sync, summary, or all.
    #[arg(long, value_name = "LIST", value_delimiter = ',', hide_possible_values = true, default_value = "group,incident,gap,summary")]
    pub(crate) emit: Vec<Emitted>,

    /// Prints only the last version of each group and incident, at the end, open ones first, worst first.
    #[arg(long = "final")]
    pub(crate) only_final: bool,

    /// How records are printed; json, but text for `kubectl faro` on a terminal.
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Selection")]
pub(crate) struct SelectionArgs {
    /// Records of these namespaces, of Events in `default` those about cluster-scoped objects.
    #[arg(short, long, value_name = "NS", value_delimiter = ',')]
    pub(crate) namespace: Vec<String>,

    /// Records of all namespaces, as without `--namespace`.
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,

    /// Label selector: `app=web,tier!=db,env in (a,b)`.
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,

    /// Field selector: `metadata.name=web-1,involvedObject.kind=Pod`.
    #[arg(long, value_name = "SELECTOR")]
    pub(crate) field_selector: Option<String>,

    /// Objects of these collections: `v1/pods,apps/v1/deployments`.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) gvr: Vec<String>,

    /// Records about one object: `pod/web-1`, `deployment/web`.
    #[arg(long = "for", value_name = "KIND/NAME")]
    pub(crate) for_object: Option<String>,

    /// This severity and above.
    #[arg(long, value_name = "LEVEL", value_parser = values::severity())]
    pub(crate) severity: Option<Severity>,

    /// Event types: Normal, Warning.
    #[arg(long = "type", value_name = "LIST", value_delimiter = ',')]
    pub(crate) types: Vec<String>,

    /// Event reasons: `BackOff,OOMKilling`.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) reason: Vec<String>,

    /// Families of reasons: `crash-loop,image-pull`; `reasons` prints them.
    #[arg(long, value_name = "LIST", value_delimiter = ',', hide_possible_values = true, value_parser = values::family())]
    pub(crate) family: Vec<Family>,

    /// Kinds of objects: `Pod,Node`.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) kind: Vec<String>,

    /// Records for which a CEL expression holds: `count > 10 && reason.startsWith("Failed")`.
    #[arg(long = "where", value_name = "CEL")]
    pub(crate) condition: Option<String>,

    /// What was last seen at this time or later: RFC 3339, or a duration before `--now`.
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    pub(crate) since: Option<Moment>,

    /// What was last seen up to this time: RFC 3339, or a duration before `--now`.
    #[arg(long, value_name = "TIME", value_parser = values::moment)]
    pub(crate) until: Option<Moment>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Grouping")]
pub(crate) struct GroupingArgs {
    /// The longest silence within a group.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = values::duration, allow_hyphen_values = true)]
    pub(crate) window: Nanos,

    /// How long a group that has ended waits for late occurrences.
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = values::duration, allow_hyphen_values = true)]
    pub(crate) lateness: Nanos,

    /// The shortest time between two prints of a group that only grew.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = values::duration, allow_hyphen_values = true)]
    pub(crate) update_interval: Nanos,

    /// What makes events similar besides type, reason and family.
    #[arg(long, value_name = "KEY", default_value = "object", value_parser = values::group_by())]
    pub(crate) group_by: GroupBy,

    /// Severity rules that go before the catalogue; `check-config` checks them.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) rules: Option<PathBuf>,

    /// The cluster's name for records that carry none.
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
}

/// How records are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Format {
    /// JSON Lines.
    Json,
    /// One line for people.
    Text,
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
        Command::Schema | Command::Reasons { .. } | Command::Causes { .. } | Command::CheckConfig { .. } | Command::Completions { .. } => {
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

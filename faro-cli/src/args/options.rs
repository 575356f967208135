//! The options that several commands share.

use super::values::{self, Emitted, Moment};
use clap::{Args, ValueHint};
use faro_core::{Family, GroupBy, Nanos, Severity};
use std::path::PathBuf;

/// Where records come from.
#[derive(Args, Debug)]
pub(crate) struct SourceArgs {
    /// Recordings: files, directories, `-` for standard input; none for the cluster.
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) inputs: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,

    /// The moment that "still open" refers to, and before which durations lie; else the newest time in the input.
    #[arg(long, value_name = "TIME", value_parser = values::time, help_heading = "Input")]
    pub(crate) now: Option<Nanos>,

    /// Ends at the first value that cannot be understood, with exit code 1.
    #[arg(long, help_heading = "Input")]
    pub(crate) strict: bool,
}

/// How a graph is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum GraphFormat {
    /// JSON Lines, a node or an edge each.
    Json,
    /// For Graphviz.
    Dot,
    /// openCypher statements.
    Cypher,
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
    #[arg(long = "for", value_name = "KIND/NAME", value_parser = values::object)]
    pub(crate) for_object: Option<(String, String)>,

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

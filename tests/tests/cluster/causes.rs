//! Faults that really happen on a cluster, each with a label that says what caused it, and what Faro finds.
//!
//! A label is what an engineer who knows the fault would answer. Names are ordinary and of no two cases the same, so that nothing
//! can be tuned to them. The faults of one round happen side by side, each in a namespace of its own, under one watch.

#[path = "causes/admission.rs"]
mod admission;
#[path = "causes/case.rs"]
mod case;
#[path = "causes/configuration.rs"]
mod configuration;
#[path = "causes/kubelet.rs"]
mod kubelet;
#[path = "causes/nodes.rs"]
mod nodes;
#[path = "causes/place.rs"]
mod place;
#[path = "causes/rollouts.rs"]
mod rollouts;
#[path = "causes/routing.rs"]
mod routing;
#[path = "causes/scheduling.rs"]
mod scheduling;
#[path = "causes/storage.rs"]
mod storage;
#[path = "causes/well.rs"]
mod well;

use crate::program::{PATIENCE, Program};
use case::{Case, Watched};
use faro_tests::control_plane::{ControlPlane, Setup};
use place::Place;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How often is looked at what was found so far.
const LOOK: Duration = Duration::from_millis(250);

/// What was right once has to be right so much later, too.
const LASTING: Duration = Duration::from_secs(4);

#[test]
fn the_cause_of_each_labelled_fault_is_found_and_what_is_well_is_left_alone() {
    let setup = Setup::new().nodes(3).node_grace(Duration::from_secs(4));
    let Some(cluster) = setup.start_or_skip() else { return };
    scheduling::add_tainted_node(&cluster);
    let cases = [scheduling::CASES, admission::CASES, storage::CASES, configuration::CASES, rollouts::CASES, routing::CASES];
    let mut wrong = round(&cluster, &cases.concat());
    nodes::add_nodes(&cluster);
    wrong.extend(round(&cluster, nodes::CASES));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Makes the cases happen under a watch, prints what was found, and returns what is not as its label says.
fn round(cluster: &ControlPlane, cases: &[Case]) -> Vec<String> {
    let well = Place::new(cluster, "intranet");
    well::begin(&well);
    let places: Vec<Place<'_>> = cases.iter().map(|case| Place::new(cluster, case.namespace)).collect();
    cases.iter().zip(&places).for_each(|(case, place)| (case.before)(place));
    let mut program = watch(cluster);
    let mut watched: Vec<Watched<'_>> = Vec::new();
    for (case, place) in cases.iter().zip(&places) {
        (case.happens)(place);
        watched.push(Watched::new(case, &place.namespace));
    }
    well::goes_on(&well);
    let mut wrong = judge("as it happened", &mut program, &mut watched, &well);
    // Who comes after the fact sees states and Events, and no change.
    let mut afterwards: Vec<Watched<'_>> = watched.iter().map(Watched::afterwards).collect();
    wrong.extend(judge("after the fact", &mut watch(cluster), &mut afterwards, &well));
    wrong
}

/// Watches what is watched when nothing is said.
fn watch(cluster: &ControlPlane) -> Program {
    let collections = ["v1/pods", "v1/events", "v1/nodes", "v1/services", "apps/v1/deployments", "apps/v1/replicasets", "v1/configmaps"];
    let mut program = Program::start(cluster.kubeconfig(), &["watch", "--emit", "incident,gap,sync"]);
    program.wait_for_sync(&collections);
    program
}

/// Reads until all that was found is right, and stays so.
fn judge(when: &str, program: &mut Program, watched: &mut [Watched<'_>], well: &Place<'_>) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    let mut right_since: Option<Instant> = None;
    while Instant::now() < deadline && right_since.is_none_or(|since| since.elapsed() < LASTING) {
        program.read_for(LOOK);
        let open = case::open(&program.records);
        let wrong = watched.iter_mut().filter_map(|one| (!one.look(&open)).then_some(())).count();
        right_since = (wrong == 0).then(|| right_since.unwrap_or_else(Instant::now));
    }
    let open = case::open(&program.records);
    show(when, watched, &open);
    let mut wrong: Vec<String> = watched.iter().filter_map(|one| one.wrong(&open)).collect();
    // Not even for a moment.
    let all: Vec<&Value> = program.records.iter().filter(|record| record["record"] == "incident").collect();
    wrong.extend(case::at(&all, &well.namespace).map(|incident| format!("what is well is blamed: {incident:#}")));
    let ended = program.stop();
    assert!(ended.success(), "{ended}: {}", program.stderr());
    wrong
}

/// Prints a table of what was found.
#[expect(clippy::print_stdout, reason = "for people who ask what was found, with --nocapture")]
fn show(when: &str, watched: &[Watched<'_>], open: &[&Value]) {
    println!("{when}\n{}", case::HEADING);
    watched.iter().for_each(|one| println!("{}", one.row(open)));
}

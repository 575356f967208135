//! What an end leaves behind: of a run that is asked to stop, that is killed, and of two runs at once.

use crate::program::{Background, PATIENCE, Program};
use crate::truth::{Difference, Identity, Truth, believed, compare, printed, scaled, whole_lines};
use faro_tests::control_plane::{ControlPlane, within};
use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::path::Path;
use std::time::{Duration, Instant};

/// The time between two checkpoints.
const INTERVAL: Duration = Duration::from_secs(1);

const ARGUMENTS: [&str; 5] = ["watch", "--gvr", "v1/configmaps", "--emit", "object,sync,gap,summary"];

/// Starts it with a checkpoint and its output appended to a file.
fn append(kubeconfig: &Path, namespace: &str, checkpoint: &Path, output: &Path) -> Background {
    let arguments = [&ARGUMENTS[..], &["-n", namespace, "--checkpoint", checkpoint.to_str().unwrap()]].concat();
    let output = OpenOptions::new().create(true).append(true).open(output).unwrap();
    Background::spawn(&mut Program::command(kubeconfig, &arguments), output)
}

#[test]
fn w27_kill_9_at_random_moments_loses_nothing_and_repeats_an_interval_at_most() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w27");
    let directory = tempfile::tempdir().unwrap();
    let (checkpoint, output) = (directory.path().join("checkpoint"), directory.path().join("records.jsonl"));
    let (kills, changes) = (scaled(50, 50), scaled(2_000, 10_000));

    // Random moments, the same in every run: between a tenth of a second and two seconds after each start.
    let mut dice = 27_u64;
    let mut lifetime = move || {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis(100 + (dice >> 33) % if changes > 2_000 { 3_000 } else { 1_400 })
    };
    let lifetimes: Vec<Duration> = (0..kills).map(|_| lifetime()).collect();
    let pace = lifetimes.iter().sum::<Duration>() / u32::try_from(changes).unwrap();

    let mut truth = Truth::new(&cluster, &namespace, 27);
    let begun = Instant::now();
    let (mut sizes, mut rates) = (Vec::new(), Vec::new());
    let mut number = 0_u32;
    for lifetime in &lifetimes {
        let child = append(cluster.kubeconfig(), &namespace, &checkpoint, &output);
        let born = Instant::now();
        let before = truth.happened.len();
        while born.elapsed() < *lifetime {
            if truth.happened.len() < changes {
                truth.change();
                number += 1;
                std::thread::sleep((pace * number).saturating_sub(begun.elapsed()).min(lifetime.saturating_sub(born.elapsed())));
            } else {
                std::thread::sleep(lifetime.saturating_sub(born.elapsed()));
            }
        }
        // With signal 9.
        drop(child);
        rates.push((truth.happened.len() - before) as f64 / lifetime.as_secs_f64());
        sizes.push(std::fs::metadata(&output).unwrap().len());
    }
    while truth.happened.len() < changes {
        truth.change();
    }
    // The last run ends in order.
    let child = append(cluster.kubeconfig(), &namespace, &checkpoint, &output);
    within(PATIENCE, || truth.is_in(&whole_lines(&output).0).then_some(()));
    assert_eq!(child.stop(), Some(0));

    let (records, torn) = whole_lines(&output);
    let difference = compare(&truth.happened, &records);
    let per_run = repeats(&output, &sizes);
    let fastest = rates.iter().copied().fold(0.0, f64::max);
    eprintln!(
        "w27: {} changes, {kills} kills, {torn} torn lines, {difference:?}; repeats of a run: at most {}, in all {}; {fastest:.0} changes/s at most",
        truth.happened.len(),
        per_run.iter().max().unwrap(),
        per_run.iter().sum::<usize>(),
    );
    let Difference { lost, made_up, disordered, repeated } = difference;
    assert_eq!((lost, made_up, disordered), (0, 0, 0));
    assert_eq!(believed(&records), truth.state());
    assert!(torn <= kills);
    assert!(records.iter().all(|record| record["record"] != "gap"));
    // Killed runs repeat, else there was nothing to see here.
    // Most are killed sooner, so that all together repeat less than an interval for each.
    let mean = changes as f64 / lifetimes.iter().sum::<Duration>().as_secs_f64();
    assert!(repeated > 0 && repeated as f64 <= kills as f64 * INTERVAL.as_secs_f64() * mean * 0.75, "{repeated}");
    assert!(per_run.iter().all(|repeats| *repeats <= most(fastest)), "{per_run:?}");
}

/// What one flush interval holds, and as much again: on a busy machine a checkpoint takes its time, and so does the kill.
fn most(rate: f64) -> usize {
    (2.0 * INTERVAL.as_secs_f64() * rate).ceil() as usize
}

/// How many records of each run were in the file before that run.
fn repeats(output: &Path, sizes: &[u64]) -> Vec<usize> {
    let bytes = std::fs::read(output).unwrap();
    let mut ends: Vec<usize> = sizes.iter().map(|size| usize::try_from(*size).unwrap()).collect();
    ends.push(bytes.len());
    let (mut seen, mut begin, mut counts) = (BTreeSet::<Identity>::new(), 0, Vec::new());
    for end in ends {
        let run: Vec<_> = bytes[begin..end].split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        let identities = printed(&run);
        counts.push(identities.iter().filter(|identity| seen.contains(*identity)).count());
        seen.extend(identities);
        begin = end;
    }
    counts
}

#[test]
fn w28_two_processes_at_once_can_be_merged_by_identity() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w28");
    let arguments = [&ARGUMENTS[..], &["-n", &namespace]].concat();
    let mut truth = Truth::new(&cluster, &namespace, 28);
    (0..50).for_each(|_| truth.change());
    // The second one begins in the middle, so that what is new to one is known to the other.
    let mut programs = vec![Program::start(cluster.kubeconfig(), &arguments)];
    programs[0].wait_for_sync(&["v1/configmaps"]);
    (0..50).for_each(|_| truth.change());
    programs.push(Program::start(cluster.kubeconfig(), &arguments));
    programs[1].wait_for_sync(&["v1/configmaps"]);
    let together = truth.happened.len();
    (0..200).for_each(|_| truth.change());
    let last: BTreeSet<Identity> = truth.happened[together..].iter().cloned().collect();
    let mut merged: Vec<BTreeSet<Identity>> = Vec::new();
    for program in &mut programs {
        while !last.is_subset(&printed(&program.records).into_iter().collect()) {
            program.wait_for("another change", |record| record["record"] == "object");
        }
        assert!(program.stop().success());
        merged.push(printed(&program.records).into_iter().collect());
        assert_eq!(compare(&truth.happened, &program.records).repeated, 0);
    }
    // What both saw has the same identity in both, and together they tell what happened since the first one began.
    assert!(last.is_subset(&merged[0]) && last.is_subset(&merged[1]));
    assert!(
        merged[1].iter().filter(|one| !merged[0].contains(*one)).count() == 0,
        "the second one tells of things that the first one missed"
    );
    let both: Vec<_> = programs.iter().flat_map(|program| program.records.iter().cloned()).collect();
    let Difference { repeated, made_up, disordered, .. } = compare(&truth.happened, &both);
    assert_eq!((made_up, disordered), (0, 0));
    assert_eq!(repeated, merged[1].len());
    assert_eq!(believed(&both[..programs[0].records.len()]), truth.state());
    assert_eq!(believed(&both[programs[0].records.len()..]), truth.state());
}

#[test]
fn w19_sigterm_amid_5000_creates_ends_in_order_and_a_second_signal_at_once() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("w19");
    let directory = tempfile::tempdir().unwrap();
    let (checkpoint, output) = (directory.path().join("checkpoint"), directory.path().join("records.jsonl"));
    let child = append(cluster.kubeconfig(), &namespace, &checkpoint, &output);
    within(PATIENCE, || whole_lines(&output).0.iter().any(|record| record["record"] == "sync").then_some(())).unwrap();

    let creators: Vec<_> = (0..4)
        .map(|number| {
            let mut truth = Truth::new(&cluster, &namespace, 190 + number);
            std::thread::spawn(move || {
                (0..1_250).for_each(|_| truth.create());
                truth.happened
            })
        })
        .collect();
    let size = || std::fs::metadata(&output).unwrap().len();
    within(PATIENCE, || (size() > 200_000).then_some(())).unwrap();
    assert_eq!(child.stop(), Some(0));
    let (records, torn) = whole_lines(&output);
    assert!(creators.iter().any(|creator| !creator.is_finished()), "the creates were over before the signal came");
    assert_eq!((torn, &records.last().unwrap()["record"]), (0, &"summary".into()));
    assert!(std::fs::read(&output).unwrap().ends_with(b"\n"));
    let happened: Vec<Identity> = creators.into_iter().flat_map(|creator| creator.join().unwrap()).collect();
    assert_eq!(happened.len(), 5_000);
    let before = printed(&records).len();
    assert!(before > 0 && before < 5_000, "{before}");

    // Where it says that it stood, everything was out: the next run prints the others, and none twice.
    let child = append(cluster.kubeconfig(), &namespace, &checkpoint, &output);
    within(PATIENCE, || (printed(&whole_lines(&output).0).len() >= 5_000).then_some(())).unwrap();
    assert_eq!(child.stop(), Some(0));
    assert_eq!(compare(&happened, &whole_lines(&output).0), Difference::default());

    // Nobody reads, so that the end in order has to wait; the second signal does not.
    let mut program = Program::start(cluster.kubeconfig(), &[&ARGUMENTS[..], &["-n", &namespace]].concat());
    program.hold(true);
    // Its pipe is full when it waits to write.
    let is_waiting = || std::fs::read_to_string(format!("/proc/{}/wchan", program.id())).is_ok_and(|place| place.contains("pipe"));
    within(Duration::from_secs(5), || is_waiting().then_some(()));
    program.signal("TERM");
    program.read_for(Duration::from_millis(300));
    assert!(program.is_running(), "it did not wait for its reader");
    let asked = Instant::now();
    program.signal("TERM");
    let ended = within(PATIENCE, || (!program.is_running()).then_some(()));
    assert!(ended.is_some() && asked.elapsed() < Duration::from_secs(2), "after {:?}", asked.elapsed());
    program.hold(false);
    assert_eq!(program.wait().code(), Some(128 + 15));
}

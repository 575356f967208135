//! The timeline of the night.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::api::{Manager, Part, Resource, seconds};
use super::cluster::{build, edit_config, heartbeat};
use super::controllers::{NOWHERE, resource_of};
use super::inventory::{CUT_OFF, Controller, NODES, SOUND, WORKLOADS, Workload};
use super::kubelet::{Crash, MISSING_TAG, time_to_failures};
use super::night::Night;
use crate::correlator::{EventType, ObjectRef};

/// The sandbox failures that the recording shows.
pub(super) const SANDBOX_FAILURES: u32 = 566;

/// The most failures that the last blocked pod shows: a recorder's first 25 writes about an object are free.
const FAILURES_OF_LAST: u32 = 24;

/// When the recording starts: 2025-09-12T21:00:00Z.
pub(super) const START: DateTime<Utc> = clock(21, 0, 0);

/// When the recording ends: 2025-09-12T23:10:00Z.
pub(super) const END: DateTime<Utc> = clock(23, 10, 0);

/// From a scaling decision to the kubelet of the new pod.
const SCALE_TO_KUBELET: TimeDelta = TimeDelta::milliseconds(60 + 45 + 210);

/// Returns a time of the night of 12 September 2025, UTC.
const fn clock(hour: u32, minute: u32, second: u32) -> DateTime<Utc> {
    const MIDNIGHT: i64 = 1_757_635_200;
    match DateTime::from_timestamp(MIDNIGHT + (hour * 3_600 + minute * 60 + second) as i64, 0) {
        Some(time) => time,
        None => DateTime::UNIX_EPOCH,
    }
}

/// Plays the night and returns it with its recording.
///
/// The last blocked pod comes at the moment that makes the sandbox failures [`SANDBOX_FAILURES`], so the night is rehearsed
/// without it to count. It must show each of its failures, so a night that leaves it too many or none is rehearsed anew.
pub(super) fn play(seed: u64) -> Night {
    const LAST: &str = "notifications/mailer";
    let mut pauses = seed;
    loop {
        let rehearsal = play_with(seed, pauses, None);
        let failures = SANDBOX_FAILURES.checked_sub(rehearsal.sandbox_failures);
        if let Some(failures) = failures.filter(|failures| (1..=FAILURES_OF_LAST).contains(failures)) {
            let pod = rehearsal.fleets[LAST].pods_made + 1;
            let newest = END - TimeDelta::milliseconds(400);
            let scaled = newest - time_to_failures(pauses, LAST, pod, failures) - SCALE_TO_KUBELET;
            return play_with(seed, pauses, Some(scaled));
        }
        pauses = pauses.wrapping_add(1);
    }
}

fn play_with(seed: u64, pauses: u64, last_pod: Option<DateTime<Utc>>) -> Night {
    let mut night = Night::new(seed, clock(0, 0, 0) - TimeDelta::days(101));
    night.pauses = pauses;
    build(&mut night);
    night.now = clock(19, 55, 0);
    routine(&mut night);
    noise(&mut night);
    outage(&mut night, last_pod);
    night.run_until(START);
    night.start_recording();
    night.run_until(END);
    night
}

fn workload(key: &str) -> &'static Workload {
    WORKLOADS.iter().find(|workload| workload.key() == key).unwrap_or_else(|| panic!("no workload `{key}`"))
}

/// What every night brings: heartbeats, series, the CronJob, metrics, leaders.
fn routine(night: &mut Night) {
    let minutes = TimeDelta::minutes;
    night.every(clock(19, 56, 1), minutes(30), Night::refresh_series);
    night.every(clock(19, 56, 2), minutes(6), Night::finish_series);
    for (index, node) in (0_u32..).zip(NODES) {
        let mut time = clock(20, 55, 7 + 9 * index) + TimeDelta::seconds(43 * i64::from(index));
        while time < clock(23, 10, 0) {
            // The node under disk pressure writes its own heartbeats meanwhile.
            let pressure = node == "worker-4" && time > clock(22, 31, 0) && time < clock(22, 39, 0);
            if !pressure {
                night.at(time, move |night| heartbeat(night, node, None));
            }
            time += TimeDelta::milliseconds(300_000 + night.dice.between(50, 900));
        }
    }
    for run in 0..20_u32 {
        let time = clock(20, 0, 0) + TimeDelta::minutes(10 * i64::from(run)) + TimeDelta::milliseconds(150);
        let node = match (run / 6 + 20, run % 6 * 10) {
            (22, 0 | 50) => CUT_OFF[0],
            (22, 20) => CUT_OFF[1],
            (22, 30) => CUT_OFF[2],
            _ => SOUND[usize::from(run % 2 == 0)],
        };
        night.at(time, move |night| night.run_job("ops/inventory-sync", node));
    }
    for key in ["shop/web", "notifications/mailer"] {
        night.every_measure(clock(20, 58, 31), workload(key));
    }
    night.at(clock(21, 31, 12), |night| {
        let lease = ObjectRef {
            kind: "Lease".to_owned(),
            namespace: "kube-system".to_owned(),
            name: "kube-controller-manager".to_owned(),
            uid: night.dice.uuid(),
            api_version: "coordination.k8s.io/v1".to_owned(),
            resource_version: "48214377".to_owned(),
            field_path: String::new(),
        };
        let message = format!("cp-1_{} became leader", night.dice.uuid());
        night.report(("kube-controller-manager", ""), lease, EventType::Normal, "LeaderElection", message);
    });
}

impl Night {
    /// Writes the measured load into an autoscaler's status every few minutes.
    fn every_measure(&mut self, first: DateTime<Utc>, workload: &'static Workload) {
        self.at(first, move |night| {
            let load = night.dice.between(31, 74);
            let (now, manager) = (night.now, Manager("kube-controller-manager", Part::Status));
            night.api.update(Resource::Autoscalers, manager, workload.namespace, workload.name, now, |object| {
                let current = json!({"averageUtilization": load, "averageValue": format!("{load}m")});
                object["status"]["currentMetrics"] = json!([{"type": "Resource", "resource": {"name": "cpu", "current": current}}]);
            });
            let next = now + TimeDelta::milliseconds(night.dice.between(200_000, 400_000));
            night.every_measure(next, workload);
        });
    }
}

/// Troubles that have nothing to do with the outage, and everyday changes.
fn noise(night: &mut Night) {
    night.at(clock(20, 22, 9), |night| {
        let crash = Crash { runs_millis: 3_700, exit_code: 1, reason: "Error", message: "", probe: "" };
        crash_first(night, "payments/fraud-check", crash);
    });
    night.at(clock(22, 8, 41), |night| {
        let crash = Crash { runs_millis: 21_400, exit_code: 137, reason: "OOMKilled", message: "", probe: "" };
        crash_first(night, "identity/directory-sync", crash);
    });
    night.at(clock(20, 41, 18), |night| grow(night, "media/transcoder", 2, &[NOWHERE]));
    night.at(clock(22, 20, 33), |night| grow(night, "edge/rate-limiter", 3, &[NOWHERE]));
    night.at(clock(22, 52, 5), |night| grow(night, "edge/rate-limiter", 2, &[]));
    night.at(clock(20, 47, 2), |night| {
        night.roll_out("media/thumbnailer", "registry.example.net/media/thumbnailer:2.3.0", &[]);
    });
    night.at(clock(21, 4, 46), |night| {
        let nodes = ["worker-5", "worker-1"];
        night.roll_out("shop/recommender", "registry.example.net/shop/recommender:0.45.0", &nodes);
    });
    night.at(clock(21, 28, 13), |night| {
        let nodes = ["worker-2", "worker-4", "worker-3"];
        night.roll_out("shop/checkout", "registry.example.net/shop/checkout:1.91.0", &nodes);
    });
    night.at(clock(22, 41, 49), |night| {
        night.roll_out("monitoring/dashboards", "registry.example.net/platform/dashboards:12.1.1", &[]);
    });
    night.at(clock(22, 11, 2), |night| {
        night.roll_out("media/thumbnailer", "registry.example.net/media/thumbnailer:2.3.1", &[]);
    });
    night.at(clock(21, 12, 20), |night| {
        let nodes = ["worker-3", "worker-5", "worker-1", "worker-2"];
        night.roll_out("shop/catalog", "registry.example.net/shop/catalog:7.2.4", &nodes);
    });
    night.at(clock(21, 20, 10), |night| {
        night.roll_out("ops/report-ui", &format!("registry.example.net/ops/report-ui{MISSING_TAG}"), &["worker-1"]);
    });
    night.at(clock(21, 41, 37), |night| {
        night.roll_out("ops/report-ui", workload("ops/report-ui").image, &[]);
    });
    night.at(clock(21, 36, 4), |night| {
        edit_config(night, "kubectl-edit", "shop", "checkout", "app.yaml", "name: checkout\nlogLevel: debug\n");
    });
    for time in [clock(20, 31, 3), clock(20, 33, 23), clock(22, 12, 44)] {
        // The Event of the first two has expired when the third comes: the recorder makes it anew, with the next count.
        night.at(time, |night| probe_fails(night, "monitoring/prometheus", 1));
    }
    let mut time = clock(20, 4, 0);
    let noisy = ["shop/recommender", "edge/gateway", "monitoring/dashboards", "kube-system/metrics-server", "shop/checkout"];
    while time < clock(23, 8, 0) {
        time += TimeDelta::milliseconds(night.dice.between(60_000, 300_000));
        let key = noisy[usize::try_from(night.dice.below(5)).unwrap_or(0)];
        let times = night.dice.between(1, 4);
        night.at(time, move |night| probe_fails(night, key, times));
    }
    disk_pressure(night);
    for time in [clock(21, 24, 50), clock(22, 27, 16)] {
        night.at(time, old_producers);
    }
}

fn crash_first(night: &mut Night, key: &str, crash: Crash) {
    if let Some((id, _)) = night.pods_of(workload(key)).into_iter().next() {
        night.crash_after_run(id, crash);
    }
}

/// Changes the number of replicas by hand.
fn grow(night: &mut Night, key: &str, replicas: usize, placement: &[&'static str]) {
    let workload = workload(key);
    if let Some(fleet) = night.fleets.get_mut(key) {
        fleet.desired = replicas;
        fleet.placement = placement.iter().copied().collect();
    }
    let manager = Manager("kubectl", Part::Whole);
    night.api.update(resource_of(workload.controller), manager, workload.namespace, workload.name, night.now, |object| {
        object["spec"]["replicas"] = json!(replicas);
    });
    night.settle(key);
}

fn probe_fails(night: &mut Night, key: &str, times: i64) {
    let workload = workload(key);
    let pods: Vec<_> = night.pods_of(workload).into_iter().filter(|(_, pod)| pod.ready).collect();
    let pick = usize::try_from(night.dice.below(pods.len() as u64)).unwrap_or(0);
    let Some((id, pod)) = pods.get(pick) else { return };
    let ip = pod.ip.clone().unwrap_or_default();
    let message = if times % 2 == 0 {
        "Readiness probe failed: HTTP probe failed with statuscode: 503".to_owned()
    } else {
        format!(
            "Readiness probe failed: Get \"http://{ip}:{}/ready\": context deadline exceeded (Client.Timeout exceeded while \
             awaiting headers)",
            workload.port
        )
    };
    night.fail_readiness(id, times, &message);
}

/// A node that runs short of disk for a few minutes.
fn disk_pressure(night: &mut Night) {
    const NODE: &str = "worker-4";
    // The kubelet gives its own node's name for a uid.
    let node = || ObjectRef { kind: "Node".to_owned(), name: NODE.to_owned(), uid: NODE.to_owned(), ..ObjectRef::default() };
    let kubelet = ("kubelet", NODE);
    let since = clock(22, 31, 27);
    night.at(since, move |night| {
        let message = "Attempting to reclaim ephemeral-storage";
        night.report(kubelet, node(), EventType::Warning, "EvictionThresholdMet", message);
        let message = format!("Node {NODE} status is now: NodeHasDiskPressure");
        night.report(kubelet, node(), EventType::Normal, "NodeHasDiskPressure", message);
        heartbeat(night, NODE, Some(since));
    });
    night.at(clock(22, 37, 12), move |night| {
        let message = format!("Node {NODE} status is now: NodeHasNoDiskPressure");
        night.report(kubelet, node(), EventType::Normal, "NodeHasNoDiskPressure", message);
        heartbeat(night, NODE, None);
    });
}

/// Events as old or careless producers write them: no times, no count, no uid.
fn old_producers(night: &mut Night) {
    let suffix = night.dice.suffix(10);
    let zero = "0001-01-01T00:00:00Z";
    let body = json!({
        "involvedObject": {"kind": "ConfigMap", "namespace": "ops", "name": "inventory-sync"},
        "reason": "ConfigReloaded",
        "message": "configuration reloaded",
        "source": {"component": "config-reloader"},
        "firstTimestamp": zero,
        "lastTimestamp": zero,
        "count": 0,
        "type": "Normal",
        "eventTime": null,
        "reportingComponent": "",
        "reportingInstance": "",
    });
    night.put_event("ops", &format!("config-reloader-{suffix}"), "config-reloader", 1, body);
    let now = seconds(night.now);
    let body = json!({
        "involvedObject": {"kind": "Node", "name": "worker-1"},
        "reason": "ClockSynchronized",
        "message": "clock offset is 0.4 ms",
        "source": {"component": "time-sync", "host": "worker-1"},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "type": "Normal",
        "eventTime": null,
        "reportingComponent": "",
        "reportingInstance": "",
    });
    night.put_event("default", &format!("worker-1.{suffix}"), "time-sync", 1, body);
}

/// The Cilium upgrade that takes the agents of three nodes down, and everything that then cannot start.
fn outage(night: &mut Night, last_pod: Option<DateTime<Utc>>) {
    night.at(clock(21, 46, 51), |night| {
        edit_config(night, "helm", "kube-system", "cilium-config", "kube-proxy-replacement", "partial");
    });
    night.at(clock(21, 46, 52), |night| roll_daemons(night, "kube-system/cilium", "quay.io/cilium/cilium:v1.18.1"));
    night.at(clock(21, 46, 54), |night| night.cut_off = CUT_OFF.to_vec());

    night.at(clock(21, 53, 40) + TimeDelta::milliseconds(600), |night| {
        night.roll_out("shop/cart", "registry.example.net/shop/cart:4.12.0", &["worker-3", "worker-5"]);
    });
    night.at(clock(22, 6, 40), |night| night.roll_out("shop/cart", workload("shop/cart").image, &[]));
    night.at(clock(22, 2, 15), |night| {
        night.scale("shop/web", 7, "cpu resource utilization (percentage of request) above target", &CUT_OFF);
    });
    night.at(clock(22, 15, 5), |night| night.scale("shop/web", 4, "All metrics below target", &[]));
    night.at(clock(22, 8, 20), |night| {
        set_image(night, "data/search", "registry.example.net/data/search:8.19.4");
        night.replace_pod(&("data".to_owned(), "search-2".to_owned()));
    });
    night.at(clock(22, 36, 12), |night| {
        night.roll_out("payments/ledger", "registry.example.net/payments/ledger:5.1.0", &["worker-2", "worker-5"]);
    });
    night.at(clock(22, 44, 3), |night| {
        night.roll_out("edge/gateway", "registry.example.net/edge/gateway:1.35.1", &["worker-3", "worker-2"]);
    });
    night.at(clock(22, 51, 10), |night| {
        let why = "external metric queue_messages_ready(nil) above target";
        night.scale("notifications/mailer", 4, why, &["worker-5"]);
    });
    night.at(clock(22, 51, 56), |night| {
        night.roll_out("identity/session-api", "registry.example.net/identity/session-api:3.18.0", &["worker-2", "worker-3"]);
    });
    night.at(clock(22, 55, 15), |night| {
        let why = "cpu resource utilization (percentage of request) above target";
        night.scale("shop/web", 6, why, &["worker-3", "worker-5"]);
    });
    night.at(clock(22, 56, 7), |night| {
        roll_daemons(night, "monitoring/log-agent", "registry.example.net/platform/log-agent:3.9.0");
    });
    if let Some(time) = last_pod {
        night.at(time, |night| {
            let why = "external metric queue_messages_ready(nil) above target";
            night.scale("notifications/mailer", 5, why, &["worker-2"]);
        });
    }
}

fn set_image(night: &mut Night, key: &str, image: &str) {
    let workload = workload(key);
    if let Some(fleet) = night.fleets.get_mut(key) {
        image.clone_into(&mut fleet.image);
    }
    let resource = resource_of(workload.controller);
    let manager = if workload.controller == Controller::DaemonSet { "helm" } else { "kubectl-set" };
    let manager = Manager(manager, Part::Whole);
    night.api.update(resource, manager, workload.namespace, workload.name, night.now, |object| {
        object["metadata"]["generation"] = json!(2);
        object["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
    });
}

/// Rolls a DaemonSet: half of its pods may be unavailable, and these never come back, so the rollout ends there.
fn roll_daemons(night: &mut Night, key: &'static str, image: &str) {
    set_image(night, key, image);
    for (index, node) in (1_i64..).zip(CUT_OFF) {
        night.after(90 * index, move |night| {
            let pods = night.pods_of(workload(key));
            if let Some((id, _)) = pods.iter().find(|(_, pod)| pod.node == node) {
                night.replace_pod(id);
            }
        });
    }
}

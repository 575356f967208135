//! Several processes, one of which works.

use crate::probe::Probe;
use crate::program::Program;
use faro_tests::control_plane::{Api, ControlPlane, Patch, Setup, eventually};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const CONFIGMAPS: &str = "/api/v1/namespaces/default/configmaps";
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/faro";

/// A candidate, as the manifests start it.
fn candidate(cluster: &ControlPlane, probe: &Probe) -> Program {
    let arguments = [
        "watch",
        &probe.listen(),
        "--leader-elect=kube-system/faro",
        "--checkpoint=configmap/kube-system/faro-checkpoint",
        "--gvr=v1/configmaps",
        "--namespace=default",
        "--emit=object,sync,gap",
    ];
    Program::start(cluster.kubeconfig(), &arguments)
}

fn leads(probe: &Probe) -> bool {
    probe.samples("faro_leader").values().any(|value| *value == 1.0)
}

fn holder(api: &Api) -> String {
    api.read(LEASE).unwrap()["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
}

/// Who, in which version.
fn identities(records: &[Value]) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let objects = records.iter().filter(|record| record["record"] == "object");
    objects.map(|record| (text(&record["name"]), text(&record["resourceVersion"]))).collect()
}

#[test]
fn killed_leader_is_followed_and_nothing_is_lost() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    let api = cluster.api();
    let (one, two) = (Probe::new(), Probe::new());
    let mut first = candidate(&cluster, &one);
    eventually("the first leads", || (one.get("/readyz") == Some((200, "ok\n".to_owned())) && leads(&one)).then_some(()));
    let mut second = candidate(&cluster, &two);
    let said = two.wait("/readyz", 200, "standby: `");
    assert!(said.contains("leads, by Lease `kube-system/faro`"), "{said}");
    assert!(!leads(&two) && two.samples("faro_watch_ready").is_empty());
    eventually("a checkpoint", || api.read("/api/v1/namespaces/kube-system/configmaps/faro-checkpoint").ok());

    let (ended, mut written) = (AtomicBool::new(false), BTreeSet::new());
    let mut took = Duration::ZERO;
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut written = BTreeSet::new();
            for number in 0.. {
                let name = format!("cm-{number}");
                let created = api.create(CONFIGMAPS, &json!({"metadata": {"name": name}})).unwrap();
                let change = json!({"data": {"number": number.to_string()}});
                let patched = api.patch(&format!("{CONFIGMAPS}/{name}"), Patch::Merge, &change).unwrap();
                for object in [created, patched] {
                    written.insert((name.clone(), object["metadata"]["resourceVersion"].as_str().unwrap().to_owned()));
                }
                if ended.load(Ordering::Relaxed) {
                    return written;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            written
        });
        first.wait_for("an object while it leads", |record| record["name"] == "cm-50");
        let before = holder(api);
        first.signal("KILL");
        let killed = Instant::now();
        eventually("the second leads", || leads(&two).then_some(()));
        took = killed.elapsed();
        two.wait("/readyz", 200, "ok\n");
        assert_ne!(holder(api), before);
        second.read_for(Duration::from_secs(1));
        ended.store(true, Ordering::Relaxed);
        written = writer.join().unwrap();
    });
    first.wait();
    // The duration of the Lease, the time until it is looked at again, and what a busy machine adds.
    assert!(took < Duration::from_secs(15 + 2 + 3), "{took:?}");
    let (last, _) = written.iter().next_back().unwrap().clone();
    let count = written.len();
    eventually("everything is printed", || {
        second.read_for(Duration::from_millis(100));
        let printed: BTreeSet<_> = identities(&first.records).union(&identities(&second.records)).cloned().collect();
        written.is_subset(&printed).then_some(())
    });
    assert!(second.records.iter().all(|record| record["record"] != "gap"));
    let again = identities(&first.records).intersection(&identities(&second.records)).count();
    eprintln!("{count} changes up to {last}, taken over after {took:?}, {again} printed by both");

    // SIGTERM gives the Lease back: nobody waits for it to expire.
    let three = Probe::new();
    let mut third = candidate(&cluster, &three);
    three.wait("/readyz", 200, "standby: `");
    let asked = Instant::now();
    assert!(second.stop().success());
    eventually("the third leads", || leads(&three).then_some(()));
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
    eprintln!("handed over after {took:?}");
    three.wait("/readyz", 200, "ok\n");
    api.create(CONFIGMAPS, &json!({"metadata": {"name": "last"}})).unwrap();
    third.wait_for("the last one", |record| record["name"] == "last");
    // It went on where the second one stopped.
    assert!(identities(&third.records).is_disjoint(&written));
    assert!(third.stop().success());
    assert_eq!(holder(api), "");
}

#[test]
fn leader_whose_lease_is_taken_ends_with_one_line() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    let probe = Probe::new();
    let mut program = candidate(&cluster, &probe);
    eventually("it leads", || leads(&probe).then_some(()));
    program.wait_for_sync(&["v1/configmaps"]);
    // An update of ours may come between a person's two steps; a merge patch has none.
    cluster.api().patch(LEASE, Patch::Merge, &json!({"spec": {"holderIdentity": "somebody"}})).unwrap();
    let ended = program.wait();
    assert_eq!(ended.code(), Some(1), "{}", program.stderr());
    assert_eq!(program.stderr(), "faro-cli: error: Lease `kube-system/faro` is lost: `somebody` holds it\n");
    assert_eq!(holder(cluster.api()), "somebody");
}

#[test]
fn standby_without_the_right_says_which_and_ends_when_asked() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let namespace = cluster.namespace("lease");
    let account = cluster.account(&namespace, "candidate").unwrap();
    let probe = Probe::new();
    let mut program = Program::start(account.kubeconfig(), &["watch", &probe.listen(), "--leader-elect"]);
    let said = probe.wait("/readyz", 503, &format!("Lease `{namespace}/faro`: 403 Forbidden"));
    let rule = r#"add the rule {apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get", "create", "update"]}"#;
    assert!(said.contains(rule), "{said}");
    assert_eq!(said.lines().count(), 1);
    assert!(program.stop().success());
}

//! New versions that do not come up.

use super::case::Case;
use super::place::{Place, image, is_of};
use serde_json::{Value, json};

/// What has to be said before a pod of it counts as ready.
const GATE: &str = "target-health.example.com/registered";

pub(super) const CASES: &[Case] = &[
    Case {
        name: "rollout past its deadline",
        namespace: "booking",
        category: "rollout",
        codes: &["rollout-stuck"],
        root: ("Deployment", "reservations"),
        before: reservations_run,
        happens: rolls_out_pods_that_nobody_registers,
    },
    Case {
        name: "new version fails its probe",
        namespace: "pricing",
        category: "probe",
        codes: &["readiness-probe-failing"],
        root: ("Deployment", "tariffs"),
        before: tariffs_run,
        happens: rolls_out_what_does_not_answer,
    },
    Case {
        name: "new version crashes",
        namespace: "payments",
        category: "crash",
        codes: &["crash-after-rollout"],
        root: ("Deployment", "ledger"),
        before: ledger_runs,
        happens: rolls_out_what_crashes,
    },
];

fn reservations_run(place: &Place<'_>) {
    place.run("reservations", 3, &json!({}));
    place.change("reservations", &json!({"progressDeadlineSeconds": 6}));
}

fn rolls_out_pods_that_nobody_registers(place: &Place<'_>) {
    let new = image("reservations", "2.0.0");
    let container = json!({"name": "reservations", "image": new});
    let template = json!({
        "metadata": {"annotations": {"simulated.faro.dev/start": "never"}},
        "spec": {"readinessGates": [{"conditionType": GATE}], "containers": [container]},
    });
    place.change("reservations", &json!({"template": template}));
    let mut kubelet = place.kubelet();
    place.pods("reservations", 1, |pod| is_of(pod, &new)).iter().for_each(|pod| kubelet.waits_at_gate(pod, GATE));
}

fn tariffs_run(place: &Place<'_>) {
    let probe = json!({"httpGet": {"path": "/healthz", "port": 8080}});
    place.run("tariffs", 2, &json!({"container": {"readinessProbe": probe}}));
    place.change("tariffs", &json!({"progressDeadlineSeconds": 6}));
}

fn rolls_out_what_does_not_answer(place: &Place<'_>) {
    let new = rolls_out(place, "tariffs", "1.5.0");
    let mut kubelet = place.kubelet();
    let answer = "HTTP probe failed with statuscode: 503";
    place.pods("tariffs", 1, |pod| is_of(pod, &new)).iter().for_each(|pod| kubelet.probes_in_vain(pod, answer));
}

fn ledger_runs(place: &Place<'_>) {
    place.configure("ledger", &json!({"currency": "EUR"}));
    let from: Value = json!([{"configMapRef": {"name": "ledger"}}]);
    place.run("ledger", 3, &json!({"container": {"envFrom": from}}));
}

fn rolls_out_what_crashes(place: &Place<'_>) {
    let new = rolls_out(place, "ledger", "3.0.0");
    let mut kubelet = place.kubelet();
    place.pods("ledger", 1, |pod| is_of(pod, &new)).iter().for_each(|pod| kubelet.sees_crashes(pod));
}

/// The new version's image.
fn rolls_out(place: &Place<'_>, deployment: &str, tag: &str) -> String {
    let new = image(deployment, tag);
    place.set_image(deployment, &new, "never");
    new
}

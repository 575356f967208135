//! New versions that do not come up, and Jobs that do not end well.

use super::case::{Case, Label};
use super::place::{Place, image, is_of};
use super::scheduling::nothing;
use serde_json::{Value, json};

/// What has to be said before a pod of it counts as ready.
const GATE: &str = "target-health.example.com/registered";

pub(super) const CASES: &[Case] = &[
    Case {
        name: "rollout past its deadline",
        namespace: "booking",
        label: Label::new("rollout", &["rollout-stuck"], "Deployment", "reservations"),
        late: None,
        before: reservations_run,
        happens: rolls_out_pods_that_nobody_registers,
    },
    Case {
        name: "new version fails its probe",
        namespace: "pricing",
        label: Label::new("probe", &["readiness-probe-failing"], "Deployment", "tariffs"),
        late: None,
        before: tariffs_run,
        happens: rolls_out_what_does_not_answer,
    },
    Case {
        name: "new version crashes",
        namespace: "payments",
        label: Label::new("crash", &["crash-after-rollout"], "Deployment", "ledger"),
        late: Some(Label::new("crash", &["crash-loop", "crash-after-rollout"], "Deployment", "ledger")),
        before: ledger_runs,
        happens: rolls_out_what_crashes,
    },
    Case {
        name: "Job gives up",
        namespace: "invoicing",
        label: Label::new("crash", &["job-failed"], "Job", "month-end"),
        late: None,
        before: nothing,
        happens: runs_a_job_that_fails,
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

fn runs_a_job_that_fails(place: &Place<'_>) {
    let annotations = json!({"simulated.faro.dev/exit-code": "2"});
    let container = json!({"name": "month-end", "image": image("month-end", "1.0.3")});
    let pod = json!({"metadata": {"annotations": annotations}, "spec": {"restartPolicy": "Never", "containers": [container]}});
    place.collection("batch/v1/jobs").create(&json!({"metadata": {"name": "month-end"}, "spec": {"backoffLimit": 0, "template": pod}}));
}

//! Services that have nothing to send to, while no pod is unwell.

use super::case::{Case, Label};
use super::place::Place;
use faro_tests::control_plane::Patch;
use serde_json::json;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "selector changed",
        namespace: "storefront",
        label: Label::new("network", &["service-selector-changed"], "Service", "catalog"),
        late: Some(Label::new("network", &["service-selector-mismatch"], "Service", "catalog")),
        before: catalog_is_served,
        happens: changes_the_selector,
    },
    Case {
        name: "selector misspelt from the start",
        namespace: "identity",
        label: Label::new("network", &["service-selector-mismatch"], "Service", "sessions"),
        late: None,
        before: sessions_run,
        happens: makes_a_service_that_selects_nothing,
    },
    Case {
        name: "scaled to zero",
        namespace: "inventory",
        label: Label::new("scaling", &["workload-scaled-to-zero"], "Deployment", "stock-levels"),
        late: None,
        before: stock_levels_are_served,
        happens: scales_to_zero,
    },
    Case {
        name: "caller of what was scaled to zero",
        namespace: "subscriptions",
        label: Label::new("scaling", &["workload-scaled-to-zero"], "Deployment", "entitlements"),
        late: None,
        before: plans_call_entitlements,
        happens: takes_away_what_plans_call,
    },
    Case {
        name: "target port that no pod has",
        namespace: "support",
        label: Label::new("network", &["service-port-mismatch"], "Service", "tickets"),
        late: None,
        before: tickets_are_served,
        happens: sends_to_a_port_of_another_name,
    },
];

fn catalog_is_served(place: &Place<'_>) {
    place.run("catalog", 2, &json!({}));
    place.serve("catalog", &json!({"app": "catalog"}));
    place.route("catalog", "catalog");
}

fn changes_the_selector(place: &Place<'_>) {
    place.collection("services").patch("catalog", &json!({"spec": {"selector": {"app": "catalog", "release": "blue"}}}));
}

fn sessions_run(place: &Place<'_>) {
    place.run("sessions", 2, &json!({}));
}

fn makes_a_service_that_selects_nothing(place: &Place<'_>) {
    place.serve("sessions", &json!({"app": "session"}));
}

fn stock_levels_are_served(place: &Place<'_>) {
    place.run("stock-levels", 2, &json!({}));
    place.serve("stock", &json!({"app": "stock-levels"}));
    place.route("stock", "stock");
}

fn scales_to_zero(place: &Place<'_>) {
    scale(place, "stock-levels", 0);
}

fn plans_call_entitlements(place: &Place<'_>) {
    place.run("entitlements", 2, &json!({}));
    place.serve("entitlements", &json!({"app": "entitlements"}));
    let address = json!([{"name": "ENTITLEMENTS_URL", "value": "http://entitlements/v1"}]);
    let probe = json!({"httpGet": {"path": "/ready", "port": 8080}});
    place.run("plans", 2, &json!({"container": {"env": address, "readinessProbe": probe}}));
}

/// The callers are not ready then, for their own probes ask for what they call.
fn takes_away_what_plans_call(place: &Place<'_>) {
    scale(place, "entitlements", 0);
    let mut kubelet = place.kubelet();
    let answer = "HTTP probe failed with statuscode: 503";
    place.pods("plans", 2, |_| true).iter().for_each(|pod| kubelet.probes_in_vain(pod, answer));
}

fn tickets_are_served(place: &Place<'_>) {
    place.run("tickets", 2, &json!({"container": {"ports": [{"name": "http", "containerPort": 8080}]}}));
    place.serve("tickets", &json!({"app": "tickets"}));
}

fn sends_to_a_port_of_another_name(place: &Place<'_>) {
    let ports = json!([{"name": "http", "port": 80, "targetPort": "http-api"}]);
    place.collection("services").patch("tickets", &json!({"spec": {"ports": ports}}));
}

/// As `kubectl scale` does it.
fn scale(place: &Place<'_>, deployment: &str, replicas: u32) {
    let path = format!("/apis/apps/v1/namespaces/{}/deployments/{deployment}/scale", place.namespace);
    place.api().patch(&path, Patch::Merge, &json!({"spec": {"replicas": replicas}})).unwrap();
}

//! Services that have nothing to send to, while no pod is unwell.

use super::case::Case;
use super::place::Place;
use faro_tests::control_plane::Patch;
use serde_json::json;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "selector changed",
        namespace: "storefront",
        category: "network",
        codes: &["service-selector-changed"],
        root: ("Service", "catalog"),
        before: catalog_is_served,
        happens: changes_the_selector,
    },
    Case {
        name: "selector misspelt from the start",
        namespace: "identity",
        category: "network",
        codes: &["service-selector-mismatch"],
        root: ("Service", "sessions"),
        before: sessions_run,
        happens: makes_a_service_that_selects_nothing,
    },
    Case {
        name: "scaled to zero",
        namespace: "inventory",
        category: "scaling",
        codes: &["workload-scaled-to-zero"],
        root: ("Deployment", "stock-levels"),
        before: stock_levels_are_served,
        happens: scales_to_zero,
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

/// As `kubectl scale` does it.
fn scales_to_zero(place: &Place<'_>) {
    let path = format!("/apis/apps/v1/namespaces/{}/deployments/stock-levels/scale", place.namespace);
    place.api().patch(&path, Patch::Merge, &json!({"spec": {"replicas": 0}})).unwrap();
}

//! What pods refer to is not there, or was changed.

use super::case::Case;
use super::place::{Place, image, is_of};
use super::scheduling::nothing;
use crate::stage::text;
use serde_json::json;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "image does not exist",
        namespace: "checkout",
        category: "image",
        codes: &["image-not-found"],
        root: ("Deployment", "cart"),
        before: cart_runs,
        happens: sets_a_tag_that_was_never_pushed,
    },
    Case {
        name: "Secret missing",
        namespace: "mailing",
        category: "config",
        codes: &["secret-missing"],
        root: ("Deployment", "newsletter"),
        before: nothing,
        happens: refers_to_a_secret_that_was_never_made,
    },
    Case {
        name: "ConfigMap of a volume missing",
        namespace: "search",
        category: "config",
        codes: &["config-map-missing"],
        root: ("Deployment", "indexer"),
        before: nothing,
        happens: mounts_a_config_map_that_was_never_made,
    },
    Case {
        name: "ConfigMap changed, pods crash",
        namespace: "notifications",
        category: "config",
        codes: &["config-changed"],
        root: ("ConfigMap", "push-gateway"),
        before: push_gateway_runs,
        happens: changes_what_the_pods_read,
    },
    Case {
        name: "ConfigMap changed, then a restart",
        namespace: "shipping",
        category: "config",
        codes: &["config-changed"],
        root: ("ConfigMap", "carrier-endpoints"),
        before: parcels_run,
        happens: changes_configuration_and_restarts,
    },
];

fn cart_runs(place: &Place<'_>) {
    place.run("cart", 2, &json!({}));
}

fn sets_a_tag_that_was_never_pushed(place: &Place<'_>) {
    let new = image("cart", "1.5.0-rc7");
    place.set_image("cart", &new, "never");
    let mut kubelet = place.kubelet();
    place.pods("cart", 1, |pod| is_of(pod, &new)).iter().for_each(|pod| kubelet.finds_no_image(pod));
}

fn refers_to_a_secret_that_was_never_made(place: &Place<'_>) {
    let password = json!({"name": "SMTP_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "smtp-login", "key": "password"}}});
    place.deploy("newsletter", 2, &json!({"start": "never", "container": {"env": [password]}}));
    let mut kubelet = place.kubelet();
    place.pods("newsletter", 2, |_| true).iter().for_each(|pod| kubelet.cannot_configure(pod, "secret \"smtp-login\" not found"));
}

fn mounts_a_config_map_that_was_never_made(place: &Place<'_>) {
    let volumes = json!([{"name": "stopwords", "configMap": {"name": "stopwords-en"}}]);
    let mounts = json!([{"name": "stopwords", "mountPath": "/etc/stopwords"}]);
    place.deploy("indexer", 1, &json!({"start": "never", "volumes": volumes, "container": {"volumeMounts": mounts}}));
    let mut kubelet = place.kubelet();
    let missing = "configmap \"stopwords-en\" not found";
    place.pods("indexer", 1, |_| true).iter().for_each(|pod| kubelet.cannot_mount(pod, "stopwords", missing));
}

fn push_gateway_runs(place: &Place<'_>) {
    place.configure("push-gateway", &json!({"gateway.yaml": "workers: 4\nqueue: main\n"}));
    place.configure("feature-flags", &json!({"dark-mode": "off"}));
    let volumes = json!([{"name": "config", "configMap": {"name": "push-gateway"}}]);
    let mounts = json!([{"name": "config", "mountPath": "/etc/push-gateway"}]);
    place.run("push-gateway", 2, &json!({"volumes": volumes, "container": {"volumeMounts": mounts}}));
}

/// Another ConfigMap, which they do not read, is changed after it.
fn changes_what_the_pods_read(place: &Place<'_>) {
    place.collection("configmaps").patch("push-gateway", &json!({"data": {"gateway.yaml": "workers: four\nqueue: main\n"}}));
    place.collection("configmaps").patch("feature-flags", &json!({"data": {"dark-mode": "on"}}));
    let mut kubelet = place.kubelet();
    place.pods("push-gateway", 2, |_| true).iter().for_each(|pod| kubelet.sees_crashes(pod));
}

fn parcels_run(place: &Place<'_>) {
    place.configure("carrier-endpoints", &json!({"DHL_URL": "https://api.dhl.example/v2", "UPS_URL": "https://api.ups.example/v1"}));
    place.run("parcels", 2, &json!({"container": {"envFrom": [{"configMapRef": {"name": "carrier-endpoints"}}]}}));
}

/// As `kubectl rollout restart` does it.
fn changes_configuration_and_restarts(place: &Place<'_>) {
    place.collection("configmaps").patch("carrier-endpoints", &json!({"data": {"DHL_URL": "api.dhl.example"}}));
    let marks = json!({"kubectl.kubernetes.io/restartedAt": crate::stage::now().to_rfc3339(), "simulated.faro.dev/start": "never"});
    place.change("parcels", &json!({"template": {"metadata": {"annotations": marks}}}));
    let mut kubelet = place.kubelet();
    let restarted = |pod: &serde_json::Value| {
        !text(&pod["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"]).is_empty()
    };
    place.pods("parcels", 1, restarted).iter().for_each(|pod| kubelet.sees_crashes(pod));
}

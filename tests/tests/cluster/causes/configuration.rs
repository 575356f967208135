//! What pods refer to is not there, or was changed.

use super::case::{Case, Label};
use super::place::{Place, image, is_of};
use super::scheduling::nothing;
use crate::stage::now;
use serde_json::{Value, json};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "image does not exist",
        namespace: "checkout",
        label: Label::new("image", &["image-not-found"], "Deployment", "cart"),
        late: None,
        before: cart_runs,
        happens: sets_a_tag_that_was_never_pushed,
    },
    Case {
        name: "Secret missing",
        namespace: "mailing",
        label: Label::new("config", &["secret-missing"], "Deployment", "newsletter"),
        late: None,
        before: nothing,
        happens: refers_to_a_secret_that_was_never_made,
    },
    Case {
        name: "ConfigMap of a volume missing",
        namespace: "search",
        label: Label::new("config", &["config-map-missing"], "Deployment", "indexer"),
        late: None,
        before: nothing,
        happens: mounts_a_config_map_that_was_never_made,
    },
    Case {
        name: "ConfigMap changed, pods crash",
        namespace: "notifications",
        label: Label::new("config", &["config-changed"], "ConfigMap", "push-gateway"),
        late: Some(Label::new("crash", &["crash-loop"], "Deployment", "push-gateway")),
        before: push_gateway_runs,
        happens: changes_what_the_pods_read,
    },
    Case {
        name: "ConfigMap changed, then a restart",
        namespace: "shipping",
        label: Label::new("config", &["config-changed"], "ConfigMap", "carrier-endpoints"),
        late: Some(Label::new("crash", &["crash-loop"], "Deployment", "parcels")),
        before: parcels_run,
        happens: changes_configuration_and_restarts,
    },
    Case {
        name: "ConfigMap deleted, then a restart",
        namespace: "loyalty",
        label: Label::new("config", &["config-deleted"], "ConfigMap", "point-rules"),
        late: Some(Label::new("config", &["config-map-missing"], "Deployment", "points")),
        before: points_run,
        happens: deletes_configuration_and_restarts,
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

fn changes_configuration_and_restarts(place: &Place<'_>) {
    place.collection("configmaps").patch("carrier-endpoints", &json!({"data": {"DHL_URL": "api.dhl.example"}}));
    let mut kubelet = place.kubelet();
    restarted(place, "parcels").iter().for_each(|pod| kubelet.sees_crashes(pod));
}

fn points_run(place: &Place<'_>) {
    place.configure("point-rules", &json!({"EURO": "1", "BONUS": "50"}));
    place.run("points", 2, &json!({"container": {"envFrom": [{"configMapRef": {"name": "point-rules"}}]}}));
}

fn deletes_configuration_and_restarts(place: &Place<'_>) {
    place.collection("configmaps").delete("point-rules");
    let mut kubelet = place.kubelet();
    let missing = "configmap \"point-rules\" not found";
    restarted(place, "points").iter().for_each(|pod| kubelet.cannot_configure(pod, missing));
}

/// The first new pods of a Deployment that is restarted as `kubectl rollout restart` does it.
fn restarted(place: &Place<'_>, deployment: &str) -> Vec<Value> {
    let mark = "kubectl.kubernetes.io/restartedAt";
    let annotations = json!({mark: now().to_rfc3339(), "simulated.faro.dev/start": "never"});
    place.change(deployment, &json!({"template": {"metadata": {"annotations": annotations}}}));
    place.pods(deployment, 1, |pod| pod["metadata"]["annotations"][mark].is_string())
}

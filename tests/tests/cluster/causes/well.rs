//! Ordinary life, where nothing is wrong: what is done here is much like what breaks things elsewhere.

use super::place::{Place, image};
use serde_json::json;

/// A workload that is served, its configuration, and one that is off and that nobody calls.
pub(super) fn begin(place: &Place<'_>) {
    place.configure("wiki", &json!({"theme": "light"}));
    // The cases take none of the first nodes away.
    let node = json!({"kubernetes.io/hostname": "node-1"});
    place.run("wiki", 2, &json!({"nodeSelector": node, "container": {"envFrom": [{"configMapRef": {"name": "wiki"}}]}}));
    place.serve("wiki", &json!({"app": "wiki"}));
    place.route("wiki", "wiki");
    place.deploy("importer", 0, &json!({}));
}

/// Configuration, image and scale change; a Job runs to its end.
pub(super) fn goes_on(place: &Place<'_>) {
    place.collection("configmaps").patch("wiki", &json!({"data": {"theme": "dark"}}));
    place.set_image("wiki", &image("wiki", "1.5.0"), "always");
    place.change("wiki", &json!({"replicas": 3}));
    let containers = json!([{"name": "backup", "image": image("backup", "1.0.0")}]);
    let pod = json!({"spec": {"restartPolicy": "Never", "nodeName": "node-1", "containers": containers}});
    place.collection("batch/v1/jobs").create(&json!({"metadata": {"name": "backup"}, "spec": {"template": pod}}));
    place.await_available("wiki", 3);
}

//! Claims that get no volume.

use super::case::{Case, Label};
use super::place::{Place, image};
use super::scheduling::nothing;
use serde_json::{Value, json};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "storage class missing",
        namespace: "chat",
        label: Label::new("storage", &["storage-class-missing"], "PersistentVolumeClaim", "data-messages-0"),
        late: None,
        before: nothing,
        happens: asks_for_a_class_that_is_not_there,
    },
    Case {
        name: "claim missing",
        namespace: "uploads",
        label: Label::new("storage", &["claim-missing"], "Deployment", "thumbnails"),
        late: None,
        before: nothing,
        happens: uses_a_claim_that_was_never_made,
    },
];

fn asks_for_a_class_that_is_not_there(place: &Place<'_>) {
    let requests = json!({"requests": {"storage": "10Gi"}});
    let claim = json!({"storageClassName": "ssd-retain", "accessModes": ["ReadWriteOnce"], "resources": requests});
    let container = json!({
        "name": "messages", "image": image("messages", "7.2.1"), "volumeMounts": [{"name": "data", "mountPath": "/var/lib/messages"}],
    });
    let template = json!({"metadata": {"labels": {"app": "messages"}}, "spec": {"containers": [container]}});
    place.collection("apps/v1/statefulsets").create(&json!({
        "metadata": {"name": "messages"},
        "spec": {
            "serviceName": "messages", "replicas": 2, "selector": {"matchLabels": {"app": "messages"}}, "template": template,
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
        },
    }));
}

fn uses_a_claim_that_was_never_made(place: &Place<'_>) {
    let volumes: Value = json!([{"name": "cache", "persistentVolumeClaim": {"claimName": "thumbnail-cache"}}]);
    place.deploy("thumbnails", 2, &json!({"volumes": volumes}));
}

//! What only the API server can tell of a configuration: W2.

use crate::program::Program;
use faro_tests::control_plane::ControlPlane;
use std::process::Command;

#[test]
fn w2_cluster_scoped_collection_in_a_namespace_names_its_entry() {
    let Some(cluster) = ControlPlane::shared() else { return };
    let text = "namespaces:\n- name_selector: shop\n  resources:\n    v1/configmaps:\n    v1/nodes:\n";
    check(&cluster, text, "faro.yaml:5: namespaces[0].resources[v1/nodes]: ");
    let text = "resources:\n- gvr: v1/nodes\n- {gvr: v1/namespaces, namespace_names: [shop]}\n";
    check(&cluster, text, "faro.yaml:3: resources[1]: ");
}

/// Refused with exit code 2 and one line, before anything was printed.
#[track_caller]
fn check(cluster: &ControlPlane, text: &str, want: &str) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("faro.yaml"), text).unwrap();
    let mut command = Command::new(Program::path());
    command.args(["watch", "--config", "faro.yaml", "--emit", "all"]).current_dir(&directory).env("KUBECONFIG", cluster.kubeconfig());
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice(), said.lines().count()), (Some(2), [].as_slice(), 1), "{said}");
    assert!(said.contains(want) && said.contains("is cluster-scoped") && said.contains("shop"), "{said}");
}

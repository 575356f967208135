//! How scenarios are played against the real API: what is watched, what is done there, and what came of it.

use crate::program::Program;
use chrono::{DateTime, Utc};
use faro_tests::control_plane::{Api, ControlPlane, Patch};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

/// A time in which more would come if there were more.
const MORE: Duration = Duration::from_millis(250);

/// Watches what a configuration file says, and returns once so many watches have delivered their initial state.
#[track_caller]
pub(crate) fn watch(cluster: &ControlPlane, config: &str, watches: usize) -> Program {
    watch_with(cluster, config, watches, &["--emit", "object,event,sync,gap"])
}

/// The same with these options.
#[track_caller]
pub(crate) fn watch_with(cluster: &ControlPlane, config: &str, watches: usize, options: &[&str]) -> Program {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("faro.yaml");
    std::fs::write(&file, config).unwrap();
    let mut arguments = vec!["watch", "--config", file.to_str().unwrap()];
    arguments.extend(options);
    let mut program = Program::start(cluster.kubeconfig(), &arguments);
    program.files = Some(directory);
    for _ in 0..watches {
        program.wait_for("a sync", |record| record["record"] == "sync");
    }
    program
}

/// Reads until nothing more comes, ends the run, and returns its records of objects and events in this namespace; an empty one
/// means all of them.
#[track_caller]
pub(crate) fn end(program: &mut Program, namespace: &str) -> Vec<Value> {
    program.read_for(MORE);
    let ended = program.stop();
    assert!(ended.success(), "{ended}: {}", program.stderr());
    assert_eq!(program.stderr(), "");
    let of = |record: &&Value| matches!(record["record"].as_str(), Some("object" | "event"));
    let here = |record: &&Value| namespace.is_empty() || record["namespace"] == namespace;
    program.records.iter().filter(of).filter(here).cloned().collect()
}

/// Records as `ADDED cm-1`, in their order.
pub(crate) fn tales(records: &[Value]) -> Vec<String> {
    records.iter().map(|record| format!("{} {}", text(&record["eventType"]), text(&record["name"]))).collect()
}

/// The same in the order of names, of one name as they came; for objects that different watches deliver.
pub(crate) fn tales_by_name(records: &[Value]) -> Vec<String> {
    let mut sorted: Vec<Value> = records.to_vec();
    sorted.sort_by_key(|record| text(&record["name"]).to_owned());
    tales(&sorted)
}

/// This moment.
pub(crate) fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// A text, or nothing.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The objects of one collection in one namespace.
pub(crate) struct Collection<'a> {
    api: &'a Api,
    path: String,
}

impl<'a> Collection<'a> {
    pub(crate) fn config_maps(cluster: &'a ControlPlane, namespace: &str) -> Self {
        Self::at(cluster, format!("/api/v1/namespaces/{namespace}/configmaps"))
    }

    pub(crate) fn events(cluster: &'a ControlPlane, namespace: &str) -> Self {
        Self::at(cluster, format!("/api/v1/namespaces/{namespace}/events"))
    }

    pub(crate) fn at(cluster: &'a ControlPlane, path: String) -> Self {
        Self { api: cluster.api(), path }
    }

    pub(crate) fn create(&self, object: &Value) -> Value {
        self.api.create(&self.path, object).unwrap()
    }

    /// Creates an object of which only name and labels matter.
    pub(crate) fn put(&self, name: &str, labels: &Value) -> Value {
        self.create(&json!({"metadata": {"name": name, "labels": labels}}))
    }

    pub(crate) fn patch(&self, name: &str, change: &Value) -> Value {
        self.api.patch(&format!("{}/{name}", self.path), Patch::Merge, change).unwrap()
    }

    /// Changes a ConfigMap's data.
    pub(crate) fn set(&self, name: &str, value: &str) -> Value {
        self.patch(name, &json!({"data": {"key": value}}))
    }

    /// Changes labels; null takes one away.
    pub(crate) fn label(&self, name: &str, labels: &Value) -> Value {
        self.patch(name, &json!({"metadata": {"labels": labels}}))
    }

    pub(crate) fn delete(&self, name: &str) {
        self.api.delete(&format!("{}/{name}", self.path)).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Value {
        self.api.read(&format!("{}/{name}", self.path)).unwrap()
    }
}

//! Events that expire, history that is compacted, an API server that comes back.

use std::time::{Duration, Instant};

use faro_tests::control_plane::{Api, Component, Setup, eventually, within};
use serde_json::{Value, json};

const EVENTS: &str = "/api/v1/namespaces/default/events";
const CONFIGMAPS: &str = "/api/v1/namespaces/default/configmaps";

fn event(name: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "web"},
        "reason": "Killing",
        "message": "Stopping container app",
        "type": "Normal",
    })
}

/// Returns the resourceVersion of a list.
fn position(api: &Api, path: &str) -> String {
    let list = api.read(path).expect("list");
    list["metadata"]["resourceVersion"].as_str().expect("a resourceVersion").to_owned()
}

/// Returns the HTTP status of a watch from this position, whether it comes instead of the stream or in it.
fn watch_status(api: &Api, path: &str, position: &str) -> Option<u64> {
    let watched = api.text(&format!("{path}?watch=1&timeoutSeconds=1&resourceVersion={position}"));
    match watched {
        Err(err) => err.status().map(u64::from),
        Ok(lines) => lines.lines().find_map(|line| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            line["object"]["code"].as_u64().filter(|_| line["type"] == "ERROR")
        }),
    }
}

#[test]
fn an_event_vanishes_after_its_time() {
    let Some(cluster) = Setup::new().event_ttl(Duration::from_secs(2)).start_or_skip() else { return };
    let api = cluster.api();
    let begun = Instant::now();
    api.create(EVENTS, &event("web.1")).expect("created");
    api.create(CONFIGMAPS, &json!({"metadata": {"name": "stays"}})).expect("created");
    eventually("the Event expires", || api.read(&format!("{EVENTS}/web.1")).err().filter(|err| err.status() == Some(404)));
    assert!(begun.elapsed() >= Duration::from_secs(2), "after {:?}", begun.elapsed());
    api.read(&format!("{CONFIGMAPS}/stays")).expect("other objects stay");
}

#[test]
fn a_watch_from_before_a_compaction_is_answered_410() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    let api = cluster.api();
    let (events, configmaps) = (position(api, EVENTS), position(api, CONFIGMAPS));
    for number in 0..5 {
        api.create(EVENTS, &event(&format!("web.{number}"))).expect("created");
        api.create(CONFIGMAPS, &json!({"metadata": {"name": format!("cm-{number}")}})).expect("created");
    }
    assert_eq!(watch_status(api, EVENTS, &events), None);

    assert!(cluster.compact().expect("compacted") > 0);
    assert_eq!(watch_status(api, EVENTS, &events), Some(410));
    assert_eq!(watch_status(api, EVENTS, &position(api, EVENTS)), None);
    // The API server's own cache still knows what etcd has forgotten, until it starts anew.
    assert_eq!(watch_status(api, CONFIGMAPS, &configmaps), None);
    cluster.stop(Component::ApiServer);
    cluster.start(Component::ApiServer).expect("started");
    eventually("the old position of a cached resource is refused", || {
        watch_status(api, CONFIGMAPS, &configmaps).filter(|status| *status == 410)
    });
}

#[test]
fn objects_outlive_the_api_server() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    let api = cluster.api();
    let created = api.create(CONFIGMAPS, &json!({"metadata": {"name": "kept"}, "data": {"key": "value"}})).expect("created");
    let read = || api.read(&format!("{CONFIGMAPS}/kept"));

    cluster.stop(Component::ApiServer);
    assert_eq!(read().expect_err("nobody answers").status(), None);
    cluster.start(Component::ApiServer).expect("started");
    assert_eq!(read().expect("read")["metadata"]["uid"], created["metadata"]["uid"]);

    cluster.kill(Component::ApiServer);
    assert_eq!(read().expect_err("nobody answers").status(), None);
    cluster.start(Component::ApiServer).expect("started");
    assert_eq!(read().expect("read")["data"]["key"], "value");

    cluster.kill(Component::Etcd);
    cluster.start(Component::Etcd).expect("started");
    eventually("etcd comes back with what it kept", || read().ok());
}

#[test]
fn a_halted_api_server_is_silent_and_goes_on() {
    let Some(cluster) = Setup::new().start_or_skip() else { return };
    let api = cluster.api().clone();
    cluster.pause(Component::ApiServer);
    let asked = std::thread::spawn(move || api.text("/readyz"));
    // A short look only: silence cannot be awaited.
    let early = within(Duration::from_millis(300), || asked.is_finished().then_some(()));
    if early.is_some() {
        panic!("a halted server answered: {:?}", asked.join());
    }
    cluster.resume(Component::ApiServer);
    assert_eq!(asked.join().expect("asked").expect("answered"), "ok");
}

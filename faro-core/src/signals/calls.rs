//! Which Services a workload calls, as far as its environment names them.

use super::reference;
use crate::input::Text;
use crate::topology::{Reference, Relation};
use serde::Deserialize;

/// The part of a pod template that names other Services.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TemplateSpec<'a> {
    #[serde(borrow)]
    containers: Option<Vec<Container<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Container<'a> {
    #[serde(borrow)]
    env: Option<Vec<Variable<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Variable<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    value: Text<'a>,
}

/// So many Services of one workload are followed.
const CALLS: usize = 32;

/// Longer values are no addresses.
const VALUE: usize = 1_024;

/// How variables that hold a bare host name are called.
const HOSTS: [&str; 9] = ["HOST", "HOSTNAME", "ADDR", "ADDRESS", "URL", "URI", "ENDPOINT", "SERVER", "BROKERS"];

/// The Services that the environment names, each with the port that it names, if any.
pub(super) fn of(spec: &TemplateSpec<'_>, namespace: &str) -> Vec<(Reference, Box<str>)> {
    let variables = spec.containers.iter().flatten().flat_map(|container| container.env.iter().flatten());
    let hosts = variables.filter(|variable| variable.value.len() <= VALUE).flat_map(|variable| {
        let named = HOSTS.iter().any(|ending| variable.name.ends_with(ending));
        variable.value.split([',', ' ', ';']).filter_map(move |part| host(part, named)).collect::<Vec<_>>()
    });
    let mut found: Vec<(Reference, Box<str>)> = hosts.filter_map(|(host, port)| Some((service(host, namespace)?, port.into()))).collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(CALLS);
    found
}

/// The host and the port of an address: of a URL, before a port, or alone where the variable's name says that it is one.
fn host(text: &str, named: bool) -> Option<(&str, &str)> {
    let (address, is_url) = text.split_once("://").map_or((text, false), |(_, rest)| (rest, true));
    let address = address.split(['/', '?', '#']).next().unwrap_or(address);
    let address = address.rsplit_once('@').map_or(address, |(_, host)| host);
    match address.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => Some((host, port)),
        Some(_) => None,
        None => (is_url || named).then_some((address, "")),
    }
}

/// `name`, `name.namespace` or `name.namespace.svc...`; other names are those of the world outside.
fn service(host: &str, namespace: &str) -> Option<Reference> {
    let plain = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_lowercase())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let mut labels = host.split('.');
    let (name, place, svc) = (labels.next()?, labels.next(), labels.next());
    if name == "localhost" || !plain(name) || svc.is_some_and(|svc| svc != "svc") || place.is_some_and(|place| !plain(place)) {
        return None;
    }
    Some(reference(Relation::Calls, "Service", place.unwrap_or(namespace), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_names_services_by_address() {
        check("STORE_ADDR", "ledger:6379", &["shop/ledger"]);
        check("DSN", "postgres://me:secret@db.bank.svc.cluster.local:5432/x", &["bank/db"]);
        check("BROKERS", "a:9092,b:9092", &["shop/a", "shop/b"]);
        check("STORE_HOST", "ledger", &["shop/ledger"]);
        check("COLOUR", "blue", &[]);
        check("SELF", "http://localhost:8080", &[]);
        check("API", "https://api.example.com/v1", &[]);
        check("TIME", "12:30", &[]);
    }

    #[track_caller]
    fn check(name: &str, value: &str, want: &[&str]) {
        let json = serde_json::json!({"containers": [{"env": [{"name": name, "value": value}]}]}).to_string();
        let spec: TemplateSpec<'_> = serde_json::from_str(&json).unwrap();
        let found: Vec<String> = of(&spec, "shop").into_iter().map(|(to, _)| format!("{}/{}", to.namespace, to.name)).collect();
        assert_eq!(found, want, "{name}={value}");
    }
}

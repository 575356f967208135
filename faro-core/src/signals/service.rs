//! Services and what routes to them.

use super::{part, reference};
use crate::input::{Fields, RawObject, Text};
use crate::topology::{Detail, Reading, Relation};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec<'a> {
    #[serde(borrow)]
    selector: Fields<'a>,
    ports: Option<Vec<Port>>,
    #[serde(borrow, rename = "type")]
    type_: Text<'a>,
    #[serde(borrow, rename = "clusterIP")]
    cluster_ip: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Port {
    port: u32,
    target_port: Option<Value>,
    protocol: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct IngressSpec {
    default_backend: Option<Backend>,
    rules: Option<Vec<Rule>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Rule {
    http: Option<Http>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Http {
    paths: Option<Vec<Path>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Path {
    backend: Option<Backend>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Backend {
    service: Option<Named>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
}

/// `spec` of a route of the Gateway API.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RouteSpec {
    rules: Option<Vec<RouteRule>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RouteRule {
    backend_refs: Option<Vec<BackendRef>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BackendRef {
    kind: Option<String>,
    namespace: Option<String>,
    name: String,
}

pub(super) fn read(object: &RawObject<'_>, reading: &mut Reading) {
    if object.kind() == "Ingress" {
        let spec: IngressSpec = part(object.0.spec);
        let paths = spec.rules.into_iter().flatten().filter_map(|rule| rule.http?.paths).flatten();
        let backends = paths.filter_map(|path| path.backend).chain(spec.default_backend);
        for service in backends.filter_map(|backend| backend.service) {
            reading.refs.push(reference(Relation::RoutesTo, "Service", object.namespace(), &service.name));
        }
        return;
    }
    if object.kind() != "Service" {
        // A route of the Gateway API: backends without a kind are Services.
        let spec: RouteSpec = part(object.0.spec);
        let backends = spec.rules.into_iter().flatten().filter_map(|rule| rule.backend_refs).flatten();
        for backend in backends.filter(|backend| backend.kind.as_deref().is_none_or(|kind| kind == "Service")) {
            let namespace = backend.namespace.as_deref().unwrap_or(object.namespace());
            reading.refs.push(reference(Relation::RoutesTo, "Service", namespace, &backend.name));
        }
        return;
    }
    let spec: Spec<'_> = part(object.0.spec);
    if spec.selector.is_empty() || &*spec.type_ == "ExternalName" {
        return;
    }
    let target = |port: &Port| match &port.target_port {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => port.port.to_string(),
    };
    let mut selector: Vec<Box<str>> = spec.selector.0.iter().map(|(key, value)| format!("{key}={value}").into()).collect();
    selector.sort_unstable();
    let headless = &*spec.cluster_ip == "None";
    let ports = spec.ports.iter().flatten().filter(|_| !headless);
    let told = |port: &Port| match port.protocol.as_deref() {
        None | Some("TCP" | "") => format!("{}={}", port.port, target(port)),
        Some(protocol) => format!("{}={}/{protocol}", port.port, target(port)),
    };
    let ports = ports.map(|port| told(port).into()).collect();
    reading.detail = Detail::Service { selector: selector.into(), ports };
}

//! Names of images and of the registries that they come from.

const HUB: &str = "docker.io";

/// The registry of an image reference: the first part, when it can be a host.
pub(super) fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => registry_of_host(host),
        Some(_) | None => HUB,
    }
}

/// The registry that a host serves: Docker Hub has several.
pub(super) fn registry_of_host(host: &str) -> &str {
    if matches!(host, "registry-1.docker.io" | "index.docker.io" | "auth.docker.io" | "registry.hub.docker.com") { HUB } else { host }
}

/// One spelling of an image: what comes from Docker Hub is written with and without its name.
pub(super) fn familiar(image: &str) -> &str {
    let path = image.strip_prefix("docker.io/").or_else(|| image.strip_prefix("index.docker.io/"));
    path.map_or(image, |path| path.strip_prefix("library/").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_host_is_a_registry() {
        check("nginx:1", "docker.io", "nginx:1");
        check("bitnami/redis:7", "docker.io", "bitnami/redis:7");
        check("docker.io/library/nginx:1", "docker.io", "nginx:1");
        check("docker.io/grafana/loki", "docker.io", "grafana/loki");
        check("reg.example/a/b@sha256:0f", "reg.example", "reg.example/a/b@sha256:0f");
        check("localhost/a", "localhost", "localhost/a");
        check("registry:5000/a:1", "registry:5000", "registry:5000/a:1");
    }

    #[track_caller]
    fn check(image: &str, from: &str, plain: &str) {
        assert_eq!((registry(image), familiar(image)), (from, plain), "{image}");
    }
}

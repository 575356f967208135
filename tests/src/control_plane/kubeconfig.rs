//! Kubeconfig files, as JSON, which is YAML.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::StartError;
use super::certificates::{Authority, Identity, write};

/// Where the API server is and what proves that it is the one.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) url: String,
    pub(super) authority: PathBuf,
    pub(super) directory: PathBuf,
}

impl Cluster {
    /// Writes the kubeconfig of a user with a certificate of the authority.
    pub(super) fn certified(&self, authority: &Authority, user: &str, group: Option<&str>) -> Result<PathBuf, StartError> {
        let Identity { certificate, key } = authority.client(user, group)?;
        self.write(user.trim_start_matches("system:"), "default", &json!({"client-certificate": certificate, "client-key": key}))
    }

    /// Writes the kubeconfig of somebody with a token.
    pub(super) fn token(&self, name: &str, namespace: &str, token: &str) -> Result<PathBuf, StartError> {
        self.write(name, namespace, &json!({"token": token}))
    }

    fn write(&self, name: &str, namespace: &str, user: &Value) -> Result<PathBuf, StartError> {
        let path = self.directory.join(format!("{name}.kubeconfig"));
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "faro-tests", "cluster": {"server": self.url, "certificate-authority": self.authority}}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": "faro-tests", "context": {"cluster": "faro-tests", "user": name, "namespace": namespace}}],
            "current-context": "faro-tests",
        });
        write(&path, &config.to_string())?;
        Ok(path)
    }
}

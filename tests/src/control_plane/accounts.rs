//! Service accounts with exactly the rights that a test gives them.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Api, ApiError, ControlPlane, Patch, StartError};

const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1";
/// Longer than any test: who wants an expired token asks for one.
const TOKEN_SECONDS: u32 = 24 * 3_600;

/// A service account, its kubeconfig and its token. It begins without rights beyond those of everybody.
#[derive(Debug)]
pub struct Account {
    namespace: String,
    name: String,
    token: String,
    kubeconfig: PathBuf,
    api: Api,
    admin: Api,
}

impl ControlPlane {
    /// Creates a service account, with a token of the TokenRequest API in a kubeconfig of its own.
    ///
    /// # Errors
    ///
    /// Fails when the account exists or the API server refuses.
    pub fn account(&self, namespace: &str, name: &str) -> Result<Account, StartError> {
        let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
        self.api().create(&accounts, &json!({"metadata": {"name": name}}))?;
        self.known_account(namespace, name)
    }

    /// Takes the part of a service account that is there, with a token like those of [`Self::account`]. Its rights are those it has.
    ///
    /// # Errors
    ///
    /// Fails when there is no such account or the API server refuses.
    pub fn known_account(&self, namespace: &str, name: &str) -> Result<Account, StartError> {
        let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
        let request = json!({"spec": {"expirationSeconds": TOKEN_SECONDS}});
        let token = self.api().create(&format!("{accounts}/{name}/token"), &request)?;
        let token = token["status"]["token"].as_str().unwrap_or_default().to_owned();
        let kubeconfig = self.cluster().token(&format!("{namespace}.{name}"), namespace, &token)?;
        let api = Api::from_kubeconfig(&kubeconfig)?;
        Ok(Account { namespace: namespace.to_owned(), name: name.to_owned(), token, kubeconfig, api, admin: self.api().clone() })
    }
}

impl Account {
    /// Returns the path of its kubeconfig; the default namespace is the account's.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Returns its token, as a pod would find it in a file.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns a client that is this account.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Gives it these rules (`rules` of a ClusterRole) in the whole cluster, in place of those it had there.
    ///
    /// The authorizer hears of it a moment later, so a test looks until it has.
    ///
    /// # Errors
    ///
    /// Fails when the API server refuses.
    pub fn grant(&self, rules: &Value) -> Result<(), ApiError> {
        self.bind(ROLES, "Cluster", rules)
    }

    /// Gives it these rules (`rules` of a Role) in a namespace, in place of those it had there.
    ///
    /// # Errors
    ///
    /// Fails when the API server refuses.
    pub fn grant_in(&self, namespace: &str, rules: &Value) -> Result<(), ApiError> {
        self.bind(&format!("{ROLES}/namespaces/{namespace}"), "", rules)
    }

    /// Takes what [`Self::grant`] gave.
    ///
    /// # Errors
    ///
    /// Fails when there is nothing to take, or the API server refuses.
    pub fn revoke(&self) -> Result<(), ApiError> {
        self.admin.delete(&format!("{ROLES}/clusterrolebindings/{}", self.role()))
    }

    fn bind(&self, base: &str, prefix: &str, rules: &Value) -> Result<(), ApiError> {
        let (role, kind, plural) = (self.role(), format!("{prefix}Role"), format!("{}role", prefix.to_lowercase()));
        let api_version = "rbac.authorization.k8s.io/v1";
        let metadata = json!({"name": role});
        let change = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "rules": rules});
        self.admin.patch(&format!("{base}/{plural}s/{role}"), Patch::Apply, &change)?;
        let binding = json!({
            "apiVersion": api_version,
            "kind": format!("{kind}Binding"),
            "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
            "subjects": [{"kind": "ServiceAccount", "namespace": self.namespace, "name": self.name}],
        });
        self.admin.patch(&format!("{base}/{plural}bindings/{role}"), Patch::Apply, &binding).map(drop)
    }

    fn role(&self) -> String {
        format!("{}-{}", self.namespace, self.name)
    }
}

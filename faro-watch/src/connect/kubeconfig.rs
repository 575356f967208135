//! Kubeconfig files, by the rules of `KUBECONFIG` ("Organizing Cluster Access Using kubeconfig Files").

use super::ConnectError;
use kube::config::{Kubeconfig, KubeconfigError};
use std::path::{Path, PathBuf};

/// The files that are looked at, and whether a missing one is an error.
fn files(file: Option<&Path>) -> Vec<PathBuf> {
    if let Some(file) = file {
        return vec![file.to_owned()];
    }
    if let Some(list) = std::env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) {
        return std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect();
    }
    std::env::home_dir().map(|home| home.join(".kube").join("config")).into_iter().collect()
}

/// The files for a message.
pub(super) fn place(file: Option<&Path>) -> String {
    let files: Vec<String> = files(file).iter().map(|path| format!("`{}`", path.display())).collect();
    if files.is_empty() { "no file".to_owned() } else { files.join(", ") }
}

/// Reads and merges the files. Of several, those that do not exist are passed over, as kubectl does.
pub(super) fn read(file: Option<&Path>) -> Result<Kubeconfig, ConnectError> {
    let mut merged = Kubeconfig::default();
    for path in files(file) {
        let absent = |error: &KubeconfigError| matches!(error, KubeconfigError::ReadConfig(source, _) if source.kind() == std::io::ErrorKind::NotFound);
        let next = match Kubeconfig::read_from(&path) {
            Err(error) if file.is_none() && absent(&error) => continue,
            other => other,
        };
        merged = next
            .and_then(|next| merged.merge(next))
            .map_err(|source| ConnectError::Kubeconfig { place: format!("`{}`", path.display()), source: Box::new(source) })?;
    }
    Ok(merged)
}

/// Returns the names of the contexts, in the order of the files.
///
/// # Errors
///
/// A kubeconfig cannot be read.
pub fn contexts(file: Option<&Path>) -> Result<Vec<String>, ConnectError> {
    Ok(read(file)?.contexts.into_iter().map(|named| named.name).collect())
}

/// Returns the name of the current context.
///
/// # Errors
///
/// A kubeconfig cannot be read.
pub fn current_context(file: Option<&Path>) -> Result<Option<String>, ConnectError> {
    Ok(read(file)?.current_context)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Cluster;

    const ONE: &str = "apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts:\n- name: a\n  context: {cluster: c, user: u}\n\
        clusters:\n- name: c\n  cluster: {server: 'https://127.0.0.1:1'}\nusers:\n- name: u\n  user: {token: t}\n";

    #[test]
    fn cluster_is_named_like_its_context() {
        let file = written(ONE);
        let cluster = Cluster::find(Some(file.path().to_owned()), None).unwrap();
        assert_eq!((cluster.name(), cluster.clone().named("prod").name()), ("a", "prod"));
        assert_eq!(contexts(Some(file.path())).unwrap(), ["a"]);
    }

    #[test]
    fn w20_errors_say_what_and_where_in_one_line() {
        let file = written(ONE);
        let place = file.path().display();
        check(
            Cluster::find(Some(file.path().to_owned()), Some("b")).unwrap_err(),
            &format!("context `b` is not in `{place}`; there are a"),
        );
        let bad = written("contexts: [");
        let error = Cluster::find(Some(bad.path().to_owned()), None).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("kubeconfig `{}`: failed to parse kubeconfig YAML", bad.path().display())) && !error.contains('\n'),
            "{error}"
        );
        let error = Cluster::find(Some("/nowhere/config".into()), None).unwrap_err().to_string();
        assert!(error.starts_with("kubeconfig `/nowhere/config`: ") && error.contains("No such file"), "{error}");
    }

    fn written(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[track_caller]
    fn check(error: ConnectError, want: &str) {
        assert_eq!(error.to_string(), want);
    }
}

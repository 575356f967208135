//! The programs of the control plane, built from their Go modules and kept for later runs.
//!
//! `tests/control-plane/go.mod` names them as tools and pins their versions; nothing else does. They are kept below the user's
//! cache directory, in a directory named after the version and a hash of `go.mod`, `go.sum` and the way they are built.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use twox_hash::XxHash3_64;

use super::poll;

const GO_MOD: &str = include_str!("../../control-plane/go.mod");
const GO_SUM: &str = include_str!("../../control-plane/go.sum");

/// What is built, as Go calls it and as we do.
const PROGRAMS: [(&str, &str); 6] = [
    ("server", "etcd"),
    ("kwok", "kwok"),
    ("kubectl", "kubectl"),
    ("kube-apiserver", "kube-apiserver"),
    ("kube-controller-manager", "kube-controller-manager"),
    ("kube-scheduler", "kube-scheduler"),
];

/// Why the programs are not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// They were never built here, and there is no Go to build them with.
    #[error("`{}` is absent, and so is the `go` command to build it with", cache.display())]
    NoGo {
        /// Where the programs would be.
        cache: PathBuf,
    },
    /// Nothing says where the user's cache is.
    #[error("neither `XDG_CACHE_HOME` nor `HOME` is set, so there is no place for the control plane's programs")]
    NoCache,
    /// The build ended with an error; Go is too old, or a module cannot be fetched.
    #[error("`go install` failed: {output}")]
    Failed {
        /// The end of what Go said.
        output: String,
    },
    /// A file or a process was refused.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Returns the version of Kubernetes that `go.mod` pins, with its `v`.
///
/// # Example
///
/// ```
/// assert!(faro_tests::control_plane::kubernetes_version().starts_with("v1."));
/// ```
pub fn kubernetes_version() -> &'static str {
    GO_MOD
        .lines()
        .find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "))
        .and_then(|rest| rest.split_whitespace().next())
        .expect("go.mod requires k8s.io/kubernetes")
}

/// The built programs.
#[derive(Clone, Debug)]
pub struct Binaries {
    directory: PathBuf,
}

impl Binaries {
    /// Finds the programs in the cache, or builds them there; says so on stderr, for a build takes minutes.
    ///
    /// Of several processes one builds and the others wait. A build that is cut short leaves nothing that looks finished.
    ///
    /// # Errors
    ///
    /// Fails when the programs are absent and cannot be built.
    pub fn ensure() -> Result<Self, BuildError> {
        let cache = cache_directory().ok_or(BuildError::NoCache)?;
        let home = cache.join(cache_name());
        let found = Self { directory: home.join("bin") };
        if home.is_dir() {
            return Ok(found);
        }
        if !has_go() {
            return Err(BuildError::NoGo { cache: home });
        }
        fs::create_dir_all(&cache).map_err(io_error("create", &cache))?;
        let lock_path = cache.join("control-plane.lock");
        let lock = File::create(&lock_path).map_err(io_error("create", &lock_path))?;
        lock.lock().map_err(io_error("lock", &lock_path))?;
        // Whoever held the lock before may have built them.
        if !home.is_dir() {
            build(&home)?;
        }
        Ok(found)
    }

    /// Returns the directory of the programs, for a `PATH`.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the path of one of them.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

fn cache_directory() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")))?;
    Some(cache.join("faro"))
}

fn cache_name() -> String {
    let recipe = [GO_MOD, GO_SUM, &linker_flags()].concat();
    format!("control-plane-{}-{:08x}", kubernetes_version(), XxHash3_64::oneshot(recipe.as_bytes()) >> 32)
}

fn has_go() -> bool {
    Command::new("go").arg("version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|it| it.success())
}

/// Kubernetes learns its version from the linker: built as a module, it would call itself `v0.0.0-master`.
fn linker_flags() -> String {
    let version = kubernetes_version();
    let mut parts = version.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut flags = "-s -w".to_owned();
    for package in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"] {
        for (name, value) in [("gitVersion", version), ("gitMajor", major), ("gitMinor", minor), ("gitTreeState", "clean")] {
            flags += &format!(" -X {package}.{name}={value}");
        }
    }
    flags
}

fn build(home: &Path) -> Result<(), BuildError> {
    let begun = Instant::now();
    let unfinished = home.with_added_extension("building");
    let bin = unfinished.join("bin");
    match fs::remove_dir_all(&unfinished) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(io_error("remove", &unfinished)(err)),
        Ok(()) | Err(_) => {}
    }
    fs::create_dir_all(&bin).map_err(io_error("create", &bin))?;
    let log_path = unfinished.join("build.log");
    let log = File::create(&log_path).map_err(io_error("create", &log_path))?;
    say(&format!("building the control plane {} into {}: minutes, once", kubernetes_version(), home.display()));
    let go = Command::new("go")
        .args(["install", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", &linker_flags(), "tool"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/control-plane"))
        .env("GOBIN", &bin)
        .env("CGO_ENABLED", "0")
        // The toolchain that is installed, and no other workspace's modules.
        .env("GOTOOLCHAIN", "local")
        .env("GOWORK", "off")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(io_error("start", Path::new("go")))?;
    watch(go, &bin, &log_path)?;
    for (built, name) in PROGRAMS {
        let (built, name) = (bin.join(built), bin.join(name));
        fs::rename(&built, &name).map_err(io_error("rename", &built))?;
    }
    fs::rename(&unfinished, home).map_err(io_error("rename", &unfinished))?;
    say(&format!("built the control plane in {} s", begun.elapsed().as_secs()));
    Ok(())
}

/// Waits for Go and names each program as it appears.
fn watch(mut go: Child, bin: &Path, log: &Path) -> Result<(), BuildError> {
    let mut seen = 0;
    let status = loop {
        let status = go.try_wait().map_err(io_error("wait for", Path::new("go")))?;
        let built = PROGRAMS.iter().filter(|(name, _)| bin.join(name).exists()).count();
        if built > seen {
            seen = built;
            say(&format!("built {built} of {} programs", PROGRAMS.len()));
        }
        match status {
            Some(status) => break status,
            None => poll::pause(Duration::from_millis(200)),
        }
    };
    if status.success() {
        return Ok(());
    }
    let output = fs::read_to_string(log).unwrap_or_default();
    let last: Vec<&str> = output.lines().rev().take(5).collect();
    Err(BuildError::Failed { output: last.into_iter().rev().collect::<Vec<_>>().join("; ") })
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BuildError {
    move |source| BuildError::Io { action, path: path.to_owned(), source }
}

/// Says it on the real stderr, which the test harness does not hold back as it does what is printed.
pub(super) fn say(message: &str) {
    // Nobody is left to be told about a closed stderr.
    drop(writeln!(io::stderr().lock(), "faro-tests: {message}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_go_mod() {
        assert!(GO_MOD.contains(&format!("k8s.io/kubernetes {}", kubernetes_version())));
        assert!(linker_flags().contains(&format!("k8s.io/component-base/version.gitVersion={} ", kubernetes_version())));
    }

    #[test]
    fn the_cache_is_named_after_the_version() {
        assert!(cache_name().starts_with(&format!("control-plane-{}-", kubernetes_version())), "{}", cache_name());
    }
}

//! The directory of a control plane.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// `$1` is a directory that is removed at the end of the pipe, unless a line came before. What wrote there may take a moment to end.
const TIDY: &str = r#"
exec >/dev/null 2>&1
read -r keep && exit
tries=0
until rm -rf "$1" || [ "$tries" -gt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
"#;

/// The lines of each log that are shown after a failure.
const LAST_LINES: usize = 15;

/// A directory that is removed when this is dropped or when our process ends, unless it is to be kept.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    tidier: Child,
}

impl Directory {
    /// Makes a new directory below the system's directory for temporary files.
    pub(super) fn create() -> io::Result<Self> {
        let path = tempfile::Builder::new().prefix("faro-control-plane-").permissions(fs::Permissions::from_mode(0o700)).tempdir()?.keep();
        let tidier = Command::new("sh")
            .args(["-c", TIDY, "sh"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { path, tidier })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns where the output of a component goes.
    pub(super) fn log(&self, component: &str) -> PathBuf {
        self.path.join(format!("{component}.log"))
    }

    /// Returns the last lines of each log, under its path.
    pub(super) fn last_lines(&self) -> String {
        let mut logs: Vec<PathBuf> = fs::read_dir(&self.path)
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|it| it == "log"))
            .collect();
        logs.sort();
        let mut shown = String::new();
        for path in logs {
            let log = fs::read(&path).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
            shown += &format!("--- {}\n{}\n", path.display(), last.join("\n"));
        }
        shown
    }

    /// Lets the directory stay.
    pub(super) fn keep(&mut self) {
        if let Some(mut pipe) = self.tidier.stdin.take() {
            drop(writeln!(pipe, "keep"));
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(self.tidier.stdin.take());
        drop(self.tidier.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_goes_unless_it_is_kept() {
        let gone = Directory::create().expect("created").path().to_owned();
        assert!(!gone.exists());
        let mut directory = Directory::create().expect("created");
        directory.keep();
        let kept = directory.path().to_owned();
        drop(directory);
        assert!(kept.exists());
        fs::remove_dir_all(kept).expect("removed");
    }
}

//! Which inputs the command line means.

use crate::failure::Failure;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// One input.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Input {
    /// Standard input, given as `-`.
    Stdin,
    /// A file that can be read again.
    File(PathBuf),
    /// A named pipe, a device, a process substitution: what is read is gone.
    Pipe(PathBuf),
}

impl Input {
    /// The name in messages, without control characters.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(path) | Self::Pipe(path) => crate::notice::shown(&path.to_string_lossy()),
        }
    }

    /// The size of a plain file.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Self::File(path) => std::fs::metadata(path).ok().map(|metadata| metadata.len()),
            Self::Stdin | Self::Pipe(_) => None,
        }
    }
}

/// Endings of the files that are read from a directory.
const ENDINGS: [&str; 5] = ["ndjson", "jsonl", "json", "yaml", "yml"];

/// Resolves directories, and finds out early what cannot be read.
pub(crate) fn expand(paths: &[PathBuf]) -> Result<Vec<Input>, Failure> {
    let mut inputs = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            if inputs.contains(&Input::Stdin) {
                return Err(Failure::usage("`-` is given twice: standard input can be read once"));
            }
            inputs.push(Input::Stdin);
            continue;
        }
        let metadata = std::fs::metadata(path).map_err(|error| Failure::io("cannot read", path, &error))?;
        if metadata.is_dir() {
            let before = inputs.len();
            directory(path, &mut inputs)?;
            if inputs.len() == before {
                let what = format!("no {} in `{}`", ENDINGS.map(|ending| format!("*.{ending}")).join(", "), path.display());
                return Err(Failure::failed(what));
            }
        } else if metadata.is_file() {
            std::fs::File::open(path).map_err(|error| Failure::io("cannot read", path, &error))?;
            inputs.push(Input::File(path.clone()));
        } else {
            inputs.push(Input::Pipe(path.clone()));
        }
    }
    Ok(inputs)
}

fn directory(path: &Path, inputs: &mut Vec<Input>) -> Result<(), Failure> {
    let failure = |error: &std::io::Error| Failure::io("cannot read", path, error);
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| failure(&error))? {
        entries.push(entry.map_err(|error| failure(&error))?);
    }
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // Links are followed to files, not to directories: those can lead in a circle.
        let kind = entry.file_type().map_err(|error| failure(&error))?;
        if kind.is_dir() {
            directory(&path, inputs)?;
        } else if is_recording(&entry.file_name()) {
            match std::fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => inputs.push(Input::File(path)),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(Failure::io("cannot read", &path, &error)),
            }
        }
    }
    Ok(())
}

fn is_recording(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let name = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name);
    name.rsplit_once('.').is_some_and(|(stem, ending)| !stem.is_empty() && ENDINGS.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_are_told_by_their_names() {
        for (name, want) in
            [("a.ndjson", true), ("a.json.gz", true), ("a.yml.zst", true), ("a.gz", false), ("a.txt", false), (".json", false)]
        {
            assert_eq!(is_recording(OsStr::new(name)), want, "{name}");
        }
    }
}

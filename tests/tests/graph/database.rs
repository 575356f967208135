//! A graph database that runs within a process, from the Python package index.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The package, with its version.
const PACKAGE: &str = "ladybug==0.22.0";

/// Runs statements; returns what the queries among them answered, a line of JSON each. Where the database cannot be had it says
/// "skipped" and why, and returns nothing; with `FARO_REQUIRE_GRAPH_DATABASE=1` that is a failure.
pub(crate) fn ask(statements: &str) -> Option<Vec<serde_json::Value>> {
    let python = match python() {
        Ok(python) => python,
        Err(reason) => {
            let required = std::env::var("FARO_REQUIRE_GRAPH_DATABASE").is_ok_and(|value| value == "1");
            assert!(!required, "the graph database cannot be had: {reason}");
            eprintln!("skipped: the graph database cannot be had: {reason}");
            return None;
        }
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/graph/load.py");
    let mut child = Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = statements.to_owned();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the database refuses");
    Some(String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// An interpreter that has the package; installed once, beside the other tools of the tests.
fn python() -> Result<PathBuf, String> {
    let home =
        std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let place = home.ok_or("there is no home directory")?.join("faro").join(PACKAGE.replace("==", "-"));
    let python = place.join("bin/python");
    if python.exists() {
        return Ok(python);
    }
    // Whoever is interrupted leaves nothing behind that looks whole.
    fs::create_dir_all(place.parent().ok_or("no folder")?).map_err(|error| error.to_string())?;
    let building = tempfile::tempdir_in(place.parent().ok_or("no folder")?).map_err(|error| error.to_string())?;
    run(Command::new("python3").args(["-m", "venv"]).arg(building.path()))?;
    let pip = building.path().join("bin/python");
    run(Command::new(pip).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", PACKAGE]))?;
    match fs::rename(building.path(), &place) {
        Ok(()) => Ok(python),
        // Another test was faster.
        Err(_) if python.exists() => Ok(python),
        Err(error) => Err(error.to_string()),
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(said.lines().last().unwrap_or_default().to_owned()) }
}

//! Writes the recordings that tests, benchmarks and demonstrations read.

use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;

use faro_tests::{cilium_night, flood};

const USAGE: &str = "usage: faro-generate cilium-night [--seed N]
       faro-generate flood [--events N] [--groups N] [--seed N]";

/// What to write.
#[derive(Clone, Copy, Debug)]
enum Recording {
    CiliumNight { seed: u64 },
    Flood(flood::Flood),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let recording = match parse(&arguments) {
        Ok(recording) => recording,
        Err(problem) => {
            eprintln!("faro-generate: {problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match generate(recording) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader left: nothing is wrong on our side.
        Err(err) if err.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("faro-generate: cannot write to stdout: {err}");
            ExitCode::FAILURE
        }
    }
}

fn generate(recording: Recording) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match recording {
        Recording::CiliumNight { seed } => cilium_night::write(&mut out, seed)?,
        Recording::Flood(flood) => flood::write(&mut out, &flood)?,
    }
    out.flush()
}

fn parse(arguments: &[String]) -> Result<Recording, String> {
    let (name, options) = arguments.split_first().ok_or("no recording named")?;
    let mut recording = match name.as_str() {
        "cilium-night" => Recording::CiliumNight { seed: cilium_night::DEFAULT_SEED },
        "flood" => Recording::Flood(flood::Flood::default()),
        other => return Err(format!("unknown recording `{other}`")),
    };
    for pair in options.chunks(2) {
        let [option, value] = pair else { return Err(format!("`{}` needs a value", pair[0])) };
        match (&mut recording, option.as_str()) {
            (Recording::CiliumNight { seed }, "--seed") => *seed = number(option, value)?,
            (Recording::Flood(flood), "--seed") => flood.seed = number(option, value)?,
            (Recording::Flood(flood), "--events") => flood.events = number(option, value)?,
            (Recording::Flood(flood), "--groups") => flood.groups = number(option, value)?,
            (Recording::CiliumNight { .. } | Recording::Flood(_), other) => {
                return Err(format!("unknown option `{other}`"));
            }
        }
    }
    match recording {
        Recording::Flood(flood) if flood.groups > flood.events => {
            Err(format!("{} events cannot make {} groups", flood.events, flood.groups))
        }
        Recording::Flood(_) | Recording::CiliumNight { .. } => Ok(recording),
    }
}

fn number<T: std::str::FromStr>(option: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("`{option}` takes a number, not `{value}`"))
}

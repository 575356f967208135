//! Options from a file: YAML by their long names, strict.

use super::{Cli, Command, Program, command};
use crate::failure::Failure;
use crate::notice::shown;
use crate::watch::KEYS;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, FromArgMatches};
use faro_core::Suggestion;
use serde_json::Value;
use std::ffi::OsString;
use std::path::Path;

/// Options that only make sense on the command line.
const NOT_HERE: [&str; 3] = ["config", "help", "version"];

/// Reads the options of `file`, less those that the command line gave, as arguments.
pub(super) fn read(program: Program, subcommand: &str, file: &Path, given: &ArgMatches) -> Result<Vec<OsString>, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::usage(format!("cannot read `{}`: {error}", file.display())))?;
    let wrong = |line: usize, what: String| Failure::usage(format!("{}:{line}: {what}", file.display()));
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
        with_snippet: false,
    };
    let entries: Value = serde_saphyr::from_str_with_options(&text, options).map_err(|error| {
        let line = error.location().map_or(1, |location| usize::try_from(location.line()).unwrap_or(1));
        let what = error.to_string();
        wrong(line, what.split(" at line ").next().unwrap_or_default().to_owned())
    })?;
    let entries = match entries {
        Value::Null => return Ok(Vec::new()),
        Value::Object(entries) => entries,
        Value::Array(_) | Value::String(_) | Value::Number(_) | Value::Bool(_) => {
            return Err(wrong(1, "options are given as `name: value`".to_owned()));
        }
    };
    let whole = command(program);
    let Some(chosen) = whole.find_subcommand(subcommand) else { return Ok(Vec::new()) };
    let known: Vec<&Arg> = chosen.get_arguments().filter(|arg| arg.get_long().is_some_and(|long| !NOT_HERE.contains(&long))).collect();
    let mut more = Vec::new();
    for (name, value) in entries.iter().filter(|(name, _)| !entries_of(subcommand).contains(&name.as_str())) {
        let line = line_of(&text, name);
        let Some(arg) = known.iter().find(|arg| arg.get_long() == Some(name)) else {
            let options = known.iter().filter_map(|arg| arg.get_long());
            let hint = Suggestion::of(name, options.chain(entries_of(subcommand).iter().map(|entry| &**entry)));
            return Err(wrong(line, format!("unknown option `{}`{hint}", shown(name))));
        };
        let values = arguments(arg, name, value).map_err(|what| wrong(line, what))?;
        check(program, subcommand, &values).map_err(|what| wrong(line, what))?;
        let on_command_line = given.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
        let all = name == "namespace" && given.get_flag("all_namespaces");
        let some = name == "all-namespaces" && given.value_source("namespace") == Some(ValueSource::CommandLine);
        if !on_command_line && !all && !some {
            more.extend(values);
        }
    }
    Ok(more)
}

/// The keys that are no options: what to watch.
fn entries_of(subcommand: &str) -> &'static [&'static str] {
    if subcommand == "replay" { &[] } else { &KEYS }
}

/// One option as it would stand on the command line.
fn arguments(arg: &Arg, name: &str, value: &Value) -> Result<Vec<OsString>, String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let option = |text: String| OsString::from(format!("--{name}={text}"));
    if matches!(arg.get_action(), ArgAction::SetTrue) {
        return match value {
            Value::Bool(true) => Ok(vec![OsString::from(format!("--{name}"))]),
            Value::Bool(false) => Ok(Vec::new()),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                Err(format!("`{name}` is true or false"))
            }
        };
    }
    if let (Value::Array(values), ArgAction::Append) = (value, arg.get_action()) {
        let texts: Option<Vec<String>> = values.iter().map(text).collect();
        return texts.map(|texts| texts.into_iter().map(option).collect()).ok_or_else(|| format!("`{name}` is a list of texts"));
    }
    text(value).map(|text| vec![option(text)]).ok_or_else(|| format!("`{name}` is one value"))
}

/// Lets clap judge one option alone, so that what it says belongs to one line.
fn check(program: Program, subcommand: &str, values: &[OsString]) -> Result<(), String> {
    let head = [OsString::from(program.name()), OsString::from(subcommand)];
    let input = (subcommand == "replay").then(|| OsString::from("-"));
    let args = head.into_iter().chain(values.iter().cloned()).chain(input);
    let error = match command(program).try_get_matches_from(args) {
        Ok(matches) => return check_value(&matches),
        Err(error) => error,
    };
    let text = error.render().to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("Usage:") && !line.starts_with("For more"));
    Err(lines.collect::<Vec<_>>().join("; ").trim_start_matches("error: ").to_owned())
}

/// Judges what clap leaves alone: selectors and conditions.
fn check_value(matches: &ArgMatches) -> Result<(), String> {
    // What clap took, it also reads.
    let Ok(cli) = Cli::from_arg_matches(matches) else { return Ok(()) };
    let selection = match &cli.command {
        Command::Replay(args) => &args.selection,
        Command::Watch(args) => &args.selection,
        Command::Record(_)
        | Command::Explain(_)
        | Command::Graph(_)
        | Command::Schema
        | Command::Reasons { .. }
        | Command::Causes { .. }
        | Command::CheckConfig { .. }
        | Command::Completions { .. } => return Ok(()),
    };
    crate::settings::check(selection).map_err(|failure| failure.to_string())
}

/// The line on which an option stands, from 1.
fn line_of(text: &str, name: &str) -> usize {
    let is_key = |line: &str| {
        let line = line.trim_start_matches(['"', '\'']);
        line.strip_prefix(name).is_some_and(|rest| rest.trim_start_matches(['"', '\'']).trim_start().starts_with(':'))
    };
    text.lines().position(is_key).map_or(1, |at| at + 1)
}

//! What is said to people on standard error.

use std::io::Write;
use std::sync::OnceLock;

/// How much is said: `RUST_LOG`, warnings unless told otherwise.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Level {
    Off,
    Error,
    Warn,
    Info,
}

static LEVEL: OnceLock<Level> = OnceLock::new();

/// The name under which the program was started, which every message begins with.
static PROGRAM: OnceLock<&'static str> = OnceLock::new();

/// Sets the name that messages begin with.
pub(crate) fn program(name: &'static str) {
    PROGRAM.get_or_init(|| name);
}

/// Says what a person should know although the run goes on. `text` is escaped.
pub(crate) fn warn(text: &str) {
    if *LEVEL.get_or_init(level) >= Level::Warn {
        line(&shown(text));
    }
}

/// Says how things go. `text` is escaped.
pub(crate) fn info(text: &str) {
    if *LEVEL.get_or_init(level) >= Level::Info {
        line(&shown(text));
    }
}

/// Writes one line; when standard error is closed, nobody wants to know.
pub(crate) fn line(text: &str) {
    let name = PROGRAM.get().copied().unwrap_or("faro-cli");
    let _ = std::io::stderr().lock().write_all(format!("{name}: {text}\n").as_bytes());
}

fn level() -> Level {
    let wanted = std::env::var("RUST_LOG").unwrap_or_default();
    // `warn`, `faro=info`, `info,hyper=off`: the first that is meant for everything or for Faro.
    let ours = wanted.split(',').find_map(|part| match part.split_once('=') {
        None => Some(part),
        Some((target, level)) => target.starts_with("faro").then_some(level),
    });
    match ours.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "off" => Level::Off,
        "error" => Level::Error,
        "info" | "debug" | "trace" => Level::Info,
        _ => Level::Warn,
    }
}

/// Text as a terminal may see it: control characters, and what turns the direction of text, as escapes.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        push_shown(&mut shown, c);
    }
    shown
}

/// Appends one character as a terminal may see it.
pub(crate) fn push_shown(shown: &mut String, c: char) {
    if obeyed(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
}

/// Whether a terminal does not show a character but obeys it: controls, and marks that end lines or turn their direction.
pub(crate) fn obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(shown("a\u{1b}[31m\n\u{7}\u{9b}\u{202e}é"), "a\\u{1b}[31m\\n\\u{7}\\u{9b}\\u{202e}é");
    }
}

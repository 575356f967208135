//! Anchored patterns that extract words, and texts with places for them.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

/// What was extracted from a text, by name.
pub(crate) type Captures = BTreeMap<String, String>;

/// What is extracted is cut at this many bytes.
const EXTRACT: usize = 256;

/// A compiled pattern stays below this size; none of the catalogue comes near.
const COMPILED: usize = 1 << 20;

/// A pattern that must match the whole of a text: `*` stands for any run of characters, `{name}` for a word and `{name...}` for any
/// text that is extracted, `{{` for a brace, and everything else for itself.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    source: Box<str>,
    // The longest run of plain characters.
    literal: Box<str>,
    // Compiled when it is first tried: a run tries few of them.
    compiled: OnceLock<Option<Regex>>,
}

impl Template {
    /// What is wrong with it, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        let pieces = pieces(&self.source);
        let vague = pieces.windows(2).find_map(|pair| match pair {
            [Piece::Place(name), Piece::Plain("*")] if name.ends_with("...") => Some(format!("`{{{name}}}*` extracts one character")),
            [Piece::Place(a), Piece::Place(b)] => Some(format!("nothing tells `{{{a}}}` from `{{{b}}}`")),
            _ => None,
        });
        if vague.is_some() || compile(&self.source).is_some() {
            return vague;
        }
        Some("a name in braces must be a word that stands once".to_owned())
    }

    /// The names of what it extracts.
    pub(super) fn names(&self) -> Vec<&str> {
        let names = pieces(&self.source).into_iter().filter_map(|piece| match piece {
            Piece::Place(name) => Some(name.trim_end_matches("...")),
            Piece::Plain(_) => None,
        });
        names.collect()
    }

    /// Returns what is extracted, if the text matches.
    pub(crate) fn read(&self, text: &str) -> Option<Captures> {
        match &*self.source {
            "*" => return Some(Captures::new()),
            "" => return text.is_empty().then(Captures::new),
            _ => {}
        }
        // Most patterns of a reason do not fit, and nearly all of those lack the longest run of plain characters.
        if !text.contains(&*self.literal) {
            return None;
        }
        let regex = self.compiled.get_or_init(|| compile(&self.source)).as_ref()?;
        let found = regex.captures(text)?;
        let named = regex.capture_names().flatten().filter_map(|name| Some((name.to_owned(), extract(found.name(name)?.as_str()))));
        Some(named.filter(|(_, text)| !text.is_empty()).collect())
    }

    fn new(source: Box<str>) -> Self {
        let plain = pieces(&source).into_iter().filter_map(|piece| match piece {
            Piece::Plain("*") | Piece::Place(_) => None,
            Piece::Plain(text) => Some(text),
        });
        let literal = plain.max_by_key(|text| text.len()).unwrap_or("").into();
        Self { literal, source, compiled: OnceLock::new() }
    }
}

/// A part of a text as it stands in sentences: in one line, without the stop at its end, and not too long.
pub(super) fn extract(text: &str) -> String {
    let text = if text.contains(['\n', '\r', '\t']) { Cow::Owned(one_line(text)) } else { Cow::Borrowed(text) };
    let text = text.trim().trim_end_matches(['.', ',', ';', ':', ' ']);
    text[..text.floor_char_boundary(EXTRACT)].to_owned()
}

/// Runs of spaces and line ends as one space.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn compile(source: &str) -> Option<Regex> {
    let mut regex = String::from("^");
    for piece in pieces(source) {
        match piece {
            Piece::Plain("*") => regex.push_str(".*?"),
            Piece::Plain(text) => regex.push_str(&regex::escape(text)),
            Piece::Place(name) => match name.strip_suffix("...") {
                Some(name) => regex.push_str(&format!("(?P<{name}>.+?)")),
                // As much as there is of a word, also before `*`.
                None => regex.push_str(&format!("(?P<{name}>[^\\s\"',;()]+)")),
            },
        }
    }
    regex.push('$');
    RegexBuilder::new(&regex).dot_matches_new_line(true).size_limit(COMPILED).build().ok()
}

/// A part of a pattern or of a text with places.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Piece<'a> {
    /// Stands for itself; a `*` comes alone.
    Plain(&'a str),
    /// What stands in braces.
    Place(&'a str),
}

/// `{{` is a brace; one that nothing closes stands for itself.
fn pieces(source: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = source;
    while !rest.is_empty() {
        let (piece, length) = if rest.starts_with("{{") {
            (Piece::Plain("{"), 2)
        } else if let Some((name, _)) = rest.strip_prefix('{').and_then(|after| after.split_once('}')) {
            (Piece::Place(name), name.len() + 2)
        } else if rest.starts_with(['*', '{']) {
            (Piece::Plain(&rest[..1]), 1)
        } else {
            let length = rest.find(['*', '{']).unwrap_or(rest.len());
            (Piece::Plain(&rest[..length]), length)
        };
        pieces.push(piece);
        rest = &rest[length..];
    }
    pieces
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<str>::deserialize(deserializer).map(Self::new)
    }
}

impl Serialize for Template {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

/// Puts what is known into the places of a text. A place that `value` has nothing for gets what stands for the unknown; without that
/// there is no text. Words before the name in the braces come with the value or not at all: `{-n namespace}`.
pub(crate) fn fill(text: &str, unknown: Option<&str>, mut value: impl FnMut(&str) -> Option<String>) -> Option<String> {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Plain(text) => filled.push_str(text),
            Piece::Place(place) => {
                let (words, name) = named(place);
                match (value(name), words) {
                    (Some(value), Some(words)) => filled.extend([words, " ", &value]),
                    (Some(value), None) => filled.push_str(&value),
                    (None, Some(_)) => filled.truncate(filled.trim_end_matches(' ').len()),
                    (None, None) => filled.push_str(unknown?),
                }
            }
        }
    }
    Some(filled)
}

/// The words before the name of a place, and the name.
fn named(place: &str) -> (Option<&str>, &str) {
    let (words, name) = place.rsplit_once(' ').map_or((None, place), |(words, name)| (Some(words), name));
    (words, name.trim_end_matches("..."))
}

/// The names of the places of a text.
pub(super) fn names(text: &str) -> impl Iterator<Item = &str> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Place(place) => Some(named(place).1),
        Piece::Plain(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_the_whole_text_and_extract_words() {
        check("Back-off pulling image \"{image}\"*", "Back-off pulling image \"shop/web:1\"", Some(&[("image", "shop/web:1")]));
        check("Back-off pulling image \"{image}\"*", "note: Back-off pulling image \"shop/web:1\"", None);
        check("*Insufficient {resource}.*", "0/3 nodes are available: 3 Insufficient cpu. preemption: no", Some(&[("resource", "cpu")]));
        check("secret \"{secret}\" not found", "secret \"a b\" not found", None);
        check("*untolerated taint {{{taint...}}*", "3 node(s) had untolerated taint {pool: gpu}. x", Some(&[("taint", "pool: gpu")]));
        check("{detail...}", "line one\n  line two.", Some(&[("detail", "line one line two")]));
        check("Too many {resource}*", "Too many pods. x", Some(&[("resource", "pods")]));
        check("*lookup {host} on *", "dial: lookup a.b on 10.0.0.2:53: x", Some(&[("host", "a.b")]));
        check("", "", Some(&[]));
        check("", "x", None);
    }

    #[test]
    fn pattern_that_extracts_next_to_nothing_is_at_fault() {
        for (pattern, fault) in
            [("{a...}*", "one character"), ("{a}{b}", "nothing tells"), ("{a} {a}", "stands once"), ("{a b}", "stands once")]
        {
            assert!(Template::new(pattern.into()).fault().is_some_and(|found| found.contains(fault)), "{pattern}");
        }
        assert_eq!(Template::new("{a}* {b...}: {{{c}}".into()).fault(), None);
    }

    #[test]
    fn text_without_a_value_is_left_out() {
        let fill = |text: &str| fill(text, None, |name: &str| (name == "a").then(|| "1".to_owned()));
        assert_eq!(fill("x {a} y {a...}"), Some("x 1 y 1".to_owned()));
        assert_eq!(fill("x {b}"), None);
        assert_eq!(fill("x {-n a} y"), Some("x -n 1 y".to_owned()));
        assert_eq!(fill("x {-n b} y{; also b...}."), Some("x y.".to_owned()));
        assert_eq!(fill("-o jsonpath={{.spec.a} {a}"), Some("-o jsonpath={.spec.a} 1".to_owned()));
        assert_eq!(fill("{a"), Some("{a".to_owned()));
    }

    #[track_caller]
    fn check(pattern: &str, text: &str, want: Option<&[(&str, &str)]>) {
        let template = Template::new(pattern.into());
        let want = want.map(|pairs| pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect::<Captures>());
        assert_eq!(template.read(text), want, "{pattern} on {text}");
    }
}

//! Anchored patterns that extract words, and texts with places for them.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
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
    /// Whether it can be read at all.
    pub(super) fn compiles(&self) -> bool {
        compile(&self.source).is_some()
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
        let named = regex.capture_names().flatten().filter_map(|name| {
            let text = found.name(name)?.as_str().trim().trim_end_matches(['.', ',', ';', ':']);
            Some((name.to_owned(), text[..text.floor_char_boundary(EXTRACT)].to_owned()))
        });
        Some(named.filter(|(_, text)| !text.is_empty()).collect())
    }

    fn new(source: Box<str>) -> Self {
        // Between braces stands the name of what is extracted.
        let is_name = |part: &str| !part.is_empty() && source.contains(&format!("{{{part}}}"));
        let literal = source.split(['*', '{', '}']).filter(|part| !is_name(part)).max_by_key(|part| part.len()).unwrap_or("").into();
        Self { literal, source, compiled: OnceLock::new() }
    }
}

fn compile(source: &str) -> Option<Regex> {
    let mut regex = String::from("^");
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if c == '*' {
            regex.push_str(".*?");
        } else if c == '{'
            && !after.starts_with('{')
            && let Some((name, tail)) = after.split_once('}')
        {
            match name.strip_suffix("...") {
                Some(name) => regex.push_str(&format!("(?P<{name}>.+?)")),
                None => regex.push_str(&format!("(?P<{name}>[^\\s\"',;()]+?)")),
            }
            rest = tail;
            continue;
        } else {
            regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
        }
        rest = after;
    }
    regex.push('$');
    RegexBuilder::new(&regex).dot_matches_new_line(true).size_limit(COMPILED).build().ok()
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

/// Puts what is known into the places of a text; `None` when `value` has nothing for one of them.
pub(crate) fn fill(text: &str, mut value: impl FnMut(&str) -> Option<String>) -> Option<String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, tail) = after.split_once('}')?;
        filled.push_str(&value(name.trim_end_matches("..."))?);
        rest = tail;
    }
    filled.push_str(rest);
    Some(filled)
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
        check("*untolerated taint {{taint...}}*", "3 node(s) had untolerated taint {pool: gpu}. x", Some(&[("taint", "pool: gpu")]));
        check("{detail...}", "line one\nline two", Some(&[("detail", "line one\nline two")]));
        check("", "", Some(&[]));
        check("", "x", None);
    }

    #[test]
    fn text_without_a_value_is_left_out() {
        let value = |name: &str| (name == "a").then(|| "1".to_owned());
        assert_eq!(fill("x {a} y {a...}", value), Some("x 1 y 1".to_owned()));
        assert_eq!(fill("x {b}", value), None);
    }

    #[track_caller]
    fn check(pattern: &str, text: &str, want: Option<&[(&str, &str)]>) {
        let template = Template::new(pattern.into());
        let want = want.map(|pairs| pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect::<Captures>());
        assert_eq!(template.read(text), want, "{pattern} on {text}");
    }
}

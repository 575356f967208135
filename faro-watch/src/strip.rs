//! What may be recorded of a feed line: text surgery that leaves every other byte as it was.
//!
//! Removed are `metadata.managedFields` (its newest time is kept on the envelope as `changedAt`), the annotation
//! `kubectl.kubernetes.io/last-applied-configuration`, and of Secrets `data`, `stringData` and the values of all annotations: with
//! `kubectl apply` the last-applied annotation of a Secret holds its data.

mod members;

use members::{Member, members};
use serde::Deserialize;
use std::borrow::Cow;
use std::ops::Range;

/// The annotation in which `kubectl apply` keeps the whole object.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Returns a feed line as it may be recorded; borrowed when there was nothing to remove.
///
/// A line that cannot be read is returned without its object, never with it: what is not understood may hold anything.
///
/// # Example
///
/// ```
/// let line = r#"{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"a","managedFields":[{"time":"2026-01-02T03:04:05Z"}]}}}"#;
/// let want = r#"{"changedAt":"2026-01-02T03:04:05Z","type":"ADDED","object":{"kind":"Pod","metadata":{"name":"a"}}}"#;
/// assert_eq!(faro_watch::strip(line), want);
/// ```
#[must_use]
pub fn strip(line: &str) -> Cow<'_, str> {
    let Some(envelope) = members(line, 0) else { return Cow::Borrowed("{}") };
    let Some(object) = envelope.iter().find(|member| member.is(line, "object")) else { return Cow::Borrowed(line) };
    let mut cuts = Cuts::default();
    let Some(()) = strip_object(line, object.value.start, &mut cuts) else {
        let mut without = line[..object.whole.start].trim_end().trim_end_matches(',').to_owned();
        without.push('}');
        return Cow::Owned(without);
    };
    cuts.apply(line)
}

/// Removes every value from a Secret's text. `managedFields` name fields, without values, and stay.
pub(crate) fn strip_secret(object: &str) -> Option<String> {
    let mut cuts = Cuts { managed_fields: ManagedFields::Stay, ..Cuts::default() };
    strip_object_as(object, 0, Secrecy::Secret, &mut cuts)?;
    Some(cuts.apply(object).into_owned())
}

/// Returns an object's text with these labels instead of its own; empty means none. `None` when it has no metadata.
pub(crate) fn relabel(object: &str, labels: &str) -> Option<String> {
    let members_of_object = members(object, 0)?;
    let metadata = members_of_object.iter().find(|member| member.is(object, "metadata"))?.value.start;
    let within = members(object, metadata)?;
    let own = within.iter().find(|member| member.is(object, "labels"));
    let (place, instead) = match own {
        Some(own) => (own.value.clone(), if labels.is_empty() { "{}".to_owned() } else { labels.to_owned() }),
        None if labels.is_empty() => return Some(object.to_owned()),
        None => {
            let comma = if within.is_empty() { "" } else { "," };
            (metadata + 1..metadata + 1, format!("\"labels\":{labels}{comma}"))
        }
    };
    let mut told = object.to_owned();
    told.replace_range(place, &instead);
    Some(told)
}

/// What is taken out of a text, and what is put in.
#[derive(Debug, Default)]
struct Cuts {
    ranges: Vec<(Range<usize>, &'static str)>,
    changed_at: Option<String>,
    managed_fields: ManagedFields,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum ManagedFields {
    #[default]
    Go,
    Stay,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Secrecy {
    Open,
    Secret,
}

fn strip_object(text: &str, start: usize, cuts: &mut Cuts) -> Option<()> {
    let object = members(text, start)?;
    let is_secret = |member: &Member| member.is(text, "kind") && matches!(&text[member.value.clone()], "\"Secret\"");
    let secrecy = if object.iter().any(is_secret) { Secrecy::Secret } else { Secrecy::Open };
    strip_object_as(text, start, secrecy, cuts)
}

fn strip_object_as(text: &str, start: usize, secrecy: Secrecy, cuts: &mut Cuts) -> Option<()> {
    let object = members(text, start)?;
    for member in &object {
        if secrecy == Secrecy::Secret && (member.is(text, "data") || member.is(text, "stringData")) {
            cuts.remove(member);
        }
        if member.is(text, "metadata") && text[member.value.clone()].starts_with('{') {
            strip_metadata(text, member.value.start, secrecy, cuts)?;
        }
    }
    Some(())
}

fn strip_metadata(text: &str, start: usize, secrecy: Secrecy, cuts: &mut Cuts) -> Option<()> {
    for member in &members(text, start)? {
        if cuts.managed_fields == ManagedFields::Go && member.is(text, "managedFields") {
            cuts.changed_at = newest(&text[member.value.clone()]);
            cuts.remove(member);
        }
        if member.is(text, "annotations") && text[member.value.clone()].starts_with('{') {
            for annotation in &members(text, member.value.start)? {
                match secrecy {
                    _ if annotation.is(text, LAST_APPLIED) => cuts.remove(annotation),
                    Secrecy::Secret => cuts.ranges.push((annotation.value.clone(), "\"\"")),
                    Secrecy::Open => {}
                }
            }
        }
    }
    Some(())
}

/// The newest `managedFields[].time`.
fn newest(managed_fields: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Entry {
        #[serde(default)]
        time: Option<faro_core::Nanos>,
    }
    let entries: Vec<Entry> = serde_json::from_str(managed_fields).ok()?;
    entries.into_iter().filter_map(|entry| entry.time).max().map(|time| time.to_string())
}

impl Cuts {
    fn remove(&mut self, member: &Member) {
        self.ranges.push((member.whole.clone(), ""));
    }

    fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.ranges.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut made = String::with_capacity(text.len());
        let mut from = 0;
        for (range, instead) in &self.ranges {
            // A comma that follows the last member that is kept, or one that precedes the first, must not stay.
            let range = without_comma(text, range, instead);
            made.push_str(text.get(from..range.start.max(from)).unwrap_or_default());
            made.push_str(instead);
            from = range.end.max(from);
        }
        made.push_str(&text[from..]);
        if let Some(changed_at) = &self.changed_at {
            made.replace_range(..1, &format!("{{\"changedAt\":\"{changed_at}\","));
        }
        Cow::Owned(made)
    }
}

/// A member's range with the comma after it; with the one before it where it is the last.
fn without_comma(text: &str, range: &Range<usize>, instead: &str) -> Range<usize> {
    if !instead.is_empty() {
        return range.clone();
    }
    let bytes = text.as_bytes();
    let after = range.end + bytes[range.end..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    if bytes.get(after) == Some(&b',') {
        return range.start..after + 1;
    }
    let before = text[..range.start].trim_ascii_end();
    if before.ends_with(',') { before.len() - 1..range.end } else { range.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn managed_fields_leave_their_newest_time() {
        check(
            r#"{"receivedAt":"x","type":"ADDED","object":{"metadata":{"managedFields":[{"time":"2026-01-02T03:04:05Z"},{"time":"2026-01-02T03:04:06Z"},{}],"name":"a"},"spec":{"managedFields":1}}}"#,
            r#"{"changedAt":"2026-01-02T03:04:06Z","receivedAt":"x","type":"ADDED","object":{"metadata":{"name":"a"},"spec":{"managedFields":1}}}"#,
        );
        check(r#"{"type":"ADDED","object":{"metadata":{"managedFields":[]}}}"#, r#"{"type":"ADDED","object":{"metadata":{}}}"#);
        check(
            r#"{"type":"ADDED","object":{"metadata":{"a":1, "managedFields" : null }}}"#,
            r#"{"type":"ADDED","object":{"metadata":{"a":1 }}}"#,
        );
    }

    #[test]
    fn last_applied_configuration_goes() {
        check(
            r#"{"type":"ADDED","object":{"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":1}","a":"b"}}}}"#,
            r#"{"type":"ADDED","object":{"metadata":{"annotations":{"a":"b"}}}}"#,
        );
        check(
            r#"{"type":"ADDED","object":{"metadata":{"annotations":{"kubectl.kubernetes.io\/last-applied-configuration":"x"}}}}"#,
            r#"{"type":"ADDED","object":{"metadata":{"annotations":{}}}}"#,
        );
    }

    #[test]
    fn w18_secrets_keep_no_value() {
        check(
            r#"{"type":"ADDED","object":{"kind":"Secret","data":{"p":"aHVudGVyMg=="},"metadata":{"annotations":{"a":"hunter2","kubectl.kubernetes.io/last-applied-configuration":"hunter2"}},"stringData":{"p":"hunter2"}}}"#,
            r#"{"type":"ADDED","object":{"kind":"Secret","metadata":{"annotations":{"a":""}}}}"#,
        );
    }

    #[test]
    fn what_is_not_understood_does_not_pass() {
        check(r#"{"type":"ADDED","object":{"kind":"Secret","data":{"p":"x"#, "{}");
        check(r#"{"receivedAt":"x","type":"ADDED","object":7}"#, r#"{"receivedAt":"x","type":"ADDED"}"#);
    }

    #[test]
    fn other_lines_are_as_they_were() {
        for line in [
            r#"{"control":"listBegin","gvr":"v1/pods"}"#,
            r#"{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"a"},"data":{"b":"c"}}}"#,
        ] {
            assert!(matches!(strip(line), Cow::Borrowed(same) if same == line));
        }
    }

    proptest! {
        #[test]
        fn what_remains_is_json(name in "\\PC{0,12}", before: bool, after: bool, secret: bool) {
            let text = |value: &str| serde_json::Value::from(value).to_string();
            let (front, back) = (if before { "\"a\":[1,{}]," } else { "" }, if after { ",\"z\":\"}\\\"\"" } else { "" });
            let kind = if secret { "Secret" } else { "Pod" };
            let line = format!(
                r#"{{"object":{{"kind":"{kind}","metadata":{{{front}"managedFields":[{{"fieldsV1":{{"f":{}}}}}]{back}}},"data":{{"v":{}}}}}}}"#,
                text(&name), text(&name),
            );
            let stripped: serde_json::Value = serde_json::from_str(&strip(&line)).unwrap();
            let mut want: serde_json::Value = serde_json::from_str(&line).unwrap();
            want["object"]["metadata"].as_object_mut().unwrap().remove("managedFields");
            if secret {
                want["object"].as_object_mut().unwrap().remove("data");
            }
            prop_assert_eq!(stripped, want);
        }

        #[test]
        fn no_text_panics(line in "\\PC{0,40}|[\\[\\]{}\",:a\\\\]{0,40}") {
            let _ = strip(&line);
            let _ = strip(&format!("{{\"object\":{line}}}"));
        }
    }

    #[track_caller]
    fn check(line: &str, want: &str) {
        assert_eq!(strip(line), want);
    }
}

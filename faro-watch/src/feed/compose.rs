//! How deliveries become lines.

use super::stamp::{BLANK, HEAD};
use crate::known::KnownObject;
use crate::line::Object;
use crate::machine::{Change, Changed, Delivery, Evidence, Gap};
use crate::selection::Target;
use crate::strip::{relabel, strip_secret};
use serde_json::Value;
use std::fmt::Write as _;

/// Writes the lines of one watch.
#[derive(Debug)]
pub(crate) struct Composer {
    /// Up to what is different in each line.
    head: String,
    namespace: String,
    kind: String,
    api_version: String,
    secrecy: Secrecy,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Secrecy {
    Open,
    Secret,
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

impl Composer {
    pub(crate) fn new(cluster: &str, target: &Target) -> Self {
        let mut head = format!("{HEAD}{BLANK}\",");
        if !cluster.is_empty() {
            let _ = write!(head, "\"cluster\":{},", quoted(cluster));
        }
        let _ = write!(head, "\"gvr\":{},", quoted(&target.resource.gvr));
        Self {
            head,
            namespace: target.namespace.clone(),
            kind: target.resource.kind.clone(),
            api_version: target.resource.api_version.clone(),
            secrecy: if target.resource.is_secret() { Secrecy::Secret } else { Secrecy::Open },
        }
    }

    /// Writes the line of a delivery.
    pub(crate) fn compose(&self, delivery: &Delivery<'_>) -> String {
        let mut line =
            String::with_capacity(self.head.len() + 96 + if let Delivery::Object(changed) = delivery { changed.text().len() } else { 320 });
        line.push_str(&self.head);
        match delivery {
            Delivery::ListBegin => {
                line.push_str("\"control\":\"listBegin\"");
                self.push_namespace(&mut line);
            }
            Delivery::ListEnd { resource_version, objects } => {
                // A list that was given up says nothing of what is there.
                let aborted = resource_version.is_empty();
                line.push_str(if aborted { "\"control\":\"listAborted\"" } else { "\"control\":\"listEnd\"" });
                self.push_namespace(&mut line);
                if !aborted {
                    let _ = write!(line, ",\"resourceVersion\":{},\"objects\":{objects}", quoted(resource_version));
                }
            }
            Delivery::Object(changed) => self.push_changed(changed, &mut line),
            Delivery::Missing(object) => self.push_missing(object, &mut line),
            Delivery::Gap(gap) => self.push_gap(gap, &mut line),
        }
        line.push('}');
        line
    }

    fn push_namespace(&self, line: &mut String) {
        if !self.namespace.is_empty() {
            let _ = write!(line, ",\"namespace\":{}", quoted(&self.namespace));
        }
    }

    fn push_changed(&self, changed: &Changed<'_>, line: &mut String) {
        line.push_str(match changed.evidence {
            Evidence::Reported => "",
            Evidence::Compared => "\"synthesized\":true,",
            Evidence::LeftSelector => "\"leftSelector\":true,",
            Evidence::ComparedLeftSelector => "\"synthesized\":true,\"leftSelector\":true,",
        });
        line.push_str(match changed.change {
            Change::Added => "\"type\":\"ADDED\",\"object\":",
            Change::Modified => "\"type\":\"MODIFIED\",\"object\":",
            Change::Deleted => "\"type\":\"DELETED\",\"object\":",
        });
        let begun = line.len();
        self.push_object(changed.object, line);
        if let Some(labels) = changed.last_labels() {
            // It was read, so it is an object with metadata.
            let told = relabel(&line[begun..], labels).unwrap_or_else(|| "null".to_owned());
            line.replace_range(begun.., &told);
        }
        if self.secrecy == Secrecy::Secret {
            // What cannot be read is not let through.
            let kept = strip_secret(&line[begun..]).unwrap_or_else(|| "null".to_owned());
            line.replace_range(begun.., &kept);
        }
    }

    /// Writes an object with its own kind: a list leaves it out, and `PartialObjectMetadata` names itself.
    fn push_object(&self, object: &Object<'_>, line: &mut String) {
        let partial = object.kind.is_some_and(|kind| kind.get() == "\"PartialObjectMetadata\"");
        let mut from = 0;
        if partial {
            let mut places = [(object.kind, &self.kind), (object.api_version, &self.api_version)]
                .map(|(value, own)| (value.map(|value| object.place(value)).unwrap_or_default(), own));
            places.sort_unstable_by_key(|(place, _)| place.start);
            for (place, own) in places.into_iter().filter(|(place, _)| !place.is_empty()) {
                line.push_str(&object.text[from..place.start]);
                line.push_str(&quoted(own));
                from = place.end;
            }
        } else if object.kind.is_none()
            && let Some(rest) = object.text.strip_prefix('{')
        {
            let _ = write!(line, "{{\"kind\":{},\"apiVersion\":{}", quoted(&self.kind), quoted(&self.api_version));
            if !rest.trim_ascii_start().starts_with('}') {
                line.push(',');
            }
            from = 1;
        }
        line.push_str(&object.text[from..]);
    }

    fn push_missing(&self, object: &KnownObject<'_>, line: &mut String) {
        let _ = write!(
            line,
            "\"synthesized\":true,\"type\":\"DELETED\",\"object\":{{\"kind\":{},\"apiVersion\":{},\"metadata\":{{\"name\":{}",
            quoted(&self.kind),
            quoted(&self.api_version),
            quoted(&object.name)
        );
        if !object.namespace.is_empty() {
            let _ = write!(line, ",\"namespace\":{}", quoted(&object.namespace));
        }
        let _ = write!(line, ",\"uid\":{}", quoted(&object.uid.to_string()));
        for (key, value) in [("labels", &object.labels), ("ownerReferences", &object.owner_references)] {
            if !value.is_empty() {
                let _ = write!(line, ",\"{key}\":{value}");
            }
        }
        line.push_str("}}");
    }

    fn push_gap(&self, gap: &Gap, line: &mut String) {
        line.push_str("\"control\":\"gap\"");
        self.push_namespace(line);
        let mut end = |name: &str, version: &str, time: faro_core::Nanos| {
            let _ = write!(line, ",\"{name}\":{{");
            if !version.is_empty() {
                let _ = write!(line, "\"resourceVersion\":{},", quoted(version));
            }
            let _ = write!(line, "\"timestamp\":\"{time}\"}}");
        };
        end("from", &gap.from_version, gap.from_time);
        end("to", &gap.to_version, gap.to_time);
        let _ = write!(line, ",\"cause\":\"{}\",\"recovered\":{},\"lost\":\"{}\"", gap.cause.name(), gap.recovered, gap.lost.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::Resource;
    use crate::known::{Uid, Version};
    use crate::machine::{GapCause, Lost};
    use crate::{Choice, Content};
    use faro_core::Nanos;
    use faro_core::input;

    #[test]
    fn object_of_a_list_gets_its_kind() {
        check(
            "v1/pods",
            r#"{"metadata":{"name":"a"}}"#,
            Evidence::Reported,
            r#""type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}"#,
        );
        check("v1/pods", "{}", Evidence::Reported, r#""type":"ADDED","object":{"kind":"Pod","apiVersion":"v1"}"#);
    }

    #[test]
    fn object_of_a_watch_is_passed_on_as_it_is() {
        let pod = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a", "uid":"u"},"spec":{"x":[1, 2]}}"#;
        check("v1/pods", pod, Evidence::Compared, &format!(r#""synthesized":true,"type":"ADDED","object":{pod}"#));
        check("v1/pods", pod, Evidence::LeftSelector, &format!(r#""leftSelector":true,"type":"ADDED","object":{pod}"#));
    }

    #[test]
    fn partial_metadata_gets_its_own_kind_back() {
        for partial in [
            r#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"a"}}"#,
            r#"{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadata","metadata":{"name":"a"}}"#,
        ] {
            let want = partial.replace("PartialObjectMetadata", "Pod").replace("meta.k8s.io/v1", "v1");
            check("v1/pods", partial, Evidence::Reported, &format!(r#""type":"ADDED","object":{want}"#));
        }
    }

    #[test]
    fn object_that_left_its_selector_has_the_labels_it_was_known_by() {
        for (labels, last, want) in [
            (r#","labels":{"app":"b"}"#, r#"{"app":"a"}"#, r#""name":"a","labels":{"app":"a"}"#),
            ("", r#"{"app":"a"}"#, r#""labels":{"app":"a"},"name":"a""#),
            (r#","labels":{"app":"b"}"#, "", r#""name":"a","labels":{}"#),
            ("", "", r#""name":"a""#),
        ] {
            let text = format!(r#"{{"kind":"Pod","metadata":{{"name":"a"{labels}}}}}"#);
            let object = Object::read(&text).unwrap();
            let changed = Changed { change: Change::Deleted, evidence: Evidence::LeftSelector, object: &object, last_labels: Some(last) };
            let line = composer("v1/pods", "").compose(&Delivery::Object(changed));
            assert_eq!(rest(&line), format!(r#""leftSelector":true,"type":"DELETED","object":{{"kind":"Pod","metadata":{{{want}}}}}"#));
        }
    }

    #[test]
    fn w18_annotations_of_secrets_have_no_value() {
        let secret = r#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"a","annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"p\":\"aHVudGVyMg==\"}}","x":"hunter2"}}}"#;
        check(
            "v1/secrets",
            secret,
            Evidence::Reported,
            r#""type":"ADDED","object":{"kind":"Secret","apiVersion":"v1","metadata":{"name":"a","annotations":{"x":""}}}"#,
        );
    }

    #[test]
    fn missing_object_is_made_of_what_is_known() {
        let object = KnownObject {
            namespace: "shop".into(),
            name: "a".into(),
            uid: Uid::new("u1"),
            version: Version::new("7"),
            labels: r#"{"app":"web"}"#.into(),
            owner_references: "".into(),
        };
        let line = composer("v1/pods", "").compose(&Delivery::Missing(&object));
        assert_eq!(
            rest(&line),
            r#""synthesized":true,"type":"DELETED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"shop","uid":"u1","labels":{"app":"web"}}}"#
        );
        assert!(input::read(&line).is_ok());
    }

    #[test]
    fn control_lines_name_their_namespace() {
        let composer = composer("v1/pods", "shop");
        assert_eq!(rest(&composer.compose(&Delivery::ListBegin)), r#""control":"listBegin","namespace":"shop""#);
        let end = composer.compose(&Delivery::ListEnd { resource_version: "7", objects: 2 });
        assert_eq!(rest(&end), r#""control":"listEnd","namespace":"shop","resourceVersion":"7","objects":2"#);
        assert!(input::read(&end).is_ok());
        let gap = Gap {
            from_version: "7".to_owned(),
            from_time: Nanos(0),
            to_version: "9".to_owned(),
            to_time: Nanos(1_000_000_000),
            cause: GapCause::Expired,
            recovered: 3,
            lost: Lost::ShortLivedObjects,
        };
        let want = r#""control":"gap","namespace":"shop","from":{"resourceVersion":"7","timestamp":"1970-01-01T00:00:00Z"},"to":{"resourceVersion":"9","timestamp":"1970-01-01T00:00:01Z"},"cause":"expired","recovered":3,"lost":"short-lived-objects""#;
        assert_eq!(rest(&composer.compose(&Delivery::Gap(gap))), want);
    }

    fn composer(gvr: &str, namespace: &str) -> Composer {
        let kind = if gvr == "v1/secrets" { "Secret" } else { "Pod" };
        let resource = Resource { gvr: gvr.to_owned(), api_version: "v1".to_owned(), kind: kind.to_owned(), ..Resource::default() };
        let target = Target {
            resource,
            namespace: namespace.to_owned(),
            labels: String::new(),
            fields: String::new(),
            choice: Choice::default(),
            content: Content::Whole,
        };
        Composer::new("prod", &target)
    }

    /// What follows the head, without the closing brace.
    #[track_caller]
    fn rest(line: &str) -> &str {
        let (head, rest) = line.split_once("\"gvr\":\"v1/").unwrap();
        assert_eq!(head, format!("{HEAD}{BLANK}\",\"cluster\":\"prod\","));
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
        rest.split_once(',').unwrap().1.strip_suffix('}').unwrap()
    }

    #[track_caller]
    fn check(gvr: &str, object: &str, evidence: Evidence, want: &str) {
        let object = Object::read(object).unwrap();
        let line =
            composer(gvr, "").compose(&Delivery::Object(Changed { change: Change::Added, evidence, object: &object, last_labels: None }));
        assert_eq!(rest(&line), want);
    }
}

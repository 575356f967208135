//! Label selectors, as `kubectl -l` takes them.

use super::SelectorError;
use crate::input::Fields;

/// Requirements on labels, all of which must hold: `app=web,tier!=db,env in (a,b),!canary,owner`.
///
/// As in the API (`k8s.io/apimachinery/pkg/labels`), `!=` and `notin` hold also where the label is absent.
///
/// # Example
///
/// ```
/// use faro_core::filter::LabelSelector;
///
/// assert!(LabelSelector::parse("app=web,env in (prod, test),!canary").is_ok());
/// assert!(LabelSelector::parse("app=web,,").is_err());
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LabelSelector(Vec<Requirement>);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl LabelSelector {
    /// Reads a selector; an empty one selects everything.
    ///
    /// # Errors
    ///
    /// A requirement has no key, a key or value that no label can have, or an operator that is none.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        split(text)?.into_iter().map(requirement).collect::<Result<_, _>>().map(Self)
    }

    /// Tells whether every requirement holds.
    #[must_use]
    pub fn matches(&self, labels: &Fields<'_>) -> bool {
        self.0.iter().all(|requirement| {
            let value = labels.get(&requirement.key);
            let among = |values: &[String]| value.is_some_and(|value| values.iter().any(|one| one == value));
            match &requirement.test {
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
                Test::In(values) => among(values),
                Test::NotIn(values) => !among(values),
            }
        })
    }

    /// Tells whether everything is selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Cuts at the commas that stand outside of parentheses.
fn split(text: &str) -> Result<Vec<&str>, SelectorError> {
    let (mut parts, mut begin, mut inside) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '(' if inside => return Err(SelectorError::malformed(text)),
            '(' => inside = true,
            ')' if !inside => return Err(SelectorError::malformed(text)),
            ')' => inside = false,
            ',' if !inside => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    if inside {
        return Err(SelectorError::malformed(text));
    }
    parts.push(&text[begin..]);
    Ok(parts)
}

fn requirement(text: &str) -> Result<Requirement, SelectorError> {
    let text = text.trim();
    if let Some(name) = text.strip_prefix('!') {
        return Ok(Requirement { key: key(name, text)?, test: Test::Absent });
    }
    for (operator, wanted) in [("!=", false), ("==", true), ("=", true)] {
        if let Some((name, given)) = text.split_once(operator) {
            let values = vec![value(given, text)?];
            return Ok(Requirement { key: key(name, text)?, test: if wanted { Test::In(values) } else { Test::NotIn(values) } });
        }
    }
    let Some((head, list)) = text.split_once('(') else {
        return Ok(Requirement { key: key(text, text)?, test: Test::Exists });
    };
    let list = list.strip_suffix(')').ok_or_else(|| SelectorError::malformed(text))?;
    let values = list.split(',').map(|one| value(one, text)).collect::<Result<_, _>>()?;
    let (name, operator) = head.trim().rsplit_once(char::is_whitespace).ok_or_else(|| SelectorError::malformed(text))?;
    let test = match operator {
        "in" => Test::In(values),
        "notin" => Test::NotIn(values),
        _ => return Err(SelectorError::malformed(text)),
    };
    Ok(Requirement { key: key(name, text)?, test })
}

/// A label's key: a name, after a DNS domain and a slash where it has one.
fn key(text: &str, whole: &str) -> Result<String, SelectorError> {
    let key = text.trim();
    let (domain, name) = key.rsplit_once('/').unwrap_or(("d", key));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if name.is_empty() || name.len() > 63 || domain.is_empty() || domain.len() > 253 || !plain(name) || !plain(domain) {
        return Err(SelectorError::malformed(whole));
    }
    Ok(key.to_owned())
}

/// A label's value, which may be empty.
fn value(text: &str, whole: &str) -> Result<String, SelectorError> {
    let value = text.trim();
    if value.len() > 63 || !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Err(SelectorError::malformed(whole));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Text;
    use proptest::prelude::*;

    #[test]
    fn each_operator_selects() {
        check("app=web", Some(true));
        check("app==web, tier = db", Some(true));
        check("app=other", Some(false));
        check("app!=web", Some(false));
        check("absent!=web", Some(true));
        check("app in (web, api),tier", Some(true));
        check("app notin (web,api)", Some(false));
        check("absent notin (web)", Some(true));
        check("!absent", Some(true));
        check("!app", Some(false));
        check("empty=", Some(true));
        check("example.com/app=1.0", Some(true));
        check("", Some(true));
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for text in [
            "app=web,,",
            "=web",
            "app in web",
            "app in (web",
            "app of (web)",
            "app)",
            "a b",
            "app=we b",
            "app=(a)",
            "a/b/c",
            "/a",
            "ä=b",
            "app>1",
        ] {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,30}|[a-c=!(), /in]{0,30}") {
            let _ = LabelSelector::parse(&text);
        }
    }

    #[track_caller]
    fn check(selector: &str, want: Option<bool>) {
        let labels = [("app", "web"), ("tier", "db"), ("empty", ""), ("example.com/app", "1.0")];
        let labels = Fields(labels.map(|(key, value)| (Text::from(key), Text::from(value))).to_vec());
        assert_eq!(LabelSelector::parse(selector).ok().map(|selector| selector.matches(&labels)), want, "{selector}");
    }
}

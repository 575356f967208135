//! What somebody may have meant who wrote a name that does not exist.

use std::fmt;

/// The known name nearest to a wrong one, when one is near; prints as the end of a message: ``, did you mean `reason`?``.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Suggestion(Option<String>);

impl Suggestion {
    /// Looks for a name that differs from `word` by case or by a slip of the pen or two.
    #[must_use]
    pub fn of<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        // Longer than any name that is known; comparing is quadratic.
        if word.len() > 64 {
            return Self(None);
        }
        let lower = word.to_lowercase();
        let allowed = (lower.chars().count() / 3).clamp(1, 3);
        let near = known.into_iter().filter_map(|name| {
            let distance = strsim::damerau_levenshtein(&lower, &name.to_lowercase());
            (distance <= allowed).then_some((distance, name))
        });
        Self(near.min().map(|(_, name)| name.to_owned()))
    }

    /// The name that may have been meant.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_deref().map_or(Ok(()), |name| write!(f, ", did you mean `{name}`?"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_close_is_suggested() {
        check("raeson", Some("reason"));
        check("Severity", Some("severity"));
        check("namespaces", Some("namespace"));
        check("x", None);
        check("colour", None);
        check(&"reason".repeat(1_000), None);
    }

    #[track_caller]
    fn check(word: &str, want: Option<&str>) {
        assert_eq!(Suggestion::of(word, ["reason", "severity", "namespace", "name"]).name(), want, "{word}");
    }
}

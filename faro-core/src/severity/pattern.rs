//! Anchored patterns: literal text and `*`, matched against the whole of a text.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A pattern in which `*` stands for any run of characters, also an empty one, and everything else for itself.
///
/// It must match the whole text: `Back-off pulling image*` does not match a message that only contains those words. Matching
/// takes the literal segments in order at their earliest places, so it is linear in the text and allocates nothing.
///
/// # Example
///
/// ```
/// use faro_core::severity::Pattern;
///
/// let pattern = Pattern::from("secret * not found");
/// assert!(pattern.matches("secret \"db\" not found"));
/// assert!(!pattern.matches("references non-existent secret \"db\" not found"));
/// ```
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(from = "String", into = "String")]
pub struct Pattern {
    text: Box<str>,
    // What stands before the first star, or all of it: most texts differ within.
    head: usize,
}

impl Pattern {
    /// Tells whether the whole of `text` is what the pattern describes.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let Some(rest) = self.text.get(self.head + 1..) else {
            return *self.text == *text;
        };
        let Some(mut left) = text.strip_prefix(&self.text[..self.head]) else {
            return false;
        };
        let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
        for segment in middle.split('*').filter(|segment| !segment.is_empty()) {
            // What it finds of a text in a text lies between characters.
            let Some(at) = memchr::memmem::find(left.as_bytes(), segment.as_bytes()) else {
                return false;
            };
            left = &left[at + segment.len()..];
        }
        left.ends_with(tail)
    }

    /// Tells whether the pattern matches one text only.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.head == self.text.len()
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Self { text: text.into(), head: text.find('*').unwrap_or(text.len()) }
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text.into()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn without_a_star_only_the_same_text_matches() {
        check("BackOff", "BackOff", true);
        check("BackOff", "BackOffs", false);
        check("", "", true);
        check("", "x", false);
    }

    #[test]
    fn both_ends_are_anchored() {
        check("failed*", "0 failed", false);
        check("*failed", "failed again", false);
        check("*failed*", "0 failed again", true);
        check("a*a", "a", false);
        check("a*a", "aa", true);
    }

    #[test]
    fn segments_stand_in_order_and_do_not_overlap() {
        check("*ab*bc*", "abc", false);
        check("*ab*bc*", "abbc", true);
        check("*b*a*", "ab", false);
        check("**", "", true);
        check("a**b", "ab", true);
    }

    #[test]
    fn many_stars_are_no_explosion() {
        let text = "a".repeat(20_000);
        check(&"*a".repeat(64), &text, true);
        check(&format!("{}b", "*a".repeat(64)), &text, false);
    }

    proptest! {
        #[test]
        fn agrees_with_a_regular_expression(pattern in "[ab*é]{0,8}", text in "[abé\n]{0,12}") {
            let regex = format!("(?s)^{}$", regex::escape(&pattern).replace("\\*", ".*"));
            let want = regex::Regex::new(&regex).unwrap().is_match(&text);
            prop_assert_eq!(Pattern::from(&*pattern).matches(&text), want);
        }

        #[test]
        fn any_text_matches_itself_cut_by_stars(text in "\\PC{0,40}", cuts in proptest::collection::vec(0_usize..40, 0..4)) {
            let mut pattern: Vec<char> = text.chars().collect();
            for cut in cuts {
                let at = cut.min(pattern.len());
                pattern.insert(at, '*');
            }
            prop_assert!(Pattern::from(pattern.iter().collect::<String>()).matches(&text));
        }
    }

    #[track_caller]
    fn check(pattern: &str, text: &str, want: bool) {
        assert_eq!(Pattern::from(pattern).matches(text), want, "`{pattern}` against {} bytes", text.len());
    }
}

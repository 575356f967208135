//! JSON that a terminal may see.
//!
//! JSON must escape the control characters below 0x20 and nothing else; a terminal also obeys those from 0x7f to 0x9f, and marks that
//! turn the direction of text. To a reader of JSON an escaped character is the same character.

use crate::notice::obeyed;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;
use std::io::{self, Write};

/// Appends `value` as compact JSON.
pub(super) fn write(lines: &mut Vec<u8>, value: &impl Serialize) -> serde_json::Result<()> {
    value.serialize(&mut Serializer::with_formatter(lines, Shown))
}

struct Shown;

impl Formatter for Shown {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        // The first bytes of everything that is escaped here; nearly every text has none of them.
        if memchr::memchr3(0x7f, 0xc2, 0xe2, fragment.as_bytes()).is_none() {
            return writer.write_all(fragment.as_bytes());
        }
        let mut written = 0;
        for (at, c) in fragment.char_indices().filter(|(_, c)| obeyed(*c)) {
            writer.write_all(&fragment.as_bytes()[written..at])?;
            write!(writer, "\\u{:04x}", u32::from(c))?;
            written = at + c.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[written..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped_and_stays_the_same_text() {
        let text = "plain \u{1b}[2J \u{7f} \u{9b}31m \u{202e}x é € \u{2028}.";
        let mut line = Vec::new();
        write(&mut line, &text).unwrap();
        let line = String::from_utf8(line).unwrap();
        assert_eq!(line, "\"plain \\u001b[2J \\u007f \\u009b31m \\u202ex é € \\u2028.\"");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}

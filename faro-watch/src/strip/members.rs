//! Where the members of a JSON object stand in its text, without reading their values.

use std::ops::Range;

/// One member of an object.
#[derive(Debug)]
pub(super) struct Member {
    key: Range<usize>,
    /// The value.
    pub(super) value: Range<usize>,
    /// Key and value.
    pub(super) whole: Range<usize>,
}

impl Member {
    /// Tells whether the member has this name, however it is escaped.
    pub(super) fn is(&self, text: &str, name: &str) -> bool {
        let key = &text[self.key.clone()];
        if key.contains('\\') { serde_json::from_str::<String>(key).is_ok_and(|key| key == name) } else { key.trim_matches('"') == name }
    }
}

/// Finds the members of the object that begins at `start`; `None` when there is no whole object.
pub(super) fn members(text: &str, start: usize) -> Option<Vec<Member>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = skip_space(bytes, start);
    if *bytes.get(at)? != b'{' {
        return None;
    }
    at = skip_space(bytes, at + 1);
    if *bytes.get(at)? == b'}' {
        return Some(found);
    }
    loop {
        let key = at..skip_string(bytes, at)?;
        at = skip_space(bytes, key.end);
        if *bytes.get(at)? != b':' {
            return None;
        }
        at = skip_space(bytes, at + 1);
        let value = at..skip_value(bytes, at)?;
        found.push(Member { whole: key.start..value.end, key, value: value.clone() });
        at = skip_space(bytes, value.end);
        match *bytes.get(at)? {
            b',' => at = skip_space(bytes, at + 1),
            b'}' => return Some(found),
            _ => return None,
        }
    }
}

fn skip_space(bytes: &[u8], at: usize) -> usize {
    at + bytes.get(at..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count()
}

/// The end of the string that begins at `at`.
fn skip_string(bytes: &[u8], at: usize) -> Option<usize> {
    if *bytes.get(at)? != b'"' {
        return None;
    }
    let mut at = at + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// The end of the value that begins at `at`.
fn skip_value(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match *bytes.get(at)? {
            b'"' => at = skip_string(bytes, at)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            // Between members, and numbers and words inside of a value.
            _ if depth > 0 => at += 1,
            b',' | b':' => return None,
            _ => at += bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte)).count().max(1),
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

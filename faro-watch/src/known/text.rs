//! What is known, as lines of text for a checkpoint.
//!
//! The first line holds the texts that several objects share, as a JSON array; each further line an object, as an array of namespace,
//! name, uid, resourceVersion, labels and owners; namespace, labels and owners are places in the first line.

use super::{Known, KnownObject, Uid, Version};
use std::borrow::Cow;
use std::collections::HashMap;

impl Known {
    /// Writes all objects as lines of JSON.
    ///
    /// # Memory
    ///
    /// About 100 bytes an object, and each shared text once.
    #[must_use]
    pub fn to_lines(&self) -> String {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut texts: Vec<&str> = Vec::new();
        let mut objects = String::new();
        for entry in self.table.iter() {
            let (uid, version, name) = entry.identity();
            let [namespace, labels, owners] = [3, 1, 2].map(|index| {
                let text = self.texts.text(entry.number(index));
                *places.entry(text).or_insert_with(|| {
                    texts.push(text);
                    texts.len() - 1
                })
            });
            let line = serde_json::json!([namespace, name, uid.to_string(), version.to_string(), labels, owners]);
            objects.push_str(&line.to_string());
            objects.push('\n');
        }
        format!("{}\n{objects}", serde_json::json!(texts))
    }

    /// Reads what [`Known::to_lines`] wrote; `None` when it is something else.
    #[must_use]
    pub fn from_lines(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let texts: Vec<Cow<'_, str>> = serde_json::from_str(lines.next()?).ok()?;
        let mut known = Self::default();
        for line in lines {
            let (namespace, name, uid, version, labels, owners): (usize, Cow<'_, str>, String, String, usize, usize) =
                serde_json::from_str(line).ok()?;
            let text = |place: usize| texts.get(place).map(|text| Cow::Borrowed(&**text));
            known.observe(&KnownObject {
                namespace: text(namespace)?,
                name,
                uid: Uid::new(&uid),
                version: Version::new(&version),
                labels: text(labels)?,
                owner_references: text(owners)?,
            });
        }
        Some(known)
    }
}

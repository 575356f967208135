//! Texts that many objects share, stored once and counted.

use crate::hash;
use crate::slots::Slots;
use hashbrown::HashTable;

/// Numbered texts with a count of their uses; the last release forgets one.
#[derive(Debug)]
pub(crate) struct Symbols {
    entries: Slots<(Box<str>, u32)>,
    by_text: HashTable<u32>,
}

impl Symbols {
    pub(crate) const fn new() -> Self {
        Self { entries: Slots::new(), by_text: HashTable::new() }
    }

    pub(crate) fn acquire(&mut self, text: &str) -> u32 {
        let hash = hash::of_text(text);
        let entries = &self.entries;
        if let Some(&slot) = self.by_text.find(hash, |&slot| &*entries[slot].0 == text) {
            self.entries[slot].1 += 1;
            return slot;
        }
        let slot = self.entries.insert((text.into(), 1));
        let entries = &self.entries;
        self.by_text.insert_unique(hash, slot, |&slot| hash::of_text(&entries[slot].0));
        slot
    }

    /// One more use of a text that is in use.
    pub(crate) fn hold(&mut self, slot: u32) {
        self.entries[slot].1 += 1;
    }

    /// The number of a text that is in use.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        let entries = &self.entries;
        self.by_text.find(hash::of_text(text), |&slot| &*entries[slot].0 == text).copied()
    }

    pub(crate) fn release(&mut self, slot: u32) {
        self.entries[slot].1 -= 1;
        if self.entries[slot].1 > 0 {
            return;
        }
        let hash = hash::of_text(&self.entries[slot].0);
        if let Ok(entry) = self.by_text.find_entry(hash, |&other| other == slot) {
            entry.remove();
        }
        self.entries.remove(slot);
    }

    pub(crate) fn text(&self, slot: u32) -> &str {
        &self.entries[slot].0
    }

    #[cfg(test)]
    pub(crate) const fn len(&self) -> usize {
        self.entries.len()
    }
}

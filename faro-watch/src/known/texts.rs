//! Texts that many objects share, each kept once for as long as one of them needs it.

use hashbrown::HashTable;
use twox_hash::XxHash3_64;

/// Texts by number; number 0 is the empty one.
#[derive(Debug, Default)]
pub(super) struct Texts {
    slots: Vec<Slot>,
    free: Vec<u32>,
    table: HashTable<u32>,
}

#[derive(Debug)]
struct Slot {
    text: Box<str>,
    users: u32,
}

fn hash(text: &str) -> u64 {
    XxHash3_64::oneshot(text.as_bytes())
}

impl Texts {
    /// Returns the number of a text, with one more user.
    pub(super) fn intern(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let hash = hash(text);
        if let Some(&number) = self.table.find(hash, |&number| &*self.slots[at(number)].text == text) {
            self.slots[at(number)].users += 1;
            return number;
        }
        let slot = Slot { text: text.into(), users: 1 };
        let number = match self.free.pop() {
            Some(number) => {
                self.slots[at(number)] = slot;
                number
            }
            None => {
                self.slots.push(slot);
                // Four thousand million texts do not fit into any memory.
                u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
            }
        };
        let slots = &self.slots;
        self.table.insert_unique(hash, number, |&number| self::hash(&slots[at(number)].text));
        number
    }

    /// Returns the text of a number.
    pub(super) fn text(&self, number: u32) -> &str {
        if number == 0 { "" } else { &self.slots[at(number)].text }
    }

    /// Takes one user from a text; without any it is forgotten.
    pub(super) fn release(&mut self, number: u32) {
        if number == 0 {
            return;
        }
        let slot = &mut self.slots[at(number)];
        slot.users -= 1;
        if slot.users == 0 {
            let text = std::mem::take(&mut slot.text);
            if let Ok(entry) = self.table.find_entry(hash(&text), |&other| other == number) {
                entry.remove();
            }
            self.free.push(number);
        }
    }

    /// How many texts are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }
}

const fn at(number: u32) -> usize {
    number as usize - 1
}

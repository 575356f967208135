//! Storage for many small things of one type that are addressed by number.

/// How many values a chunk holds: large enough to be cheap, small enough that a nearly empty map stays small.
const CHUNK: usize = 512;

/// Values behind stable numbers. Grows by chunks, so that growing never copies what is there and never holds twice the memory.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    chunks: Vec<Vec<T>>,
    free: Vec<u32>,
    used: usize,
}

impl<T: Default> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self { chunks: Vec::new(), free: Vec::new(), used: 0 }
    }

    /// How many values are stored.
    pub(crate) const fn len(&self) -> usize {
        self.used
    }

    pub(crate) fn insert(&mut self, value: T) -> u32 {
        self.used += 1;
        if let Some(slot) = self.free.pop() {
            self[slot] = value;
            return slot;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        let Some(chunk) = self.chunks.last_mut() else { unreachable!("a chunk was just made") };
        chunk.push(value);
        // Limits keep maps far below 2^32 values.
        u32::try_from(before + chunk.len() - 1).unwrap_or(u32::MAX)
    }

    pub(crate) fn remove(&mut self, slot: u32) -> T {
        self.used -= 1;
        self.free.push(slot);
        std::mem::take(&mut self[slot])
    }
}

impl<T> std::ops::Index<u32> for Slots<T> {
    type Output = T;

    fn index(&self, slot: u32) -> &T {
        &self.chunks[slot as usize / CHUNK][slot as usize % CHUNK]
    }
}

impl<T> std::ops::IndexMut<u32> for Slots<T> {
    fn index_mut(&mut self, slot: u32) -> &mut T {
        &mut self.chunks[slot as usize / CHUNK][slot as usize % CHUNK]
    }
}

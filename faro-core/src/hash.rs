//! Fingerprints that are the same in every run and on every machine (XXH3).

use twox_hash::{XxHash3_64, XxHash3_128};

/// Ends each text: a byte that UTF-8 does not use, so that no two lists of fields look alike.
const END: u8 = 0xff;

/// Collects fields into one fingerprint.
#[derive(Debug, Default)]
pub(crate) struct Fingerprint {
    bytes: Vec<u8>,
}

impl Fingerprint {
    /// Begins anew, keeping the memory.
    pub(crate) fn start(&mut self) -> &mut Self {
        self.bytes.clear();
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes.reserve(text.len() + 1);
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(END);
        self
    }

    pub(crate) fn number(&mut self, number: u64) -> &mut Self {
        self.bytes.extend_from_slice(&number.to_le_bytes());
        self
    }

    pub(crate) fn finish(&self) -> u64 {
        XxHash3_64::oneshot(&self.bytes)
    }

    pub(crate) fn finish_wide(&self) -> u128 {
        XxHash3_128::oneshot(&self.bytes)
    }
}

/// The fingerprint of one text.
pub(crate) fn of_text(text: &str) -> u64 {
    XxHash3_64::oneshot(text.as_bytes())
}

/// The low half of a wide fingerprint, which is a good fingerprint itself.
pub(crate) const fn low(wide: u128) -> u64 {
    (wide & u64::MAX as u128) as u64
}

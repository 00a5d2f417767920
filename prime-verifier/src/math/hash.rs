//! A small fixed hash: random-looking numbers that are the same everywhere, for points of evaluation.

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A running hash.
pub(crate) struct Mix(u64);

impl Mix {
    pub fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    pub fn word(&mut self, word: u64) {
        self.0 = mix(self.0 ^ word);
    }

    pub fn text(&mut self, text: &str) {
        for chunk in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
        self.word(text.len() as u64);
    }

    pub fn finish(&self) -> u64 {
        self.0
    }
}

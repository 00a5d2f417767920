//! Random streams that are a function of what they are for, never of when they are drawn.
//!
//! A stream is ChaCha8 keyed with four numbers (256 bits), for instance (seed, purpose, index, 0).
//! ChaCha is a keyed pseudo-random function, so streams with different keys are independent, and
//! its output is specified to the bit: the same key gives the same numbers on every platform.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// One random stream.
#[derive(Debug, Clone)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of this key; equal keys give equal streams.
    pub fn new(key: [u64; 4]) -> Self {
        let mut bytes = [0u8; 32];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(key) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        Stream(ChaCha8Rng::from_seed(bytes))
    }

    /// A whole number in `0..bound`, each equally likely; 0 for a bound of 0 or 1.
    pub fn below(&mut self, bound: u32) -> u32 {
        if bound <= 1 {
            return 0;
        }
        // The largest multiple of the bound: numbers from there on would favour small remainders.
        let whole = u32::MAX - u32::MAX % bound;
        loop {
            let drawn = self.0.next_u32();
            if drawn < whole {
                return drawn % bound;
            }
        }
    }

    /// A number in `[0, 1)` with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// A `u64` with all bits random, to seed another generator.
    pub fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Puts the items in a random order (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u32 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ChaCha8 with the all-zero key: the published key stream, so that a change of library shows.
    #[test]
    fn output_is_chacha8() {
        let mut stream = Stream::new([0; 4]);
        assert_eq!(
            stream.word().to_le_bytes(),
            *b"\x3e\x00\xef\x2f\x89\x5f\x40\xd6"
        );
    }

    #[test]
    fn keys_make_streams() {
        let draw = |key| {
            let mut stream = Stream::new(key);
            (stream.word(), stream.word())
        };
        assert_eq!(draw([1, 2, 3, 4]), draw([1, 2, 3, 4]));
        assert_ne!(draw([1, 2, 3, 4]), draw([2, 1, 3, 4]));
        assert_ne!(draw([1, 2, 3, 4]), draw([1, 2, 3, 5]));
    }

    #[test]
    fn draws_are_uniform() {
        let mut stream = Stream::new([7, 0, 0, 0]);
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[stream.below(6) as usize] += 1;
        }
        // Six standard deviations of a binomial count.
        assert!(
            counts.iter().all(|&c| (c as i32 - 10_000).abs() < 550),
            "{counts:?}"
        );
        let hits = (0..10_000).filter(|_| stream.chance(0.6)).count();
        assert!((5_700..6_300).contains(&hits), "{hits}");
        assert_eq!((stream.below(0), stream.below(1)), (0, 0));
    }

    /// Taking the remainder of 32 bits would draw the lower third of this range half of the time.
    #[test]
    fn large_bounds_are_not_biased() {
        let mut stream = Stream::new([8, 0, 0, 0]);
        let low = (0..30_000)
            .filter(|_| stream.below(3 << 30) < 1 << 30)
            .count();
        assert!((9_500..10_500).contains(&low), "{low}");
    }

    #[test]
    fn shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..50).collect();
        Stream::new([1, 1, 1, 1]).shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}

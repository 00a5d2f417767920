//! Where expressions are compared.

use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use super::hash::Mix;

/// How far from zero a point's coordinates are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Region {
    /// 5/16 … 75/16.
    Middle,
    /// 1/20 … 19/20.
    Unit,
    /// 6 … 40.
    Large,
    /// From 2 to this power on, up to five times that.
    Beyond(u32),
}

/// A value for every variable: a small fraction that floats hold exactly, the same for the same name and seed.
#[derive(Debug, Clone)]
pub(super) struct Point {
    seed: u64,
    region: Region,
    /// The variables whose values are negative.
    negative: Vec<Box<str>>,
}

impl Point {
    /// A point with positive coordinates.
    pub fn new(seed: u64, index: usize, region: Region) -> Self {
        let mut state = Mix::new(seed);
        state.word(index as u64);
        Self {
            seed: state.finish(),
            region,
            negative: vec![],
        }
    }

    /// The point with these coordinates negative.
    pub fn with_negative(mut self, names: Vec<Box<str>>) -> Self {
        self.negative = names;
        self
    }

    /// The coordinate of a variable.
    pub fn value(&self, name: &str) -> RBig {
        let mut state = Mix::new(self.seed);
        state.text(name);
        let (low, high, scale) = match self.region {
            Region::Middle => (20, 300, 64u32),
            Region::Unit => (13, 243, 256),
            Region::Large => (384, 2560, 64),
            Region::Beyond(_) => (66, 320, 64),
        };
        // Odd numerators keep the denominators, so that no coordinate is whole.
        let numerator = IBig::from((low + (state.finish() >> 8) % (high - low)) | 1);
        let numerator = match self.region {
            Region::Beyond(power) => numerator << power.min(MAX_POWER) as usize,
            _ => numerator,
        };
        let negative = self.negative.iter().any(|other| **other == *name);
        RBig::from_parts(
            if negative { -numerator } else { numerator },
            UBig::from(scale),
        )
    }

    /// A whole value for an integer variable.
    pub fn whole(&self, name: &str) -> i64 {
        let mut state = Mix::new(self.seed ^ 0x17);
        state.text(name);
        2 + (state.finish() % 23) as i64
    }
}

/// The farthest that coordinates go.
pub(super) const MAX_POWER: u32 = 400;

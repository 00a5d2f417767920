//! Where expressions are compared.

use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use super::hash::Mix;

/// The part of the line that a point's coordinates come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Region {
    /// 5/16 … 75/16.
    Positive,
    /// 1/20 … 19/20.
    Unit,
    /// Either sign, up to 75/16.
    Signed,
    /// Either sign, below 1.
    SignedUnit,
    /// 6 … 40.
    Large,
    /// From 2 to the power on, up to five times that.
    Beyond { power: u32, left: bool },
}

/// A value for every variable: a small fraction that floats hold exactly, the same for the same name and seed.
#[derive(Debug, Clone)]
pub(super) struct Point {
    seed: u64,
    region: Region,
}

/// The regions in the order in which they are tried.
pub(super) const REGIONS: [Region; 10] = [
    Region::Positive,
    Region::Signed,
    Region::Unit,
    Region::Positive,
    Region::SignedUnit,
    Region::Signed,
    Region::Large,
    Region::Unit,
    Region::SignedUnit,
    Region::Large,
];

impl Point {
    pub fn new(seed: u64, index: usize, region: Region) -> Self {
        let mut state = Mix::new(seed);
        state.word(index as u64);
        Self {
            seed: state.finish(),
            region,
        }
    }

    /// The coordinate of a variable.
    pub fn value(&self, name: &str) -> RBig {
        let mut state = Mix::new(self.seed);
        state.text(name);
        let hash = state.finish();
        let (low, high, scale, signed) = match self.region {
            Region::Positive => (20, 300, 64, false),
            Region::Unit => (13, 243, 256, false),
            Region::Signed => (20, 300, 64, true),
            Region::SignedUnit => (13, 243, 256, true),
            Region::Large => (384, 2560, 64, false),
            Region::Beyond { .. } => (66, 320, 64, false),
        };
        // Odd numerators keep the denominators, so that no coordinate is whole.
        let numerator = (low + (hash >> 8) % (high - low)) | 1;
        let negative = signed && hash & 1 == 1;
        let numerator = IBig::from(numerator);
        if let Region::Beyond { power, left } = self.region {
            let far = numerator << power.min(64) as usize;
            return RBig::from_parts(if left { -far } else { far }, UBig::from(scale as u32));
        }
        RBig::from_parts(
            if negative { -numerator } else { numerator },
            UBig::from(scale as u32),
        )
    }

    /// A whole value for an integer variable.
    pub fn whole(&self, name: &str) -> i64 {
        let mut state = Mix::new(self.seed ^ 0x17);
        state.text(name);
        2 + (state.finish() % 23) as i64
    }
}

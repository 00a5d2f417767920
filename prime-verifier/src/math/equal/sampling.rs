//! Which points a pair of expressions is compared at.
//!
//! Expressions that differ for some numbers only (`|x|` and `x`, `\max(x, 1000)` and `1000`) must be seen there: every
//! variable is taken with either sign, alone and with the others, and where expressions bend, far beyond their constants.

use super::Comparer;
use super::names::Names;
use crate::math::expr::Expr;
use crate::math::points::{MAX_POWER, Point, Region};
use crate::math::policy::VariablePolicy;

/// Most patterns of signs; all of them for three variables.
const MAX_PATTERNS: usize = 8;

/// Distances, as powers of two, at which expressions that bend are always looked at.
const DISTANCES: [u32; 6] = [6, 10, 14, 34, 80, 120];

/// Most sizes of constants that are looked beyond.
const MAX_SCALES: usize = 3;

impl Comparer<'_> {
    /// The points, the most telling first.
    pub(super) fn points(&mut self, exprs: &[&Expr], names: &Names) -> Vec<Point> {
        if names.symbols.is_empty() {
            return vec![Point::new(self.seed, 0, Region::Middle)];
        }
        let patterns = self.sign_patterns(names);
        let mut points = vec![];
        let mut add = |region: Region, negative: &[Box<str>]| {
            let point = Point::new(self.seed, points.len(), region);
            points.push(point.with_negative(negative.to_vec()));
        };
        for negative in &patterns {
            add(Region::Middle, negative);
        }
        // All of one sign: the first two patterns.
        let alike = &patterns[..patterns.len().min(2)];
        for negative in alike {
            add(Region::Unit, negative);
            add(Region::Large, negative);
        }
        if names.kinks {
            for negative in &patterns {
                for region in [Region::Middle, Region::Unit, Region::Large] {
                    add(region, negative);
                }
            }
            for power in self.distances(exprs) {
                for negative in alike {
                    let point = Point::new(self.seed, points.len(), Region::Beyond(power));
                    points.push(point.with_negative(negative.clone()));
                }
            }
        }
        points
    }

    /// Variables that are negative, pattern by pattern: none, all, then some.
    fn sign_patterns(&self, names: &Names) -> Vec<Vec<Box<str>>> {
        if self.policy.variables == VariablePolicy::Positive {
            return vec![vec![]];
        }
        let mut symbols = names.symbols.clone();
        symbols.sort_unstable();
        let mut patterns = vec![vec![], symbols.clone()];
        let count = symbols.len().min(16);
        let mut mask = 1usize;
        while patterns.len() < MAX_PATTERNS && mask + 1 < 1 << count {
            let chosen = symbols
                .iter()
                .enumerate()
                .filter(|(at, _)| mask >> at.min(&15) & 1 == 1)
                .map(|(_, name)| name.clone())
                .collect();
            patterns.push(chosen);
            mask += 1;
        }
        patterns
    }

    /// How far out to look, given the constants of the expressions.
    fn distances(&mut self, exprs: &[&Expr]) -> Vec<u32> {
        let mut constants = vec![];
        for expr in exprs {
            largest_constants(expr, &mut constants);
        }
        let mut powers: Vec<u32> = constants
            .iter()
            .filter_map(|constant| self.float_of(constant))
            .map(|value| value.abs().log2().abs().ceil())
            .filter(|power| (2.0..=f64::from(MAX_POWER)).contains(power))
            .map(|power| power as u32)
            .collect();
        powers.sort_unstable();
        powers.dedup();
        let mut all: Vec<u32> = powers.into_iter().rev().take(MAX_SCALES).collect();
        all.extend(DISTANCES);
        all
    }
}

/// The parts without variables that stand in no other such part.
fn largest_constants<'e>(expr: &'e Expr, found: &mut Vec<&'e Expr>) {
    if found.len() >= 64 {
        return;
    }
    if !expr.has_unknowns() {
        found.push(expr);
        return;
    }
    for child in expr.children() {
        largest_constants(child, found);
    }
}

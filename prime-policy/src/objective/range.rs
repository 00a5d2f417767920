//! Range checks of objectives' parameters.

use std::fmt::Display;

use crate::error::PolicyError;

const NOT_NEGATIVE: &str = "a finite number, 0 or more";

/// Checks the parameters of one objective.
pub(super) struct Range(pub(super) &'static str);

impl Range {
    /// Fails unless the value `holds`.
    pub(super) fn ensure(
        &self,
        holds: bool,
        field: &'static str,
        value: impl Display,
        accepted: &'static str,
    ) -> Result<(), PolicyError> {
        if holds {
            return Ok(());
        }
        Err(PolicyError::Objective {
            objective: self.0,
            field,
            value: value.to_string(),
            accepted,
        })
    }

    /// A finite number, 0 or more.
    pub(super) fn not_negative(&self, field: &'static str, value: f64) -> Result<(), PolicyError> {
        let holds = value.is_finite() && value >= 0.0;
        self.ensure(holds, field, value, NOT_NEGATIVE)
    }

    /// A finite number above 0.
    pub(super) fn positive(&self, field: &'static str, value: f64) -> Result<(), PolicyError> {
        let holds = value.is_finite() && value > 0.0;
        self.ensure(holds, field, value, "a finite number above 0")
    }

    /// A number from 0 to 1.
    pub(super) fn fraction(&self, field: &'static str, value: f64) -> Result<(), PolicyError> {
        self.ensure((0.0..=1.0).contains(&value), field, value, "from 0 to 1")
    }

    /// Clip bounds of a ratio: 1 − `low` must not be negative.
    pub(super) fn clip(&self, low: f32, high: f32) -> Result<(), PolicyError> {
        let holds = (0.0..=1.0).contains(&low);
        self.ensure(holds, "clip_ratio_low", low, "from 0 to 1")?;
        let holds = high.is_finite() && high >= 0.0;
        self.ensure(holds, "clip_ratio_high", high, NOT_NEGATIVE)
    }
}

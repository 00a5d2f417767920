//! Axes: ranges, round tick positions, and numbers as people write them.

/// How values of an axis are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As they are.
    Number,
    /// A share in `[0, 1]` as a percentage; the axis starts at 0 and ends at 1 at most.
    Percent,
}

impl Format {
    /// A tick's text; `step` (the distance of ticks) says how many decimals are needed.
    pub fn write(self, value: f64, step: f64) -> String {
        let (value, step, unit) = match self {
            Format::Number => (value, step, ""),
            Format::Percent => (value * 100.0, step * 100.0, "%"),
        };
        let zero = value.abs() < step * 1e-6;
        let value = if zero { 0.0 } else { value };
        if !zero && (value.abs() >= 1e6 || step < 1e-4) {
            return format!("{value:.1e}{unit}");
        }
        let decimals = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
        format!("{value:.decimals$}{unit}")
    }

    /// A value by itself, to four significant digits.
    pub fn exact(self, value: f64) -> String {
        match self {
            Format::Percent => format!("{:.1}%", value * 100.0),
            Format::Number => significant(value),
        }
    }
}

/// Four significant digits, without trailing zeros.
pub fn significant(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 {
        return "0".to_string();
    }
    if !(1e-4..1e6).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    let decimals = (3.0 - magnitude.log10().floor()).clamp(0.0, 8.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    } else {
        text
    }
}

/// A range of values, mapped to `[0, 1]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
        values.filter(|v| v.is_finite()).fold(None, |range, v| {
            let (low, high) = range.unwrap_or((v, v));
            Some((v.min(low), v.max(high)))
        })
    }

    /// From the least to the greatest value; `None` without finite values.
    pub(super) fn tight(values: impl Iterator<Item = f64>) -> Option<Self> {
        let (low, high) = Self::range(values)?;
        Some(Self::wide_enough(low, high))
    }

    /// As [`Axis::tight`], but out to the next ticks; percentages start at 0.
    pub(super) fn nice(values: impl Iterator<Item = f64>, format: Format) -> Option<Self> {
        let (low, high) = Self::range(values)?;
        let share = format == Format::Percent && low >= 0.0 && high <= 1.0;
        let axis = Self::wide_enough(if share { 0.0 } else { low }, high);
        let step = axis.step(5);
        let high = (axis.high / step - 1e-9).ceil() * step;
        Some(Axis {
            low: (axis.low / step + 1e-9).floor() * step,
            high: if share { high.min(1.0) } else { high },
        })
    }

    /// A single value gets some room around it.
    fn wide_enough(low: f64, high: f64) -> Self {
        let scale = low.abs().max(high.abs());
        if high - low > scale * 1e-9 {
            return Axis { low, high };
        }
        let room = if scale == 0.0 { 1.0 } else { scale * 0.5 };
        Axis {
            low: low - room,
            high: high + room,
        }
    }

    /// Where a value lies, 0 at the low end and 1 at the high.
    pub(super) fn at(self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// The distance of about `wanted` ticks: 1, 2 or 5 times a power of ten.
    pub(super) fn step(self, wanted: usize) -> f64 {
        let rough = (self.high - self.low) / wanted.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let lead = [1.0, 2.0, 5.0]
            .into_iter()
            .find(|lead| lead * power >= rough * (1.0 - 1e-9));
        lead.unwrap_or(10.0) * power
    }

    /// Round values within the range.
    pub(super) fn ticks(self, wanted: usize) -> Vec<f64> {
        let step = self.step(wanted);
        let first = (self.low / step - 1e-9).ceil();
        let last = (self.high / step + 1e-9).floor();
        let count = (last - first).max(0.0) as usize;
        (0..=count).map(|i| (first + i as f64) * step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis::tight([0.0, 40.0].into_iter()).unwrap();
        assert_eq!(axis.ticks(6), [0.0, 10.0, 20.0, 30.0, 40.0]);
        let axis = Axis::nice([0.137, 0.931].into_iter(), Format::Percent).unwrap();
        assert_eq!((axis.low, axis.high), (0.0, 1.0));
        let number = Axis::nice([0.37, 0.93].into_iter(), Format::Number).unwrap();
        assert!((number.low - 0.2).abs() < 1e-9 && (number.high - 1.0).abs() < 1e-9);
        let texts: Vec<String> = axis
            .ticks(5)
            .into_iter()
            .map(|tick| Format::Percent.write(tick, axis.step(5)))
            .collect();
        assert_eq!(texts, ["0%", "20%", "40%", "60%", "80%", "100%"]);
    }

    #[test]
    fn any_range_has_ticks() {
        for (low, high) in [
            (0.0, 0.0),
            (5.0, 5.0),
            (-3e-7, 2e-7),
            (1e9, 1.1e9),
            (-1.0, 4.0),
        ] {
            let axis = Axis::nice([low, high].into_iter(), Format::Number).unwrap();
            let ticks = axis.ticks(5);
            assert!((2..=12).contains(&ticks.len()), "{low}..{high}: {ticks:?}");
            assert!(
                ticks
                    .iter()
                    .all(|&t| (-1e-6..=1.0 + 1e-6).contains(&axis.at(t)))
            );
            assert!(axis.at(low) >= -1e-6 && axis.at(high) <= 1.0 + 1e-6);
        }
        assert_eq!(Axis::tight([f64::NAN].into_iter()), None);
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(significant(0.123456), "0.1235");
        assert_eq!(significant(1280.0), "1280");
        assert_eq!(significant(-2.5), "-2.5");
        assert_eq!(significant(0.00001), "1.00e-5");
        assert_eq!(Format::Number.write(0.30000000000000004, 0.1), "0.3");
        assert_eq!(Format::Number.write(-1e-17, 0.1), "0.0");
        assert_eq!(Format::Number.write(0.05, 0.05), "0.05");
    }
}

//! Axes: ranges, round tick positions, and numbers as people write them.

/// How values of an axis are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As they are.
    Number,
    /// A share in `[0, 1]` as a percentage; the axis is all of it.
    Percent,
}

impl Format {
    /// A value by itself, to four significant digits.
    pub fn exact(self, value: f64) -> String {
        match self {
            Format::Percent => format!("{:.1}%", value * 100.0),
            Format::Number => significant(value),
        }
    }
}

/// A whole number that may be large, such as a step.
pub(super) fn whole(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 && value % 1e5 == 0.0 => significant(value / 1e6) + "M",
        size if size >= 1e4 && value % 1e3 == 0.0 => significant(value / 1e3) + "k",
        _ => format!("{value:.0}"),
    }
}

/// `×10⁻⁵`.
fn power(exponent: i32) -> String {
    let digits = exponent.abs().to_string();
    let raised = digits.bytes().map(|digit| match digit {
        b'1' => '¹',
        b'2' => '²',
        b'3' => '³',
        digit => char::from_u32(0x2070 + u32::from(digit - b'0')).unwrap_or('?'),
    });
    let sign = if exponent < 0 { "⁻" } else { "" };
    format!("×10{sign}{}", raised.collect::<String>())
}

/// The ticks of an axis with their texts.
#[derive(Debug, PartialEq)]
pub(super) struct Labels {
    /// Where, and what is written there.
    pub(super) ticks: Vec<(f64, String)>,
    /// What all of the texts are multiples of, where they would be long otherwise.
    pub(super) unit: Option<String>,
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

    /// As [`Axis::tight`], but out to the next ticks; shares are drawn on all of 0 to 1, so that charts of them compare.
    pub(super) fn nice(values: impl Iterator<Item = f64>, format: Format) -> Option<Self> {
        let (low, high) = Self::range(values)?;
        if format == Format::Percent && low >= 0.0 && high <= 1.0 {
            return Some(Axis {
                low: 0.0,
                high: 1.0,
            });
        }
        let axis = Self::wide_enough(low, high);
        let step = axis.step(5);
        Some(Axis {
            low: (axis.low / step + 1e-9).floor() * step,
            high: (axis.high / step - 1e-9).ceil() * step,
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
    fn step(self, wanted: usize) -> f64 {
        let rough = (self.high - self.low) / wanted.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let lead = [1.0, 2.0, 5.0]
            .into_iter()
            .find(|lead| lead * power >= rough * (1.0 - 1e-9));
        lead.unwrap_or(10.0) * power
    }

    /// Round values within the range, written with as many digits as tell them apart. Very large and very small ones are
    /// written as multiples of a power of ten.
    pub(super) fn labels(self, format: Format, wanted: usize) -> Labels {
        let (values, step) = (self.ticks(wanted), self.step(wanted));
        let largest = values.iter().fold(0.0_f64, |size, v| size.max(v.abs()));
        let (scale, unit, exponent) = match format {
            Format::Percent => (100.0, "%", 0),
            Format::Number if largest >= 1e5 || (largest > 0.0 && largest < 0.01) => {
                let exponent = largest.log10().floor() as i32;
                (10f64.powi(-exponent), "", exponent)
            }
            Format::Number => (1.0, "", 0),
        };
        let decimals = (-(step * scale * (1.0 + 1e-9)).log10().floor()).clamp(0.0, 12.0) as usize;
        let text = |value: f64| {
            // No tick is at minus zero.
            let value = if value.abs() < step * 1e-6 {
                0.0
            } else {
                value
            };
            format!("{:.decimals$}{unit}", value * scale)
        };
        Labels {
            ticks: values.iter().map(|&value| (value, text(value))).collect(),
            unit: (exponent != 0).then(|| power(exponent)),
        }
    }

    /// Round counts within the range: whole numbers, none below 0.
    pub(super) fn whole_ticks(self, wanted: usize) -> Vec<f64> {
        let mut ticks = self.ticks_every(self.step(wanted).max(1.0));
        ticks.retain(|tick| *tick >= 0.0);
        ticks
    }

    /// Round values within the range.
    fn ticks(self, wanted: usize) -> Vec<f64> {
        self.ticks_every(self.step(wanted))
    }

    fn ticks_every(self, step: f64) -> Vec<f64> {
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
        assert_eq!(
            texts(axis, Format::Percent).0,
            ["0%", "20%", "40%", "60%", "80%", "100%"]
        );
    }

    /// What is written at the ticks, and their unit.
    fn texts(axis: Axis, format: Format) -> (Vec<String>, Option<String>) {
        let labels = axis.labels(format, 5);
        let texts = labels.ticks.into_iter().map(|(_, text)| text);
        (texts.collect(), labels.unit)
    }

    #[test]
    fn shares_are_drawn_on_all_of_0_to_1() {
        for values in [[0.0, 0.001], [0.45, 0.55], [1.0, 1.0], [0.0, 0.0]] {
            let axis = Axis::nice(values.into_iter(), Format::Percent).unwrap();
            assert_eq!((axis.low, axis.high), (0.0, 1.0), "{values:?}");
        }
        let beyond = Axis::nice([0.5, 1.5].into_iter(), Format::Percent).unwrap();
        assert!(beyond.high >= 1.5);
    }

    #[test]
    fn ticks_are_short_and_differ() {
        for (low, high, unit) in [
            (0.0, 3.2e-5, Some("×10⁻⁵")),
            (-2e-7, 3e-7, Some("×10⁻⁷")),
            (1_000_000.0, 1_000_200.0, Some("×10⁶")),
            (0.0, 2.5e6, Some("×10⁶")),
            (0.0, 1e12, Some("×10¹²")),
            (-0.3, 0.2, None),
            (0.0, 4096.0, None),
        ] {
            let axis = Axis::nice([low, high].into_iter(), Format::Number).unwrap();
            let (texts, found) = texts(axis, Format::Number);
            assert_eq!(found.as_deref(), unit, "{low}..{high}: {texts:?}");
            let different: std::collections::BTreeSet<_> = texts.iter().collect();
            assert_eq!(different.len(), texts.len(), "{texts:?}");
            assert!(texts.iter().all(|text| text.len() <= 9), "{texts:?}");
        }
    }

    #[test]
    fn steps_are_whole_numbers_each_written_once() {
        let axis = Axis::tight([0.0, 3.0].into_iter()).unwrap();
        assert_eq!(axis.whole_ticks(6), [0.0, 1.0, 2.0, 3.0]);
        let long = Axis::tight([0.0, 20_000.0].into_iter()).unwrap();
        let texts: Vec<String> = long.whole_ticks(5).into_iter().map(whole).collect();
        assert_eq!(texts, ["0", "5000", "10k", "15k", "20k"]);
        assert_eq!([whole(12_345.0), whole(1.5e6)], ["12345", "1.5M"]);
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
        let axis = Axis::tight([-0.1, 0.3].into_iter()).unwrap();
        assert_eq!(
            texts(axis, Format::Number).0,
            ["-0.1", "0.0", "0.1", "0.2", "0.3"]
        );
    }
}

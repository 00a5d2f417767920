//! A curve as numbers, and numbers of several seeds as one cell of a table.

/// Mean height of a curve of (step, value): the trapezoid rule over its steps.
pub(super) fn area(curve: &[(u64, f64)]) -> Option<f64> {
    let width = (curve.last()?.0 - curve.first()?.0) as f64;
    if width == 0.0 {
        return Some(curve.last()?.1);
    }
    let sum: f64 = curve
        .windows(2)
        .map(|w| (w[1].0 - w[0].0) as f64 * (w[0].1 + w[1].1) / 2.0)
        .sum();
    Some(sum / width)
}

/// The step at which a curve first reaches `threshold`, between two evaluations by a straight line.
pub(super) fn crossing(curve: &[(u64, f64)], threshold: f64) -> Option<f64> {
    let at = curve.iter().position(|&(_, value)| value >= threshold)?;
    let (step, value) = curve[at];
    let Some(&(before, low)) = at.checked_sub(1).and_then(|i| curve.get(i)) else {
        return Some(step as f64);
    };
    let share = (threshold - low) / (value - low);
    Some(before as f64 + share * (step - before) as f64)
}

/// `mean ± sd` (unbiased).
pub(super) fn spread(values: impl Iterator<Item = f64>) -> String {
    let values: Vec<f64> = values.collect();
    let n = values.len() as f64;
    if values.is_empty() {
        return "—".to_owned();
    }
    let mean = values.iter().sum::<f64>() / n;
    if values.len() == 1 {
        return format!("{mean:.3}");
    }
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    format!("{mean:.3} ± {:.3}", variance.sqrt())
}

/// The mean of those that arrived, with how many did if not all.
pub(super) fn reached(crossings: impl Iterator<Item = Option<f64>>) -> String {
    let all: Vec<Option<f64>> = crossings.collect();
    let arrived: Vec<f64> = all.iter().flatten().copied().collect();
    if arrived.is_empty() {
        return "never".to_owned();
    }
    let mean = arrived.iter().sum::<f64>() / arrived.len() as f64;
    match arrived.len() == all.len() {
        true => format!("{mean:.1}"),
        false => format!("{mean:.1} ({} of {})", arrived.len(), all.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_are_measured_by_straight_lines() {
        let curve = [(0, 0.2), (2, 0.4), (4, 0.8)];
        assert_eq!(crossing(&curve, 0.6), Some(3.0));
        assert_eq!(crossing(&curve, 0.2), Some(0.0));
        assert_eq!(crossing(&curve, 0.9), None);
        assert!((area(&curve).unwrap() - 0.45).abs() < 1e-12);
        assert_eq!(area(&[]), None);
    }

    #[test]
    fn spreads_and_arrivals_are_honest() {
        assert_eq!(spread([0.5, 0.7].into_iter()), "0.600 ± 0.141");
        assert_eq!(reached([Some(10.0), None].into_iter()), "10.0 (1 of 2)");
        assert_eq!(reached([None].into_iter()), "never");
    }
}

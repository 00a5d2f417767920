//! A smooth line through noisy points.

use super::downsample::evenly;

/// Points at least that one value of the line is made from: with fewer the line is the points.
const LEAST: usize = 11;

/// The trend at `most` of the points, the first and the last among them: a straight line through a fifth of all points, the
/// nearer ones weighing more (tricube), read at the point itself. At both ends the same number of points is used as
/// elsewhere, all from one side, so that the line does not end on the last raw value, and a straight trend stays straight.
/// Values stay within those they are made from.
pub(super) fn smooth(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    let n = points.len();
    let window = (n / 5).max(LEAST).min(n);
    evenly(n, most)
        .into_iter()
        .map(|at| {
            let from = at.saturating_sub(window / 2).min(n - window);
            (
                points[at].0,
                trend(&points[from..from + window], points[at].0),
            )
        })
        .collect()
}

fn trend(window: &[(f64, f64)], x: f64) -> f64 {
    let farthest = window.iter().map(|p| (p.0 - x).abs()).fold(0.0, f64::max);
    // A little wider, so that the farthest points count too.
    let reach = farthest * 1.05;
    let weight = |p: &(f64, f64)| match reach > 0.0 {
        true => (1.0 - ((p.0 - x).abs() / reach).powi(3)).powi(3),
        false => 1.0,
    };
    let (mut w, mut wx, mut wy, mut wxx, mut wxy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for p in window {
        let (k, d) = (weight(p), p.0 - x);
        w += k;
        wx += k * d;
        wy += k * p.1;
        wxx += k * d * d;
        wxy += k * d * p.1;
    }
    let spread = w * wxx - wx * wx;
    let value = match spread > 1e-12 * w * wxx {
        true => (wxx * wy - wx * wxy) / spread,
        false => wy / w,
    };
    let least = window.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
    let greatest = window.iter().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max);
    value.clamp(least, greatest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_and_straight_lines_stay() {
        let line: Vec<(f64, f64)> = (0..60)
            .map(|i| (f64::from(i), 2.0 * f64::from(i)))
            .collect();
        for (a, b) in smooth(&line, 60).iter().zip(&line) {
            assert!((a.1 - b.1).abs() < 1e-9, "{a:?} {b:?}");
        }
        let same = [(0.0, 0.3), (5.0, 0.3)];
        assert_eq!(smooth(&same, 60), same);
        assert!(smooth(&[], 60).is_empty());
    }

    #[test]
    fn the_end_is_a_trend_and_not_the_last_value() {
        for n in [20, 40, 400, 20_000] {
            let mut points: Vec<(f64, f64)> = (0..n).map(|i| (f64::from(i), 0.5)).collect();
            let last = points.len() - 1;
            points[last].1 = 1.0;
            let line = smooth(&points, 160);
            assert_eq!(line.len(), points.len().min(160));
            let end = line[line.len() - 1];
            assert_eq!(end.0, points[last].0);
            assert!(end.1 < 0.8, "{n}: {end:?}");
        }
    }

    #[test]
    fn noise_is_evened_out_and_shares_stay_shares() {
        let points: Vec<(f64, f64)> = (0..300)
            .map(|i| (f64::from(i), f64::from(u8::from(i % 3 != 0))))
            .collect();
        for (_, y) in smooth(&points, 100) {
            assert!(
                (0.0..=1.0).contains(&y) && (y - 2.0 / 3.0).abs() < 0.1,
                "{y}"
            );
        }
    }
}

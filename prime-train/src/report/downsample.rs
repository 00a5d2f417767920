//! Fewer points that look the same: a chart is some hundred units wide, whatever the number of steps.

/// At most `most` of the points, in order: the first, the last, and the least and the greatest of every stretch between. No
/// spike is lost, and every point is one that was measured. `most` is at least 4.
pub(super) fn extremes(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    let most = most.max(4);
    let n = points.len();
    if n <= most {
        return points.to_vec();
    }
    let stretches = (most - 2) / 2;
    let inner = n - 2;
    let mut kept = Vec::with_capacity(most);
    kept.push(points[0]);
    for stretch in 0..stretches {
        let from = 1 + stretch * inner / stretches;
        let to = 1 + (stretch + 1) * inner / stretches;
        let (mut least, mut greatest) = (from, from);
        for at in from..to {
            if points[at].1 < points[least].1 {
                least = at;
            }
            if points[at].1 > points[greatest].1 {
                greatest = at;
            }
        }
        kept.push(points[least.min(greatest)]);
        if least != greatest {
            kept.push(points[least.max(greatest)]);
        }
    }
    kept.push(points[n - 1]);
    kept
}

/// At most `most` places among `count`, evenly spread, the first and the last among them. `most` is at least 2.
pub(super) fn evenly(count: usize, most: usize) -> Vec<usize> {
    let most = most.max(2);
    if count <= most {
        return (0..count).collect();
    }
    (0..most).map(|at| at * (count - 1) / (most - 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_spikes_stay_and_every_point_was_measured() {
        let mut points: Vec<(f64, f64)> = (0..20_000)
            .map(|i| (f64::from(i), f64::from(i % 7)))
            .collect();
        points[12_345].1 = 90.0;
        points[17_001].1 = -90.0;
        for most in [4, 5, 100, 401, 19_999] {
            let kept = extremes(&points, most);
            assert!(kept.len() <= most, "{} of {most}", kept.len());
            assert!(kept.windows(2).all(|w| w[0].0 < w[1].0));
            assert!(kept.iter().all(|p| points[p.0 as usize] == *p));
            assert!(kept.contains(&(12_345.0, 90.0)), "{most}");
            assert!(kept.contains(&(17_001.0, -90.0)), "{most}");
            assert_eq!((kept[0].0, kept[kept.len() - 1].0), (0.0, 19_999.0));
        }
        assert_eq!(extremes(&points[..50], 100), points[..50]);
        assert!(extremes(&[], 100).is_empty());
    }

    #[test]
    fn places_are_spread_from_end_to_end() {
        assert_eq!(evenly(3, 6), [0, 1, 2]);
        assert_eq!(evenly(101, 5), [0, 25, 50, 75, 100]);
        assert!(evenly(0, 6).is_empty());
    }
}

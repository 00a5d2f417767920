//! How well scores order what they score.

/// Area under the ROC curve: the probability that a right item scores above a wrong one, ties counting half.
///
/// Returns `None` without at least one of each.
///
/// ```
/// assert_eq!(prime_reward::auc(&[(0.9, true), (0.1, false), (0.4, true)]), Some(1.0));
/// assert_eq!(prime_reward::auc(&[(0.9, true)]), None);
/// ```
pub fn auc(scored: &[(f32, bool)]) -> Option<f64> {
    let mut sorted: Vec<&(f32, bool)> = scored.iter().collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut right, mut wrong, mut pairs) = (0u64, 0u64, 0.0f64);
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let hits = tied.iter().filter(|s| s.1).count() as u64;
        let misses = tied.len() as u64 - hits;
        pairs += hits as f64 * (wrong as f64 + misses as f64 / 2.0);
        right += hits;
        wrong += misses;
    }
    (right > 0 && wrong > 0).then(|| pairs / (right as f64 * wrong as f64))
}

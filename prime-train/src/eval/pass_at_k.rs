//! pass@k from more samples than k.

/// 1 − C(n−c, k) / C(n, k): the chance that k of `n` responses, drawn without putting back, hold one of the `right` ones. An
/// unbiased estimate of the chance that k fresh responses hold a right one. `None` where there are fewer than k.
pub(super) fn pass_at_k(n: usize, right: usize, k: usize) -> Option<f64> {
    if n < k || k == 0 {
        return None;
    }
    let wrong = n.saturating_sub(right);
    if wrong < k {
        return Some(1.0);
    }
    let none_right = (0..k).map(|i| (wrong - i) as f64 / (n - i) as f64);
    Some(1.0 - none_right.product::<f64>())
}

/// 1, 2, 4, … below `k`, and `k`.
pub(super) fn ladder(k: usize) -> Vec<usize> {
    let powers = std::iter::successors(Some(1usize), |k| k.checked_mul(2));
    powers.take_while(|power| *power < k).chain([k]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_share_of_all_choices_of_k_that_hold_a_right_one() {
        for n in 1..7usize {
            for right in 0..=n {
                for k in 1..=n {
                    let choices = (0..1u32 << n).filter(|set| set.count_ones() as usize == k);
                    let (mut hold, mut all) = (0, 0);
                    for set in choices {
                        all += 1;
                        hold += usize::from(set & ((1 << right) - 1) != 0);
                    }
                    let share = f64::from(hold as u32) / f64::from(all);
                    let found = pass_at_k(n, right, k).unwrap();
                    assert!((found - share).abs() < 1e-12, "{n} {right} {k}: {found}");
                }
            }
        }
        assert_eq!(pass_at_k(3, 1, 4), None);
        assert_eq!(ladder(1), [1]);
        assert_eq!(ladder(6), [1, 2, 4, 6]);
        assert_eq!(ladder(8), [1, 2, 4, 8]);
    }
}

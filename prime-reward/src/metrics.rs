//! Whether the PRM's sums agree with the labels (verl-recipe `compute_dpo_accuracy`, `compute_dpo_abs_accuracy`).

/// Within-group ranking accuracy: over pairs i < j weighted by |label_i − label_j|, the share whose scores are ordered
/// like their labels; 0.5 for a group of equal labels; mean over groups. `None` without groups.
///
/// Each group holds (score, label) per response, the score being the summed implicit reward.
pub fn pair_accuracy(groups: &[Vec<(f64, f32)>]) -> Option<f64> {
    if groups.is_empty() {
        return None;
    }
    let of_group = |group: &Vec<(f64, f32)>| {
        let (mut agreed, mut weight) = (0.0, 0.0);
        for (i, a) in group.iter().enumerate() {
            for b in &group[i + 1..] {
                let difference = f64::from((a.1 - b.1).abs());
                weight += difference;
                if ((a.0 - b.0) > 0.0) == ((a.1 - b.1) > 0.0) {
                    agreed += difference;
                }
            }
        }
        if weight == 0.0 { 0.5 } else { agreed / weight }
    };
    Some(groups.iter().map(of_group).sum::<f64>() / groups.len() as f64)
}

/// Of a group with (score, label) per response: over pairs of unequal labels, weighted by their difference, the share whose
/// scores are ordered like their labels; equal scores count half. `None` where no labels or no scores differ: nothing was
/// asked, or nothing answered.
pub fn group_ranking(group: &[(f64, f32)]) -> Option<f64> {
    let (mut agreed, mut weight, mut says) = (0.0, 0.0, false);
    for (i, a) in group.iter().enumerate() {
        for b in &group[i + 1..] {
            let difference = f64::from((a.1 - b.1).abs());
            weight += difference;
            says |= a.0 != b.0;
            agreed += match (a.0 - b.0) * f64::from(a.1 - b.1) {
                product if product > 0.0 => difference,
                product if product < 0.0 => 0.0,
                _ => 0.5 * difference,
            };
        }
    }
    (says && weight > 0.0).then(|| agreed / weight)
}

/// Share of responses whose summed reward has the sign of 2·label − 1. `None` without responses.
pub fn sign_accuracy(scored: impl IntoIterator<Item = (f64, f32)>) -> Option<f64> {
    let sign = |x: f64| {
        if x > 0.0 {
            1
        } else if x < 0.0 {
            -1
        } else {
            0
        }
    };
    let (mut hits, mut n) = (0.0, 0.0);
    for (score, label) in scored {
        n += 1.0;
        if sign(score) == sign(2.0 * f64::from(label) - 1.0) {
            hits += 1.0;
        }
    }
    (n > 0.0).then(|| hits / n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ranking_is_over_pairs_of_unequal_labels_and_ties_are_half() {
        let group = |scores: &[f64], labels: &[f32]| -> Vec<(f64, f32)> {
            scores.iter().copied().zip(labels.iter().copied()).collect()
        };
        let ranked = |scores: &[f64], labels: &[f32]| group_ranking(&group(scores, labels));
        assert_eq!(ranked(&[2.0, 1.0, 1.5], &[1.0, 0.0, 0.0]), Some(1.0));
        assert_eq!(ranked(&[1.0, 2.0], &[1.0, 0.0]), Some(0.0));
        assert_eq!(ranked(&[1.0, 1.0, 0.0], &[1.0, 0.0, 0.0]), Some(0.75));
        // Weighted by how far the labels are apart.
        assert_eq!(ranked(&[3.0, 1.0, 2.0], &[1.0, 0.5, 0.0]), Some(0.75));
        assert_eq!(ranked(&[1.0, 2.0], &[1.0, 1.0]), None, "nothing was asked");
        assert_eq!(
            ranked(&[0.0, 0.0], &[1.0, 0.0]),
            None,
            "nothing was answered"
        );
        assert_eq!(ranked(&[], &[]), None);
    }
}

//! The formulas of the objectives on single responses, in f64 and without tensors.

use prime_policy::objective::ObjectiveConfig;

/// A response's log-probs, old log-probs and advantages.
pub struct Row {
    pub old: Vec<f64>,
    pub advantages: Vec<f64>,
}

fn ratio(log_prob: f64, old: f64) -> f64 {
    (log_prob - old).clamp(-20.0, 20.0).exp()
}

fn clipped(advantage: f64, ratio: f64, low: f32, high: f32) -> f64 {
    let bounded = ratio.clamp(1.0 - f64::from(low), 1.0 + f64::from(high));
    (-advantage * ratio).max(-advantage * bounded)
}

fn mean(x: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = x.len() as f64;
    x.sum::<f64>() / n
}

/// Σ of the token losses of one response; `frozen` are the log-probs where the formula stops the gradient.
///
/// `None` for the objectives that look at several responses.
pub fn row_loss(
    config: &ObjectiveConfig,
    row: &Row,
    log_probs: &[f64],
    frozen: &[f64],
) -> Option<f64> {
    let n = log_probs.len();
    let each = |f: &dyn Fn(f64, f64, f64, f64) -> f64| {
        (0..n)
            .map(|t| f(row.advantages[t], log_probs[t], frozen[t], row.old[t]))
            .sum()
    };
    Some(match config {
        ObjectiveConfig::PpoClip(o) => each(&|a, l, _, old| {
            let loss = clipped(a, ratio(l, old), o.clip_ratio_low, o.clip_ratio_high);
            match o.clip_ratio_c {
                Some(c) if a < 0.0 => loss.min(-a * f64::from(c)),
                _ => loss,
            }
        }),
        ObjectiveConfig::Gspo(o) => {
            let sequence = mean((0..n).map(|t| frozen[t] - row.old[t]));
            each(&|a, l, sg, _| {
                let s = (sequence + l - sg).min(10.0).exp();
                clipped(a, s, o.clip_ratio_low, o.clip_ratio_high)
            })
        }
        ObjectiveConfig::Sapo(o) => each(&|a, l, _, old| {
            let tau = f64::from(if a > 0.0 { o.tau_pos } else { o.tau_neg });
            let gate = 1.0 / (1.0 + (-tau * (ratio(l, old) - 1.0)).exp());
            -a * gate * 4.0 / tau
        }),
        ObjectiveConfig::Cispo(o) => each(&|a, l, sg, old| {
            let (low, high) = (f64::from(o.clip_ratio_low), f64::from(o.clip_ratio_high));
            -ratio(sg, old).clamp(1.0 - low, 1.0 + high) * a * l
        }),
        ObjectiveConfig::Gmpo(o) => {
            let log_ratio = mean((0..n).map(|t| {
                let d = log_probs[t] - row.old[t];
                let bounded = d.clamp(-f64::from(o.clip_ratio_low), f64::from(o.clip_ratio_high));
                // The lower gain, whichever way A points.
                if row.advantages[t] > 0.0 {
                    d.min(bounded)
                } else {
                    d.max(bounded)
                }
            }));
            // Each of the n tokens carries the response's loss.
            -mean(row.advantages.iter().copied()) * log_ratio.exp() * n as f64
        }
        ObjectiveConfig::DppoTv(o) => each(&|a, l, sg, old| {
            let moved = sg.exp() - old.exp();
            let valid = if a > 0.0 {
                moved <= f64::from(o.clip_ratio_high)
            } else {
                moved >= -f64::from(o.clip_ratio_low)
            };
            let weight = ratio(sg, old).min(o.clip_ratio_c.into());
            if valid { -a * weight * l } else { 0.0 }
        }),
        ObjectiveConfig::DppoKl(o) => each(&|a, l, sg, old| {
            let (p, q) = (old.exp(), sg.exp());
            let kl = p * (p / q).ln() + (1.0 - p) * ((1.0 - p) / (1.0 - q)).ln();
            let valid = if a > 0.0 {
                q <= p || kl <= o.clip_ratio_high.into()
            } else {
                q >= p || kl <= o.clip_ratio_low.into()
            };
            let weight = ratio(sg, old).min(o.clip_ratio_c.into());
            if valid { -a * weight * l } else { 0.0 }
        }),
        ObjectiveConfig::Dro(o) => {
            each(&|a, l, _, old| -(a * l - 0.5 * f64::from(o.dro_beta) * (l - old) * (l - old)))
        }
        ObjectiveConfig::Gpg(_) | ObjectiveConfig::Reinforce(_) => each(&|a, l, _, _| -a * l),
        _ => return None,
    })
}

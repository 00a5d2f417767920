//! Row-wise kernels: RMSNorm, SwiGLU, and the log-prob and entropy of chosen tokens.

use super::math::{dot, exp, max, sigmoid, sum, vectorised};
use super::threads;

/// `y = x / rms(x) · weight` for rows of `weight.len()`; also the reciprocal of each row's rms.
pub(crate) fn rms_norm(x: &[f32], weight: &[f32], eps: f32) -> (Vec<f32>, Vec<f32>) {
    let width = weight.len();
    let mut out = vec![0.0; x.len()];
    let mut inverse = vec![0.0; x.len() / width];
    vectorised(
        #[inline(always)]
        || {
            for ((x, y), r) in x
                .chunks_exact(width)
                .zip(out.chunks_exact_mut(width))
                .zip(&mut inverse)
            {
                *r = 1.0 / (dot(x, x) / width as f32 + eps).sqrt();
                for d in 0..width {
                    y[d] = x[d] * *r * weight[d];
                }
            }
        },
    );
    (out, inverse)
}

/// Gradients of [`rms_norm`] with respect to `x` and `weight`.
pub(crate) fn rms_norm_backward(
    x: &[f32],
    weight: &[f32],
    inverse: &[f32],
    grad: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let width = weight.len();
    let mut dx = vec![0.0; x.len()];
    let mut dw = vec![0.0; width];
    let mut scaled = vec![0.0; width];
    vectorised(
        #[inline(always)]
        || {
            for (((x, g), dx), &r) in x
                .chunks_exact(width)
                .zip(grad.chunks_exact(width))
                .zip(dx.chunks_exact_mut(width))
                .zip(inverse)
            {
                for d in 0..width {
                    scaled[d] = g[d] * weight[d];
                    dw[d] += g[d] * x[d] * r;
                }
                let shared = dot(&scaled, x) * r * r * r / width as f32;
                for d in 0..width {
                    dx[d] = scaled[d] * r - x[d] * shared;
                }
            }
        },
    );
    (dx, dw)
}

/// Elements from which on several threads are worth waking; most of the time goes into memory that is used for the first
/// time.
const PARALLEL: usize = 1 << 17;

/// How many elements a thread takes at a time, and how many threads there are.
fn shares(elements: usize) -> (usize, usize) {
    let threads = if elements < PARALLEL {
        1
    } else {
        threads::available()
    };
    let parts = if threads == 1 { 1 } else { 4 * threads };
    (elements.div_ceil(parts).max(1), threads)
}

/// `silu(gate) · up`, element by element.
pub(crate) fn swiglu(gate: &[f32], up: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; gate.len()];
    let (share, threads) = shares(gate.len());
    let inputs = gate.chunks(share).zip(up.chunks(share));
    let parts: Vec<_> = out.chunks_mut(share).zip(inputs).collect();
    threads::share(threads, parts, |next| {
        while let Some((out, (gate, up))) = next() {
            vectorised(
                #[inline(always)]
                || {
                    for ((y, &g), &u) in out.iter_mut().zip(gate).zip(up) {
                        *y = g * sigmoid(g) * u;
                    }
                },
            );
        }
    });
    out
}

/// Gradients of [`swiglu`] with respect to `gate` and `up`.
pub(crate) fn swiglu_backward(gate: &[f32], up: &[f32], grad: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let mut d_gate = vec![0.0; gate.len()];
    let mut d_up = vec![0.0; gate.len()];
    let (share, threads) = shares(gate.len());
    let inputs = gate
        .chunks(share)
        .zip(up.chunks(share))
        .zip(grad.chunks(share));
    let outputs = d_gate.chunks_mut(share).zip(d_up.chunks_mut(share));
    threads::share(threads, outputs.zip(inputs).collect(), |next| {
        while let Some(((d_gate, d_up), ((gate, up), grad))) = next() {
            vectorised(
                #[inline(always)]
                || {
                    let inputs = gate.iter().zip(up).zip(grad);
                    for ((dg, du), ((&g, &u), &grad)) in d_gate.iter_mut().zip(d_up).zip(inputs) {
                        let s = sigmoid(g);
                        *du = grad * g * s;
                        *dg = grad * u * s * (1.0 + g * (1.0 - s));
                    }
                },
            );
        }
    });
    (d_gate, d_up)
}

/// For each row of `logits` (`[rows, vocab]`) divided by `temperature`: the log-prob of its target and the
/// entropy, interleaved as `[rows, 2]`; also the log-normaliser of each row.
pub(crate) fn log_prob_entropy(
    logits: &[f32],
    targets: &[usize],
    vocab: usize,
    temperature: f32,
) -> (Vec<f32>, Vec<f32>) {
    let mut out = vec![0.0; targets.len() * 2];
    let mut lse = vec![0.0; targets.len()];
    let mut scaled = vec![0.0; vocab];
    let mut probs = vec![0.0; vocab];
    let inverse = 1.0 / temperature;
    vectorised(
        #[inline(always)]
        || {
            for (((row, &target), out), lse) in logits
                .chunks_exact(vocab)
                .zip(targets)
                .zip(out.chunks_exact_mut(2))
                .zip(&mut lse)
            {
                for (s, l) in scaled.iter_mut().zip(row) {
                    *s = l * inverse;
                }
                let top = max(&scaled);
                for (p, s) in probs.iter_mut().zip(&scaled) {
                    *p = exp(s - top);
                }
                let total = sum(&probs);
                *lse = top + total.ln();
                out[0] = scaled[target] - *lse;
                out[1] = *lse - dot(&probs, &scaled) / total;
            }
        },
    );
    (out, lse)
}

/// Gradient of [`log_prob_entropy`]'s `[rows, 2]` output with respect to the logits.
pub(crate) fn log_prob_entropy_backward(
    logits: &[f32],
    targets: &[usize],
    lse: &[f32],
    vocab: usize,
    temperature: f32,
    grad: &[f32],
) -> Vec<f32> {
    let mut out = vec![0.0; logits.len()];
    let mut log_probs = vec![0.0; vocab];
    let mut probs = vec![0.0; vocab];
    let inverse = 1.0 / temperature;
    vectorised(
        #[inline(always)]
        || {
            for ((((row, &target), d), g), &lse) in logits
                .chunks_exact(vocab)
                .zip(targets)
                .zip(out.chunks_exact_mut(vocab))
                .zip(grad.chunks_exact(2))
                .zip(lse)
            {
                let (d_log_prob, d_entropy) = (g[0] * inverse, g[1] * inverse);
                if d_log_prob == 0.0 && d_entropy == 0.0 {
                    continue;
                }
                for (l, x) in log_probs.iter_mut().zip(row) {
                    *l = x * inverse - lse;
                }
                for (p, l) in probs.iter_mut().zip(&log_probs) {
                    *p = exp(*l);
                }
                let entropy = -dot(&probs, &log_probs);
                for v in 0..vocab {
                    d[v] = -probs[v] * (d_log_prob + d_entropy * (log_probs[v] + entropy));
                }
                d[target] += d_log_prob;
            }
        },
    );
    out
}

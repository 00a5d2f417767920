//! Causal self-attention with rotary positions over whole sequences, forward and backward.
//!
//! Rows stay in the `[batch·time, heads·head_dim]` layout of the projections: no permuted copy is made,
//! and the `[time, time]` probabilities live one row at a time.

use super::AttentionShape;
use super::math::{axpy, dot, exp, max, sum, vectorised};

impl AttentionShape {
    fn q_width(&self) -> usize {
        self.heads * self.head_dim
    }
    fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim
    }
}

/// Rotates the two halves of `x` (one head) by the angles of its position; `sign` −1 undoes it.
#[inline(always)]
fn rotate(x: &[f32], cos: &[f32], sin: &[f32], sign: f32, out: &mut [f32]) {
    let half = x.len() / 2;
    let (lo, hi) = x.split_at(half);
    let (out_lo, out_hi) = out.split_at_mut(half);
    for d in 0..half {
        let (c, s) = (cos[d], sin[d] * sign);
        out_lo[d] = lo[d] * c - hi[d] * s;
        out_hi[d] = hi[d] * c + lo[d] * s;
    }
}

/// Which way [`rotate_heads`] goes.
#[derive(Clone, Copy, PartialEq)]
enum Direction {
    /// Projections (`[batch, time, heads, head_dim]`) to rotated heads (`[batch, heads, time, head_dim]`).
    ToHeads,
    /// Gradients of rotated heads back to the projections' layout: the transposed rotation.
    FromHeads,
}

/// Rotates every head of `x` by its position and changes the layout.
fn rotate_heads(
    direction: Direction,
    x: &[f32],
    heads: usize,
    shape: AttentionShape,
    cos: &[f32],
    sin: &[f32],
) -> Vec<f32> {
    let AttentionShape {
        batch,
        time,
        head_dim,
        ..
    } = shape;
    let half = head_dim / 2;
    let mut out = vec![0.0; x.len()];
    for b in 0..batch {
        for t in 0..time {
            let angles = t * half..(t + 1) * half;
            for h in 0..heads {
                let flat = ((b * time + t) * heads + h) * head_dim;
                let headed = ((b * heads + h) * time + t) * head_dim;
                let (from, to, sign) = match direction {
                    Direction::ToHeads => (flat, headed, 1.0),
                    Direction::FromHeads => (headed, flat, -1.0),
                };
                rotate(
                    &x[from..from + head_dim],
                    &cos[angles.clone()],
                    &sin[angles.clone()],
                    sign,
                    &mut out[to..to + head_dim],
                );
            }
        }
    }
    out
}

/// `[time, width]` rows of one head to `[width, time]`, so that loops over keys are contiguous.
#[inline(always)]
fn transpose(rows: &[f32], time: usize, width: usize, out: &mut [f32]) {
    for t in 0..time {
        for d in 0..width {
            out[d * time + t] = rows[t * width + d];
        }
    }
}

/// `scores[j] = scale · q·k_(first+j)` for `j < scores.len()`, keys transposed.
#[inline(always)]
fn score_row(q: &[f32], k_t: &[f32], time: usize, first: usize, scale: f32, scores: &mut [f32]) {
    let n = scores.len();
    scores.fill(0.0);
    for (d, &qd) in q.iter().enumerate() {
        let from = d * time + first;
        axpy(scores, qd * scale, &k_t[from..from + n]);
    }
}

/// What the backward pass needs again.
#[derive(Debug, Clone)]
pub(crate) struct AttentionState {
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    /// log Σ exp of the scores, `[batch, heads, time]`.
    lse: Vec<f32>,
    out: Vec<f32>,
}

/// `q`: `[batch·time, heads·head_dim]`; `k`, `v`: `[batch·time, kv_heads·head_dim]`; `cos`, `sin`:
/// `[time, head_dim/2]`. Returns the output in q's layout, and the state for [`backward`].
pub(crate) fn forward(
    shape: AttentionShape,
    q: &[f32],
    k: &[f32],
    v: &[f32],
    cos: &[f32],
    sin: &[f32],
) -> AttentionState {
    vectorised(
        #[inline(always)]
        || forward_body(shape, q, k, v, cos, sin),
    )
}

#[inline(always)]
fn forward_body(
    shape: AttentionShape,
    q: &[f32],
    k: &[f32],
    v: &[f32],
    cos: &[f32],
    sin: &[f32],
) -> AttentionState {
    let AttentionShape {
        batch,
        time,
        heads,
        kv_heads,
        head_dim,
        ..
    } = shape;
    let group = heads / kv_heads;
    let q = rotate_heads(Direction::ToHeads, q, heads, shape, cos, sin);
    let k = rotate_heads(Direction::ToHeads, k, kv_heads, shape, cos, sin);
    let mut lse = vec![0.0; batch * heads * time];
    let mut out = vec![0.0; batch * time * shape.q_width()];
    let mut k_t = vec![0.0; head_dim * time];
    let mut scores = vec![0.0; time];
    let (q_width, kv_width) = (shape.q_width(), shape.kv_width());
    for b in 0..batch {
        for kv in 0..kv_heads {
            let base = (b * kv_heads + kv) * time * head_dim;
            transpose(&k[base..base + time * head_dim], time, head_dim, &mut k_t);
            for h in kv * group..(kv + 1) * group {
                let head = (b * heads + h) * time;
                for i in 0..time {
                    let row = &q[(head + i) * head_dim..(head + i + 1) * head_dim];
                    let first = shape.first_key(i);
                    let scores = &mut scores[..=i - first];
                    score_row(row, &k_t, time, first, shape.scale(), scores);
                    let top = max(scores);
                    for s in scores.iter_mut() {
                        *s = exp(*s - top);
                    }
                    let total = sum(scores);
                    lse[head + i] = top + total.ln();
                    let norm = 1.0 / total;
                    let to = (b * time + i) * q_width + h * head_dim;
                    let out = &mut out[to..to + head_dim];
                    for (j, &p) in (first..).zip(scores.iter()) {
                        let from = (b * time + j) * kv_width + kv * head_dim;
                        axpy(out, p * norm, &v[from..from + head_dim]);
                    }
                }
            }
        }
    }
    AttentionState {
        q,
        k,
        v: v.to_vec(),
        lse,
        out,
    }
}

impl AttentionState {
    /// The attention output, `[batch·time, heads·head_dim]`.
    pub(crate) fn output(&self) -> &[f32] {
        &self.out
    }

    /// [`Self::output`] without the copy, when no backward pass follows.
    pub(crate) fn into_output(self) -> Vec<f32> {
        self.out
    }
}

/// Gradients with respect to q, k and v, in the layouts that [`forward`] took.
pub(crate) fn backward(
    shape: AttentionShape,
    state: &AttentionState,
    grad: &[f32],
    cos: &[f32],
    sin: &[f32],
) -> [Vec<f32>; 3] {
    vectorised(
        #[inline(always)]
        || backward_body(shape, state, grad, cos, sin),
    )
}

#[inline(always)]
fn backward_body(
    shape: AttentionShape,
    state: &AttentionState,
    grad: &[f32],
    cos: &[f32],
    sin: &[f32],
) -> [Vec<f32>; 3] {
    let AttentionShape {
        batch,
        time,
        heads,
        kv_heads,
        head_dim,
        ..
    } = shape;
    let group = heads / kv_heads;
    let (q_width, kv_width) = (shape.q_width(), shape.kv_width());
    let scale = shape.scale();
    let mut dq = vec![0.0; state.q.len()];
    let mut dk = vec![0.0; state.k.len()];
    let mut dv = vec![0.0; state.v.len()];
    let mut k_t = vec![0.0; head_dim * time];
    let mut v_t = vec![0.0; head_dim * time];
    let mut v_rows = vec![0.0; head_dim * time];
    let mut dv_rows = vec![0.0; head_dim * time];
    let mut probs = vec![0.0; time];
    let mut d_scores = vec![0.0; time];
    for b in 0..batch {
        for kv in 0..kv_heads {
            let base = (b * kv_heads + kv) * time * head_dim;
            let k_rows = &state.k[base..base + time * head_dim];
            let dk_rows = &mut dk[base..base + time * head_dim];
            for t in 0..time {
                let from = (b * time + t) * kv_width + kv * head_dim;
                v_rows[t * head_dim..(t + 1) * head_dim]
                    .copy_from_slice(&state.v[from..from + head_dim]);
            }
            transpose(k_rows, time, head_dim, &mut k_t);
            transpose(&v_rows, time, head_dim, &mut v_t);
            dv_rows.fill(0.0);
            for h in kv * group..(kv + 1) * group {
                let head = (b * heads + h) * time;
                for i in 0..time {
                    let q = &state.q[(head + i) * head_dim..(head + i + 1) * head_dim];
                    let at = (b * time + i) * q_width + h * head_dim;
                    let d_out = &grad[at..at + head_dim];
                    let first = shape.first_key(i);
                    let probs = &mut probs[..=i - first];
                    let d_scores = &mut d_scores[..=i - first];
                    score_row(q, &k_t, time, first, scale, probs);
                    let lse = state.lse[head + i];
                    for p in probs.iter_mut() {
                        *p = exp(*p - lse);
                    }
                    score_row(d_out, &v_t, time, first, 1.0, d_scores);
                    let inner = dot(d_out, &state.out[at..at + head_dim]);
                    for (ds, p) in d_scores.iter_mut().zip(probs.iter()) {
                        *ds = p * (*ds - inner) * scale;
                    }
                    let dq = &mut dq[(head + i) * head_dim..(head + i + 1) * head_dim];
                    for ((j, &d_score), &p) in (first..).zip(d_scores.iter()).zip(probs.iter()) {
                        let key = j * head_dim..(j + 1) * head_dim;
                        axpy(dq, d_score, &k_rows[key.clone()]);
                        axpy(&mut dk_rows[key.clone()], d_score, q);
                        axpy(&mut dv_rows[key], p, d_out);
                    }
                }
            }
            for t in 0..time {
                let to = (b * time + t) * kv_width + kv * head_dim;
                dv[to..to + head_dim].copy_from_slice(&dv_rows[t * head_dim..(t + 1) * head_dim]);
            }
        }
    }
    [
        rotate_heads(Direction::FromHeads, &dq, heads, shape, cos, sin),
        rotate_heads(Direction::FromHeads, &dk, kv_heads, shape, cos, sin),
        dv,
    ]
}

/// One new token per row over a cache: see [`super::decode_attention`]. `keys` and `values` are
/// `[rows, kv_heads, capacity, head_dim]` and get the new token at slot `lengths[row]`.
pub(crate) fn decode(
    shape: AttentionShape,
    lengths: &[usize],
    capacity: usize,
    [q, k, v]: [&[f32]; 3],
    [cos, sin]: [&[f32]; 2],
    [keys, values]: [&mut [f32]; 2],
) -> Vec<f32> {
    let AttentionShape {
        heads,
        kv_heads,
        head_dim,
        ..
    } = shape;
    let (group, half, scale) = (heads / kv_heads, head_dim / 2, shape.scale());
    let mut out = vec![0.0; q.len()];
    let mut rotated = vec![0.0; head_dim];
    let mut scores = vec![0.0; capacity];
    vectorised(
        #[inline(always)]
        || {
            for (row, &length) in lengths.iter().enumerate() {
                let cos = &cos[row * half..(row + 1) * half];
                let sin = &sin[row * half..(row + 1) * half];
                let first = shape.first_key(length);
                for kv in 0..kv_heads {
                    let from = (row * kv_heads + kv) * head_dim;
                    let base = (row * kv_heads + kv) * capacity * head_dim;
                    let slot = base + length * head_dim;
                    rotate(&k[from..from + head_dim], cos, sin, 1.0, &mut rotated);
                    keys[slot..slot + head_dim].copy_from_slice(&rotated);
                    values[slot..slot + head_dim].copy_from_slice(&v[from..from + head_dim]);
                    let read = base + first * head_dim..slot + head_dim;
                    let (keys, values) = (&keys[read.clone()], &values[read]);
                    for h in kv * group..(kv + 1) * group {
                        let at = (row * heads + h) * head_dim;
                        rotate(&q[at..at + head_dim], cos, sin, 1.0, &mut rotated);
                        let scores = &mut scores[..=length - first];
                        for (s, key) in scores.iter_mut().zip(keys.chunks_exact(head_dim)) {
                            *s = dot(&rotated, key) * scale;
                        }
                        let top = max(scores);
                        for s in scores.iter_mut() {
                            *s = exp(*s - top);
                        }
                        let norm = 1.0 / sum(scores);
                        let out = &mut out[at..at + head_dim];
                        for (&p, value) in scores.iter().zip(values.chunks_exact(head_dim)) {
                            axpy(out, p * norm, value);
                        }
                    }
                }
            }
        },
    );
    out
}

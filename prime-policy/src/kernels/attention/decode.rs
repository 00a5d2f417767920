//! One new token per row over a cache.

use pulp::{Simd, WithSimd};

use super::AttentionShape;
use super::exp::exp;
use super::rotary::Rotary;
use super::share::share;
use super::tile::{self, VECTORS};

/// Keys whose scores are computed together.
const KEYS: usize = 4;

/// See [`super::super::decode_attention`]. `keys` and `values` are `[≥ rows, kv_heads, capacity, head_dim]` and get
/// the new token at slot `lengths[row]`.
pub(crate) fn decode(
    shape: AttentionShape,
    lengths: &[usize],
    capacity: usize,
    qkv: [&[f32]; 3],
    rope: [&[f32]; 2],
    cache: [&mut [f32]; 2],
) -> Vec<f32> {
    decode_on(
        pulp::Arch::new(),
        shape,
        lengths,
        capacity,
        qkv,
        rope,
        cache,
    )
}

pub(super) fn decode_on(
    arch: pulp::Arch,
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
    let mut out = vec![0.0; q.len()];
    let width = shape.group() * head_dim;
    let parts: Vec<Part<'_>> = keys
        .chunks_exact_mut(capacity * head_dim)
        .zip(values.chunks_exact_mut(capacity * head_dim))
        .zip(out.chunks_exact_mut(width))
        .enumerate()
        .map(|(pair, ((keys, values), out))| Part {
            row: pair / kv_heads,
            length: lengths[pair / kv_heads],
            qkv: [
                &q[pair * width..][..width],
                &k[pair * head_dim..][..head_dim],
                &v[pair * head_dim..][..head_dim],
            ],
            keys,
            values,
            out,
        })
        .collect();
    let seen = |length: &usize| length + 1 - shape.first_key(*length);
    let work = lengths.iter().map(seen).sum::<usize>() * heads * head_dim;
    share(work, parts, |next| {
        arch.dispatch(Decode {
            shape,
            rotary: Rotary { cos, sin, head_dim },
            next,
        });
    });
    out
}

/// A key/value head of one row with its query heads.
struct Part<'a> {
    row: usize,
    length: usize,
    qkv: [&'a [f32]; 3],
    keys: &'a mut [f32],
    values: &'a mut [f32],
    out: &'a mut [f32],
}

struct Decode<'a, 'n, 'p> {
    shape: AttentionShape,
    rotary: Rotary<'a>,
    next: &'n mut dyn FnMut() -> Option<Part<'p>>,
}

impl WithSimd for Decode<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let head_dim = self.shape.head_dim;
        let (group, scale) = (self.shape.group(), self.shape.scale());
        let mut rotated = vec![0.0; group * head_dim];
        let mut probs = Vec::new();
        let mut norms = vec![0.0; group];
        while let Some(part) = (self.next)() {
            let (row, length) = (part.row, part.length);
            let [q, k, v] = part.qkv;
            let slot = length * head_dim..(length + 1) * head_dim;
            let key = &mut part.keys[slot.clone()];
            self.rotary.rotate(simd, row, 1.0, k, key);
            part.values[slot.clone()].copy_from_slice(v);
            let heads = q.chunks_exact(head_dim);
            for (q, rotated) in heads.zip(rotated.chunks_exact_mut(head_dim)) {
                self.rotary.rotate(simd, row, scale, q, rotated);
            }
            let seen = self.shape.first_key(length) * head_dim..slot.end;
            let (keys, values) = (&part.keys[seen.clone()], &part.values[seen]);
            let count = keys.len() / head_dim;
            // The last vector of each head's scores may have fewer.
            let stride = count.next_multiple_of(S::F32_LANES);
            probs.resize(group * stride, 0.0);
            score_all(simd, &rotated, keys, head_dim, &mut probs);
            for (probs, norm) in probs.chunks_exact_mut(stride).zip(&mut norms) {
                probs[count..].fill(f32::NEG_INFINITY);
                *norm = softmax(simd, probs);
            }
            mix_all(simd, &probs, &norms, values, head_dim, part.out);
        }
    }
}

/// The scores of all queries with all keys: `[queries, stride]`.
#[inline(always)]
fn score_all<S: Simd>(simd: S, queries: &[f32], keys: &[f32], head_dim: usize, scores: &mut [f32]) {
    let stride = scores.len() / (queries.len() / head_dim);
    let mut blocks = keys.chunks_exact(KEYS * head_dim);
    let mut at = 0;
    for keys in &mut blocks {
        score_keys::<S, KEYS>(simd, queries, keys, head_dim, &mut scores[at..], stride);
        at += KEYS;
    }
    for key in blocks.remainder().chunks_exact(head_dim) {
        score_keys::<S, 1>(simd, queries, key, head_dim, &mut scores[at..], stride);
        at += 1;
    }
}

/// Those of all queries with K keys, two queries at a time.
#[inline(always)]
fn score_keys<S: Simd, const K: usize>(
    simd: S,
    queries: &[f32],
    keys: &[f32],
    head_dim: usize,
    scores: &mut [f32],
    stride: usize,
) {
    let pairs = queries.chunks_exact(2 * head_dim);
    let last = pairs.remainder();
    for (pair, query) in pairs.zip((0..).step_by(2)) {
        score::<S, 2, K>(
            simd,
            pair,
            keys,
            head_dim,
            &mut scores[query * stride..],
            stride,
        );
    }
    if !last.is_empty() {
        let query = queries.len() / head_dim - 1;
        score::<S, 1, K>(
            simd,
            last,
            keys,
            head_dim,
            &mut scores[query * stride..],
            stride,
        );
    }
}

/// Those of Q queries with K keys.
#[inline(always)]
fn score<S: Simd, const Q: usize, const K: usize>(
    simd: S,
    queries: &[f32],
    keys: &[f32],
    head_dim: usize,
    scores: &mut [f32],
    stride: usize,
) {
    let whole = head_dim - head_dim % S::F32_LANES;
    let mut sums = [[simd.splat_f32s(0.0); K]; Q];
    for at in (0..whole).step_by(S::F32_LANES) {
        let mut row = [simd.splat_f32s(0.0); K];
        for (k, row) in row.iter_mut().enumerate() {
            *row = tile::vector::<S>(keys, k * head_dim + at);
        }
        for (q, sums) in sums.iter_mut().enumerate() {
            let query = tile::vector::<S>(queries, q * head_dim + at);
            for k in 0..K {
                sums[k] = simd.mul_add_e_f32s(query, row[k], sums[k]);
            }
        }
    }
    if whole < head_dim {
        let rest = |row: usize| row * head_dim + whole..(row + 1) * head_dim;
        for q in 0..Q {
            let query = simd.partial_load_f32s(&queries[rest(q)]);
            for k in 0..K {
                let key = simd.partial_load_f32s(&keys[rest(k)]);
                sums[q][k] = simd.mul_add_e_f32s(query, key, sums[q][k]);
            }
        }
    }
    for q in 0..Q {
        for k in 0..K {
            scores[q * stride + k] = simd.reduce_sum_f32s(sums[q][k]);
        }
    }
}

/// Turns the scores of one query, whole vectors of them, into probabilities that lack their normaliser; returns it.
#[inline(always)]
fn softmax<S: Simd>(simd: S, scores: &mut [f32]) -> f32 {
    let (scores, _) = S::as_mut_simd_f32s(scores);
    let mut top = simd.splat_f32s(f32::NEG_INFINITY);
    for score in scores.iter() {
        top = simd.max_f32s(*score, top);
    }
    let top = simd.splat_f32s(simd.reduce_max_f32s(top));
    let mut total = simd.splat_f32s(0.0);
    for score in scores {
        *score = exp(simd, simd.sub_f32s(*score, top));
        total = simd.add_f32s(total, *score);
    }
    1.0 / simd.reduce_sum_f32s(total)
}

/// Adds up the values by the probabilities of each query. Few queries at a time take several keys at a time instead,
/// so that enough sums are under way.
#[inline(always)]
fn mix_all<S: Simd>(
    simd: S,
    probs: &[f32],
    norms: &[f32],
    values: &[f32],
    head_dim: usize,
    out: &mut [f32],
) {
    let mut query = 0;
    while query < norms.len() {
        let mix = Mix {
            probs: &probs[query * (probs.len() / norms.len())..],
            stride: probs.len() / norms.len(),
            norms: &norms[query..],
            values,
            head_dim,
        };
        let out = &mut out[query * head_dim..];
        query += match norms.len() - query {
            1 => mix.run::<S, 1, 4>(simd, out),
            2 | 3 => mix.run::<S, 2, 2>(simd, out),
            _ => mix.run::<S, 4, 1>(simd, out),
        };
    }
}

/// Queries whose values are added up: the first of these rows.
#[derive(Clone, Copy)]
struct Mix<'a> {
    probs: &'a [f32],
    stride: usize,
    norms: &'a [f32],
    values: &'a [f32],
    head_dim: usize,
}

impl Mix<'_> {
    /// The outputs of Q queries, K keys at a time. Returns Q.
    #[inline(always)]
    fn run<S: Simd, const Q: usize, const K: usize>(self, simd: S, out: &mut [f32]) -> usize {
        let width = tile::width::<S>();
        let whole = self.head_dim - self.head_dim % width;
        for at in (0..whole).step_by(width) {
            let sums = self.sum::<S, Q, K, VECTORS>(
                simd,
                #[inline(always)]
                |row| tile::load::<S>(row, at),
            );
            for (q, sum) in sums.into_iter().enumerate() {
                tile::store::<S>(out, q * self.head_dim + at, sum);
            }
        }
        for at in (whole..self.head_dim).step_by(S::F32_LANES) {
            let at = at..self.head_dim.min(at + S::F32_LANES);
            let sums = self.sum::<S, Q, K, 1>(
                simd,
                #[inline(always)]
                |row| [simd.partial_load_f32s(&row[at.clone()])],
            );
            for (q, [sum]) in sums.into_iter().enumerate() {
                let out = &mut out[q * self.head_dim..][at.clone()];
                simd.partial_store_f32s(out, sum);
            }
        }
        Q
    }

    /// V vectors of the outputs of Q queries; `load` takes them from a row of values.
    #[inline(always)]
    fn sum<S: Simd, const Q: usize, const K: usize, const V: usize>(
        self,
        simd: S,
        load: impl Fn(&[f32]) -> [S::f32s; V],
    ) -> [[S::f32s; V]; Q] {
        let mut sums = [[[simd.splat_f32s(0.0); V]; K]; Q];
        let count = self.values.len() / self.head_dim;
        let probs = tile::rows::<Q>(self.probs, self.stride, 0, 0..count);
        let blocks = self.values.chunks_exact(K * self.head_dim);
        let rest = blocks.remainder().chunks_exact(self.head_dim);
        for (block, values) in blocks.enumerate() {
            for k in 0..K {
                let row = load(&values[k * self.head_dim..][..self.head_dim]);
                for q in 0..Q {
                    let prob = probs[q].as_chunks::<K>().0[block][k];
                    add(simd, &mut sums[q][k], prob, row);
                }
            }
        }
        for (key, values) in (count - count % K..).zip(rest) {
            let row = load(values);
            for q in 0..Q {
                add(simd, &mut sums[q][0], probs[q][key], row);
            }
        }
        let mut out = [[simd.splat_f32s(0.0); V]; Q];
        for q in 0..Q {
            let norm = simd.splat_f32s(self.norms[q]);
            for v in 0..V {
                let mut sum = sums[q][0][v];
                for part in &sums[q][1..] {
                    sum = simd.add_f32s(sum, part[v]);
                }
                out[q][v] = simd.mul_f32s(sum, norm);
            }
        }
        out
    }
}

/// `sum += factor · row`.
#[inline(always)]
fn add<S: Simd, const V: usize>(simd: S, sum: &mut [S::f32s; V], factor: f32, row: [S::f32s; V]) {
    let factor = simd.splat_f32s(factor);
    for v in 0..V {
        sum[v] = simd.mul_add_e_f32s(factor, row[v], sum[v]);
    }
}

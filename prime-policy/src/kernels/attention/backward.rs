//! Whole sequences, backward.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::chunk::Chunk;
use super::exp::exp;
use super::keys::KeyValues;
use super::queries::Queries;
use super::rotary::Rotary;
use super::share::{columns, share};
use super::steps::Steps;
use super::tile::{self, ROWS, VECTORS, Vectors};
use super::{AttentionShape, Normalisers, Ragged};

/// What the backward pass needs of the forward pass, in the layouts of [`forward`](super::forward()).
#[derive(Clone, Copy)]
pub(crate) struct Taped<'a> {
    pub(crate) qkv: [&'a [f32]; 3],
    pub(crate) out: &'a [f32],
    pub(crate) normalisers: &'a Normalisers,
}

/// Gradients with respect to q, k and v, in the layouts that [`forward`](super::forward()) took, from that with
/// respect to the output.
pub(crate) fn backward(
    shape: AttentionShape,
    ragged: &Ragged,
    taped: Taped<'_>,
    grad: &[f32],
    rope: [&[f32]; 2],
) -> [Vec<f32>; 3] {
    backward_on(pulp::Arch::new(), shape, ragged, taped, grad, rope)
}

pub(super) fn backward_on(
    arch: pulp::Arch,
    shape: AttentionShape,
    ragged: &Ragged,
    taped: Taped<'_>,
    grad: &[f32],
    [cos, sin]: [&[f32]; 2],
) -> [Vec<f32>; 3] {
    let AttentionShape {
        kv_heads, head_dim, ..
    } = shape;
    let mut grads = taped.qkv.map(|x| vec![0.0; x.len()]);
    let widths = [shape.group() * head_dim, head_dim, head_dim];
    let [dq, dk, dv] = &mut grads;
    let [dq, dk, dv] = [(dq, widths[0]), (dk, widths[1]), (dv, widths[2])]
        .map(|(grad, width)| columns(grad, ragged, [kv_heads, width]));
    let parts: Vec<Part<'_>> = dq
        .into_iter()
        .zip(dk.into_iter().zip(dv))
        .enumerate()
        .map(|(pair, (dq, (dk, dv)))| Part {
            rows: ragged.rows(pair / kv_heads),
            kv_head: pair % kv_heads,
            dq,
            dk,
            dv,
        })
        .collect();
    share(shape.work(ragged), parts, |next| {
        arch.dispatch(Backward {
            shape,
            longest: ragged.longest(),
            taped,
            grad,
            rotary: Rotary { cos, sin, head_dim },
            next,
        });
    });
    grads
}

/// One key/value head and its query heads in one sequence: their columns at each position.
struct Part<'a> {
    /// Of the projections.
    rows: Range<usize>,
    kv_head: usize,
    dq: Vec<&'a mut [f32]>,
    dk: Vec<&'a mut [f32]>,
    dv: Vec<&'a mut [f32]>,
}

struct Backward<'a, 'n, 'p> {
    shape: AttentionShape,
    longest: usize,
    taped: Taped<'a>,
    grad: &'a [f32],
    rotary: Rotary<'a>,
    next: &'n mut dyn FnMut() -> Option<Part<'p>>,
}

impl WithSimd for Backward<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let group = self.shape.group();
        let mut chunk = Chunk::new::<S>(self.shape, self.longest);
        let mut keys = Keys::new::<S>(self.shape, self.longest, chunk.size);
        while let Some(mut part) = (self.next)() {
            keys.read(simd, self.taped, self.rotary, &part);
            for head in 0..group {
                for first in (0..part.rows.len()).step_by(chunk.size) {
                    let place = [part.kv_head * group + head, first];
                    chunk.read(simd, self.taped, self.grad, self.rotary, &part.rows, place);
                    keys.meet(simd, &mut chunk);
                    chunk.write(simd, self.rotary, head, &mut part.dq);
                }
            }
            keys.write(simd, self.rotary, &mut part);
        }
    }
}

/// Keys and values of one head, with their gradients, which lie like them.
struct Keys {
    shape: AttentionShape,
    seen: KeyValues,
    d_keys: Vec<f32>,
    d_values: Vec<f32>,
    /// Probabilities of [`ROWS`] keys, and the gradients of their scores, for the queries of a chunk: `[ROWS, size]`.
    probs: Vec<f32>,
    d_scores: Vec<f32>,
}

impl Keys {
    fn new<S: Simd>(shape: AttentionShape, longest: usize, size: usize) -> Self {
        let seen = KeyValues::new::<S>(shape, longest);
        Self {
            shape,
            d_keys: seen.keys.clone(),
            d_values: seen.values.clone(),
            seen,
            probs: vec![0.0; ROWS * size],
            d_scores: vec![0.0; ROWS * size],
        }
    }

    #[inline(always)]
    fn read<S: Simd>(&mut self, simd: S, taped: Taped<'_>, rotary: Rotary<'_>, part: &Part<'_>) {
        let [_, k, v] = taped.qkv;
        self.seen
            .read(simd, [k, v], rotary, &part.rows, part.kv_head);
        self.d_keys.fill(0.0);
        self.d_values.fill(0.0);
    }

    #[inline(always)]
    fn write<S: Simd>(&self, simd: S, rotary: Rotary<'_>, part: &mut Part<'_>) {
        for (t, (dk, dv)) in part.dk.iter_mut().zip(&mut part.dv).enumerate() {
            let from = t * self.seen.stride;
            rotary.rotate_back(simd, t, 1.0, &self.d_keys[from..], dk);
            let d_value = &self.d_values[from..from + self.shape.head_dim];
            tile::copy(simd, d_value, dv);
        }
    }

    /// All gradients that come of the chunk's queries looking at the keys.
    #[inline(always)]
    fn meet<S: Simd>(&mut self, simd: S, chunk: &mut Chunk) {
        let queries = chunk.queries.clone();
        let first_key = self.shape.first_key(queries.start) / ROWS * ROWS;
        for key in (first_key..queries.end).step_by(ROWS) {
            // In the chunk, not in the sequence.
            let seen_by = Steps::<ROWS>::new(|r| {
                let end = self.shape.end_of_queries(key + r, queries.end);
                let start = (key + r).max(queries.start);
                start - queries.start..end.max(queries.start) - queries.start
            });
            self.differentiate_scores(simd, chunk, key, seen_by.all());
            self.add_to_keys(simd, chunk, key, &seen_by);
            self.add_to_queries(simd, chunk, key, &seen_by);
        }
    }

    /// Fills `probs` and `d_scores` for [`ROWS`] keys and the panels that hold the chunk's queries `range`.
    #[inline(always)]
    fn differentiate_scores<S: Simd>(
        &mut self,
        simd: S,
        chunk: &Chunk,
        key: usize,
        range: Range<usize>,
    ) {
        let (width, head_dim) = (tile::width::<S>(), self.shape.head_dim);
        let keys = tile::rows::<ROWS>(&self.seen.keys, self.seen.stride, key, 0..head_dim);
        let values = tile::rows::<ROWS>(&self.seen.values, self.seen.stride, key, 0..head_dim);
        for at in (range.start / width * width..range.end).step_by(width) {
            let panel = at * head_dim..(at + width) * head_dim;
            let position = chunk.queries.start + at;
            let queries = Queries::<S>::new(&chunk.positions, position, self.shape);
            let all = queries.see(key..key + ROWS);
            let tops = tile::load::<S>(&chunk.tops, at);
            let norms = tile::load::<S>(&chunk.norms, at);
            let inner = tile::load::<S>(&chunk.inner, at);
            let scores = tile::product(simd, keys, &chunk.panels[panel.clone()]);
            for (r, mut probs) in scores.into_iter().enumerate() {
                for v in 0..VECTORS {
                    let p = exp(simd, simd.sub_f32s(probs[v], tops[v]));
                    probs[v] = simd.mul_f32s(p, norms[v]);
                }
                if !all {
                    probs = queries.visible(simd, key + r, probs, 0.0);
                }
                tile::store::<S>(&mut self.probs, r * chunk.size + at, probs);
            }
            let d_probs = tile::product(simd, values, &chunk.grad_panels[panel]);
            for (r, mut d_scores) in d_probs.into_iter().enumerate() {
                let probs = tile::load::<S>(&self.probs, r * chunk.size + at);
                for v in 0..VECTORS {
                    let d = simd.sub_f32s(d_scores[v], inner[v]);
                    d_scores[v] = simd.mul_f32s(probs[v], d);
                }
                tile::store::<S>(&mut self.d_scores, r * chunk.size + at, d_scores);
            }
        }
    }

    #[inline(always)]
    fn add_to_keys<S: Simd>(&mut self, simd: S, chunk: &Chunk, key: usize, seen_by: &Steps<ROWS>) {
        let stride = self.seen.stride;
        for (factors, rows, sums) in [
            (&self.probs, &chunk.grad_rows, &mut self.d_values),
            (&self.d_scores, &chunk.rows, &mut self.d_keys),
        ] {
            for at in (0..stride).step_by(tile::width::<S>()) {
                let place = |r: usize| (key + r) * stride + at;
                let mut tile = [tile::splat(simd, 0.0); ROWS];
                for r in 0..ROWS {
                    let [before, _] = seen_by.others(r);
                    let sum = tile::load::<S>(sums, place(r));
                    let factors = &factors[r * chunk.size..];
                    tile[r] = add_queries(simd, sum, before, factors, rows, [stride, at]);
                }
                let common = seen_by.common();
                let columns = tile::rows::<ROWS>(factors, chunk.size, 0, common.clone());
                let common_rows = &rows[common.start * stride..common.end * stride];
                for (i, row) in common_rows.chunks_exact(stride).enumerate() {
                    let row = tile::load::<S>(row, at);
                    for r in 0..ROWS {
                        tile[r] = tile::add_row(simd, tile[r], columns[r][i], row);
                    }
                }
                for r in 0..ROWS {
                    let [_, after] = seen_by.others(r);
                    let factors = &factors[r * chunk.size..];
                    tile[r] = add_queries(simd, tile[r], after, factors, rows, [stride, at]);
                }
                for (r, sum) in tile.into_iter().enumerate() {
                    tile::store::<S>(sums, place(r), sum);
                }
            }
        }
    }

    #[inline(always)]
    fn add_to_queries<S: Simd>(
        &self,
        simd: S,
        chunk: &mut Chunk,
        key: usize,
        seen_by: &Steps<ROWS>,
    ) {
        let stride = self.seen.stride;
        for at in (0..stride).step_by(tile::width::<S>()) {
            let mut keys = [tile::splat(simd, 0.0); ROWS];
            for (r, vectors) in keys.iter_mut().enumerate() {
                *vectors = tile::load::<S>(&self.seen.keys, (key + r) * stride + at);
            }
            for (r, key) in keys.iter().enumerate() {
                let [before, _] = seen_by.others(r);
                self.add_key_to_queries(simd, chunk, before, at, r, *key);
            }
            let common = seen_by.common();
            let factors = tile::rows::<ROWS>(&self.d_scores, chunk.size, 0, common.clone());
            let rows = &mut chunk.d_rows[common.start * stride..common.end * stride];
            for (i, row) in rows.chunks_exact_mut(stride).enumerate() {
                let mut sum = tile::load::<S>(row, at);
                for r in 0..ROWS {
                    sum = tile::add_row(simd, sum, factors[r][i], keys[r]);
                }
                tile::store::<S>(row, at, sum);
            }
            for (r, key) in keys.iter().enumerate() {
                let [_, after] = seen_by.others(r);
                self.add_key_to_queries(simd, chunk, after, at, r, *key);
            }
        }
    }

    /// Adds what a tile's width of row `r` of the keys contributes to some of the chunk's queries.
    #[inline(always)]
    fn add_key_to_queries<S: Simd>(
        &self,
        simd: S,
        chunk: &mut Chunk,
        queries: Range<usize>,
        at: usize,
        r: usize,
        key: Vectors<S>,
    ) {
        for query in queries {
            let at = query * self.seen.stride + at;
            let factor = self.d_scores[r * chunk.size + query];
            let sum = tile::add_row(simd, tile::load::<S>(&chunk.d_rows, at), factor, key);
            tile::store::<S>(&mut chunk.d_rows, at, sum);
        }
    }
}

/// Adds a tile's width of the `rows` of some of the chunk's queries to `sum`, by their `factors`.
#[inline(always)]
fn add_queries<S: Simd>(
    simd: S,
    mut sum: Vectors<S>,
    queries: Range<usize>,
    factors: &[f32],
    rows: &[f32],
    [stride, at]: [usize; 2],
) -> Vectors<S> {
    for query in queries {
        let row = tile::load::<S>(rows, query * stride + at);
        sum = tile::add_row(simd, sum, factors[query], row);
    }
    sum
}

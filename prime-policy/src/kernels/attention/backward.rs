//! Whole sequences, backward.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::rotary::Rotary;
use super::share::{columns, share};
use super::tile::{self, Queries, ROWS, Steps, VECTORS, Vectors};
use super::{AttentionShape, Normalisers};

/// Queries whose projections and gradients stay in the caches while the keys pass by.
const CHUNK: usize = 128;

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
    taped: Taped<'_>,
    grad: &[f32],
    rope: [&[f32]; 2],
) -> [Vec<f32>; 3] {
    backward_on(pulp::Arch::new(), shape, taped, grad, rope)
}

pub(super) fn backward_on(
    arch: pulp::Arch,
    shape: AttentionShape,
    taped: Taped<'_>,
    grad: &[f32],
    [cos, sin]: [&[f32]; 2],
) -> [Vec<f32>; 3] {
    let AttentionShape {
        batch,
        time,
        kv_heads,
        head_dim,
        ..
    } = shape;
    let mut grads = taped.qkv.map(|x| vec![0.0; x.len()]);
    let widths = [shape.group() * head_dim, head_dim, head_dim];
    let [dq, dk, dv] = &mut grads;
    let [dq, dk, dv] = [(dq, widths[0]), (dk, widths[1]), (dv, widths[2])]
        .map(|(grad, width)| columns(grad, [batch, time, kv_heads, width]));
    let parts: Vec<Part<'_>> = dq
        .into_iter()
        .zip(dk.into_iter().zip(dv))
        .enumerate()
        .map(|(pair, (dq, (dk, dv)))| Part {
            row: pair / kv_heads,
            kv_head: pair % kv_heads,
            dq,
            dk,
            dv,
        })
        .collect();
    share(shape.work(), parts, |next| {
        arch.dispatch(Backward {
            shape,
            taped,
            grad,
            rotary: Rotary { cos, sin, head_dim },
            next,
        });
    });
    grads
}

/// One key/value head and its query heads in one row of the batch: their columns at each position.
struct Part<'a> {
    row: usize,
    kv_head: usize,
    dq: Vec<&'a mut [f32]>,
    dk: Vec<&'a mut [f32]>,
    dv: Vec<&'a mut [f32]>,
}

struct Backward<'a, 'n, 'p> {
    shape: AttentionShape,
    taped: Taped<'a>,
    grad: &'a [f32],
    rotary: Rotary<'a>,
    next: &'n mut dyn FnMut() -> Option<Part<'p>>,
}

impl WithSimd for Backward<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let time = self.shape.time;
        let chunk = time
            .div_ceil(time.div_ceil(CHUNK))
            .next_multiple_of(tile::width::<S>());
        let mut keys = Keys::new::<S>(self.shape);
        let mut chunk = Chunk::new::<S>(self.shape, chunk);
        while let Some(mut part) = (self.next)() {
            keys.read(simd, self.taped, self.rotary, &part);
            for head in 0..self.shape.group() {
                for first in (0..time).step_by(chunk.size) {
                    chunk.read(simd, &self, &part, head, first);
                    keys.meet(simd, &mut chunk);
                    chunk.write(simd, self.rotary, &mut part, head);
                }
            }
            keys.write(simd, self.rotary, &mut part);
        }
    }
}

/// Keys and values of one head, with their gradients: each `[time rounded up to ROWS, stride]`, where stride is
/// head_dim rounded up to whole tiles.
struct Keys {
    shape: AttentionShape,
    stride: usize,
    /// Rotated.
    keys: Vec<f32>,
    values: Vec<f32>,
    d_keys: Vec<f32>,
    d_values: Vec<f32>,
    /// Probabilities of [`ROWS`] keys, and the gradients of their scores, for the queries of a chunk.
    probs: Vec<f32>,
    d_scores: Vec<f32>,
}

/// Queries of one head that follow each other.
struct Chunk {
    shape: AttentionShape,
    stride: usize,
    size: usize,
    queries: Range<usize>,
    /// Rotated and scaled: `[size, stride]` and, in panels of a tile's width of queries, `[head_dim, width]` each.
    rows: Vec<f32>,
    panels: Vec<f32>,
    /// Gradients of the outputs, in the same two ways.
    grad_rows: Vec<f32>,
    grad_panels: Vec<f32>,
    /// Gradients of the rotated and scaled queries, `[size, stride]`.
    d_rows: Vec<f32>,
    /// The largest score of each query, its normaliser, and the product of its output and that one's gradient.
    tops: Vec<f32>,
    norms: Vec<f32>,
    inner: Vec<f32>,
    /// 0, 1, 2, …
    positions: Vec<i32>,
}

impl Keys {
    fn new<S: Simd>(shape: AttentionShape) -> Self {
        let stride = tile::padded::<S>(shape.head_dim);
        let rows = || vec![0.0; shape.time.next_multiple_of(ROWS) * stride];
        let columns = || vec![0.0; ROWS * CHUNK.next_multiple_of(tile::width::<S>())];
        Self {
            shape,
            stride,
            keys: rows(),
            values: rows(),
            d_keys: rows(),
            d_values: rows(),
            probs: columns(),
            d_scores: columns(),
        }
    }

    #[inline(always)]
    fn read<S: Simd>(&mut self, simd: S, taped: Taped<'_>, rotary: Rotary<'_>, part: &Part<'_>) {
        let AttentionShape {
            time,
            kv_heads,
            head_dim,
            ..
        } = self.shape;
        let [_, k, v] = taped.qkv;
        for t in 0..time {
            let from = ((part.row * time + t) * kv_heads + part.kv_head) * head_dim;
            let to = t * self.stride;
            rotary.rotate(simd, t, 1.0, &k[from..], &mut self.keys[to..]);
            let value = &v[from..from + head_dim];
            tile::copy(simd, value, &mut self.values[to..to + head_dim]);
        }
        self.d_keys.fill(0.0);
        self.d_values.fill(0.0);
    }

    #[inline(always)]
    fn write<S: Simd>(&self, simd: S, rotary: Rotary<'_>, part: &mut Part<'_>) {
        for (t, (dk, dv)) in part.dk.iter_mut().zip(&mut part.dv).enumerate() {
            let from = t * self.stride;
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
        let keys = tile::rows::<ROWS>(&self.keys, self.stride, key, 0..head_dim);
        let values = tile::rows::<ROWS>(&self.values, self.stride, key, 0..head_dim);
        for at in (range.start / width * width..range.end).step_by(width) {
            let panel = at * head_dim..(at + width) * head_dim;
            let position = chunk.queries.start + at;
            let queries = Queries::<S>::new(&chunk.positions, position, self.shape);
            let all = queries.see(key..key + ROWS);
            let tops = tile::load::<S>(&chunk.tops, at);
            let norms = tile::load::<S>(&chunk.norms, at);
            let inner = tile::load::<S>(&chunk.inner, at);
            let scores = tile::product(simd, keys, &chunk.panels[panel.clone()]);
            for r in 0..ROWS {
                let mut probs = scores[r];
                for v in 0..VECTORS {
                    let p = tile::exp(simd, simd.sub_f32s(probs[v], tops[v]));
                    probs[v] = simd.mul_f32s(p, norms[v]);
                }
                if !all {
                    probs = queries.visible(simd, key + r, probs, 0.0);
                }
                tile::store::<S>(&mut self.probs, r * chunk.size + at, probs);
            }
            let d_probs = tile::product(simd, values, &chunk.grad_panels[panel]);
            for r in 0..ROWS {
                let probs = tile::load::<S>(&self.probs, r * chunk.size + at);
                let mut d_scores = d_probs[r];
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
        let stride = self.stride;
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
        let stride = self.stride;
        for at in (0..stride).step_by(tile::width::<S>()) {
            let mut keys = [tile::splat(simd, 0.0); ROWS];
            for (r, vectors) in keys.iter_mut().enumerate() {
                *vectors = tile::load::<S>(&self.keys, (key + r) * stride + at);
            }
            for r in 0..ROWS {
                let [before, _] = seen_by.others(r);
                self.add_key_to_queries(simd, chunk, before, at, r, keys[r]);
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
            for r in 0..ROWS {
                let [_, after] = seen_by.others(r);
                self.add_key_to_queries(simd, chunk, after, at, r, keys[r]);
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
            let at = query * self.stride + at;
            let factor = self.d_scores[r * chunk.size + query];
            let sum = tile::add_row(simd, tile::load::<S>(&chunk.d_rows, at), factor, key);
            tile::store::<S>(&mut chunk.d_rows, at, sum);
        }
    }
}

impl Chunk {
    fn new<S: Simd>(shape: AttentionShape, size: usize) -> Self {
        let stride = tile::padded::<S>(shape.head_dim);
        let positions = shape.time.next_multiple_of(tile::width::<S>()) as i32;
        let rows = || vec![0.0; size * stride];
        let panels = || vec![0.0; size * shape.head_dim];
        let column = || vec![0.0; size];
        Self {
            shape,
            stride,
            size,
            queries: 0..0,
            rows: rows(),
            panels: panels(),
            grad_rows: rows(),
            grad_panels: panels(),
            d_rows: rows(),
            tops: column(),
            norms: column(),
            inner: column(),
            positions: (0..positions).collect(),
        }
    }

    /// Reads the queries of a head from position `first` on.
    #[inline(always)]
    fn read<S: Simd>(
        &mut self,
        simd: S,
        from: &Backward<'_, '_, '_>,
        part: &Part<'_>,
        head: usize,
        first: usize,
    ) {
        let AttentionShape {
            time,
            heads,
            head_dim,
            ..
        } = self.shape;
        let (width, stride) = (tile::width::<S>(), self.stride);
        self.queries = first..time.min(first + self.size);
        let head = part.kv_head * self.shape.group() + head;
        let normalisers = (part.row * heads + head) * 2 * time;
        let (tops, norms) =
            from.taped.normalisers[normalisers..normalisers + 2 * time].split_at(time);
        let (queries, scale) = (self.queries.clone(), self.shape.scale());
        self.tops[..queries.len()].copy_from_slice(&tops[queries.clone()]);
        self.norms[..queries.len()].copy_from_slice(&norms[queries.clone()]);
        for (i, query) in queries.enumerate() {
            let at = ((part.row * time + query) * heads + head) * head_dim;
            let place = at..at + head_dim;
            let row = &mut self.rows[i * stride..][..head_dim];
            from.rotary
                .rotate(simd, query, scale, &from.taped.qkv[0][place.clone()], row);
            let panel = i / width * width * head_dim..(i / width + 1) * width * head_dim;
            tile::put_column::<S>(&mut self.panels[panel.clone()], i % width, row);
            let grad = &from.grad[place.clone()];
            tile::copy(simd, grad, &mut self.grad_rows[i * stride..][..head_dim]);
            tile::put_column::<S>(&mut self.grad_panels[panel], i % width, grad);
            self.inner[i] = tile::dot(simd, grad, &from.taped.out[place]);
        }
        self.d_rows.fill(0.0);
    }

    #[inline(always)]
    fn write<S: Simd>(&self, simd: S, rotary: Rotary<'_>, part: &mut Part<'_>, head: usize) {
        let (head_dim, scale) = (self.shape.head_dim, self.shape.scale());
        for (query, row) in self
            .queries
            .clone()
            .zip(self.d_rows.chunks_exact(self.stride))
        {
            let to = &mut part.dq[query][head * head_dim..(head + 1) * head_dim];
            rotary.rotate_back(simd, query, scale, row, to);
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

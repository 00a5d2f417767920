//! Whole sequences, forward.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::exp::exp;
use super::keys::KeyValues;
use super::queries::{self, Queries};
use super::rotary::Rotary;
use super::share::{columns, cut_up, share};
use super::steps::Steps;
use super::tile::{self, ROWS, VECTORS, Vectors};
use super::{AttentionShape, Normalisers, Ragged};

/// `q`: `[tokens, heads·head_dim]`; `k`, `v`: `[tokens, kv_heads·head_dim]`; `cos`, `sin`: `[longest, head_dim/2]`. Returns the output in q's layout, and what [`backward`](super::backward()) wants of it.
pub(crate) fn forward(
    shape: AttentionShape,
    ragged: &Ragged,
    qkv: [&[f32]; 3],
    rope: [&[f32]; 2],
) -> (Vec<f32>, Normalisers) {
    forward_on(pulp::Arch::new(), shape, ragged, qkv, rope)
}

pub(super) fn forward_on(
    arch: pulp::Arch,
    shape: AttentionShape,
    ragged: &Ragged,
    qkv: [&[f32]; 3],
    [cos, sin]: [&[f32]; 2],
) -> (Vec<f32>, Normalisers) {
    let AttentionShape {
        heads,
        kv_heads,
        head_dim,
        ..
    } = shape;
    let mut out = vec![0.0; qkv[0].len()];
    let mut normalisers = vec![0.0; heads * 2 * ragged.tokens()];
    let width = shape.group() * head_dim;
    let parts: Vec<Part<'_>> = columns(&mut out, ragged, [kv_heads, width])
        .into_iter()
        .zip(cut_up(&mut normalisers, ragged, [kv_heads, heads * 2]))
        .enumerate()
        .map(|(pair, (out, normalisers))| Part {
            rows: ragged.rows(pair / kv_heads),
            kv_head: pair % kv_heads,
            out,
            normalisers,
        })
        .collect();
    share(shape.work(ragged), parts, |next| {
        arch.dispatch(Forward {
            shape,
            longest: ragged.longest(),
            qkv,
            rotary: Rotary { cos, sin, head_dim },
            next,
        });
    });
    (out, normalisers)
}

/// The query heads of one key/value head in one sequence.
struct Part<'a> {
    /// Of the projections.
    rows: Range<usize>,
    kv_head: usize,
    /// The heads' columns at each position.
    out: Vec<&'a mut [f32]>,
    normalisers: &'a mut [f32],
}

struct Forward<'a, 'n, 'p> {
    shape: AttentionShape,
    longest: usize,
    qkv: [&'a [f32]; 3],
    rotary: Rotary<'a>,
    next: &'n mut dyn FnMut() -> Option<Part<'p>>,
}

impl WithSimd for Forward<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let AttentionShape { head_dim, .. } = self.shape;
        let (longest, width) = (self.longest, tile::width::<S>());
        let mut panel = Panel {
            shape: self.shape,
            seen: KeyValues::new::<S>(self.shape, longest),
            queries: vec![0.0; head_dim * width],
            positions: queries::positions::<S>(longest),
            probs: vec![0.0; (longest + ROWS) * width],
            rotated: vec![0.0; head_dim],
        };
        let [q, k, v] = self.qkv;
        while let Some(mut part) = (self.next)() {
            panel
                .seen
                .read(simd, [k, v], self.rotary, &part.rows, part.kv_head);
            for head in 0..self.shape.group() {
                for first in (0..part.rows.len()).step_by(width) {
                    panel.read_queries(simd, q, self.rotary, &part, head, first);
                    panel.attend(simd, &mut part, head, first);
                }
            }
        }
    }
}

/// A tile's width of queries of one head, and the keys and values that they look at.
struct Panel {
    shape: AttentionShape,
    seen: KeyValues,
    /// Rotated and scaled, `[head_dim, width]`.
    queries: Vec<f32>,
    /// See [`queries::positions`].
    positions: Vec<i32>,
    /// Scores, then probabilities that lack their normaliser, of each key: `[keys, width]`.
    probs: Vec<f32>,
    rotated: Vec<f32>,
}

impl Panel {
    /// Reads the queries at the positions from `first` on, zeros beyond the last one.
    #[inline(always)]
    fn read_queries<S: Simd>(
        &mut self,
        simd: S,
        q: &[f32],
        rotary: Rotary<'_>,
        part: &Part<'_>,
        head: usize,
        first: usize,
    ) {
        let AttentionShape {
            heads, head_dim, ..
        } = self.shape;
        let time = part.rows.len();
        let head = part.kv_head * self.shape.group() + head;
        let positions = first..time.min(first + tile::width::<S>());
        let scale = self.shape.scale();
        if positions.len() < tile::width::<S>() {
            self.queries.fill(0.0);
        }
        for (column, t) in positions.enumerate() {
            let from = ((part.rows.start + t) * heads + head) * head_dim;
            rotary.rotate(simd, t, scale, &q[from..], &mut self.rotated);
            tile::put_column::<S>(&mut self.queries, column, &self.rotated);
        }
    }

    /// The outputs of the queries from position `first` on.
    #[inline(always)]
    fn attend<S: Simd>(&mut self, simd: S, part: &mut Part<'_>, head: usize, first: usize) {
        let (width, time) = (tile::width::<S>(), part.rows.len());
        let queries = first..time.min(first + width);
        let keys = self.shape.first_key(first)..queries.end;
        let [top, norm] = self.softmax(simd, first, &keys);
        let normalisers = &mut part.normalisers[head * 2 * time..(head + 1) * 2 * time];
        let (tops, norms) = normalisers.split_at_mut(time);
        tile::store_part(simd, &mut tops[queries.clone()], top);
        tile::store_part(simd, &mut norms[queries.clone()], norm);
        for start in queries.clone().step_by(ROWS) {
            let queries = start..queries.end.min(start + ROWS);
            if width % ROWS == 0 {
                self.mix::<S, ROWS>(simd, part, head, queries, [first, keys.start]);
            } else {
                for i in queries {
                    self.mix::<S, 1>(simd, part, head, i..i + 1, [first, keys.start]);
                }
            }
        }
    }

    /// Fills `probs` for the queries from position `first` on and `keys`. Returns each query's normalisers.
    #[inline(always)]
    fn softmax<S: Simd>(&mut self, simd: S, first: usize, keys: &Range<usize>) -> [Vectors<S>; 2] {
        let (width, head_dim) = (tile::width::<S>(), self.shape.head_dim);
        let queries = Queries::<S>::new(&self.positions, first, self.shape);
        let mut top = tile::splat(simd, f32::NEG_INFINITY);
        for key in keys.clone().step_by(ROWS) {
            let rows = tile::rows::<ROWS>(&self.seen.keys, self.seen.stride, key, 0..head_dim);
            let mut scores = tile::product(simd, rows, &self.queries);
            if !queries.see(key..key + ROWS) {
                for (r, scores) in scores.iter_mut().enumerate() {
                    *scores = queries.visible(simd, key + r, *scores, f32::NEG_INFINITY);
                }
            }
            for (r, scores) in scores.into_iter().enumerate() {
                for v in 0..VECTORS {
                    top[v] = simd.max_f32s(scores[v], top[v]);
                }
                tile::store::<S>(&mut self.probs, (key - keys.start + r) * width, scores);
            }
        }
        let mut total = tile::splat(simd, 0.0);
        let probs = &mut self.probs[..keys.len() * width];
        for row in S::as_mut_simd_f32s(probs).0.as_chunks_mut::<VECTORS>().0 {
            for v in 0..VECTORS {
                row[v] = exp(simd, simd.sub_f32s(row[v], top[v]));
                total[v] = simd.add_f32s(total[v], row[v]);
            }
        }
        for total in &mut total {
            *total = simd.div_f32s(simd.splat_f32s(1.0), *total);
        }
        [top, total]
    }

    /// The outputs of at most R of the queries of the panel that starts at position `first`, from the probabilities
    /// of the keys from `first_key` on.
    #[inline(always)]
    fn mix<S: Simd, const R: usize>(
        &self,
        simd: S,
        part: &mut Part<'_>,
        head: usize,
        queries: Range<usize>,
        [first, first_key]: [usize; 2],
    ) {
        let (time, head_dim) = (part.rows.len(), self.shape.head_dim);
        let (width, stride, column) = (tile::width::<S>(), self.seen.stride, queries.start - first);
        let keys = Steps::<R>::new(|r| {
            let query = (queries.start + r).min(queries.end - 1);
            self.shape.first_key(query)..query + 1
        });
        let column_of = |r: usize| column + r.min(queries.len() - 1);
        for at in (0..head_dim).step_by(width) {
            let mut sums = [tile::splat(simd, 0.0); R];
            for (r, sum) in sums.iter_mut().enumerate() {
                let [before, _] = keys.others(r);
                *sum = self.mix_keys(simd, *sum, before, first_key, column_of(r), at);
            }
            let common = keys.common();
            let probs = &self.probs[(common.start - first_key) * width..];
            let values = &self.seen.values[common.start * stride..common.end * stride];
            for (probs, row) in probs.chunks_exact(width).zip(values.chunks_exact(stride)) {
                let factors = &probs[column..].as_chunks::<R>().0[0];
                tile::add(simd, &mut sums, factors, tile::load::<S>(row, at));
            }
            for (r, sum) in sums.iter_mut().enumerate() {
                let [_, after] = keys.others(r);
                *sum = self.mix_keys(simd, *sum, after, first_key, column_of(r), at);
            }
            let columns = head * head_dim + at..head * head_dim + head_dim.min(at + width);
            for (query, sum) in queries.clone().zip(sums) {
                let norm = simd.splat_f32s(part.normalisers[(2 * head + 1) * time + query]);
                let mut mixed = sum;
                for mixed in &mut mixed {
                    *mixed = simd.mul_f32s(*mixed, norm);
                }
                tile::store_part(simd, &mut part.out[query][columns.clone()], mixed);
            }
        }
    }

    /// Adds a tile's width of the values of `keys` by the probabilities in `column`.
    #[inline(always)]
    fn mix_keys<S: Simd>(
        &self,
        simd: S,
        mut sum: Vectors<S>,
        keys: Range<usize>,
        first_key: usize,
        column: usize,
        at: usize,
    ) -> Vectors<S> {
        for key in keys {
            let factor = self.probs[(key - first_key) * tile::width::<S>() + column];
            let row = tile::load::<S>(&self.seen.values, key * self.seen.stride + at);
            sum = tile::add_row(simd, sum, factor, row);
        }
        sum
    }
}

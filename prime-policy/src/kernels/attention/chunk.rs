//! Queries of the backward pass, some at a time.

use std::ops::Range;

use pulp::Simd;

use super::backward::Taped;
use super::rotary::Rotary;
use super::{AttentionShape, queries, tile};

/// Queries whose projections and gradients stay in the caches while the keys pass by.
const CHUNK: usize = 128;

/// Queries of one head that follow each other.
pub(super) struct Chunk {
    shape: AttentionShape,
    pub(super) stride: usize,
    pub(super) size: usize,
    pub(super) queries: Range<usize>,
    /// Rotated and scaled: `[size, stride]` and, in panels of a tile's width of queries, `[head_dim, width]` each.
    pub(super) rows: Vec<f32>,
    pub(super) panels: Vec<f32>,
    /// Gradients of the outputs, in the same two ways.
    pub(super) grad_rows: Vec<f32>,
    pub(super) grad_panels: Vec<f32>,
    /// Gradients of the rotated and scaled queries, `[size, stride]`.
    pub(super) d_rows: Vec<f32>,
    /// The largest score of each query, its normaliser, and the product of its output and that one's gradient.
    pub(super) tops: Vec<f32>,
    pub(super) norms: Vec<f32>,
    pub(super) inner: Vec<f32>,
    /// See [`queries::positions`].
    pub(super) positions: Vec<i32>,
}

impl Chunk {
    pub(super) fn new<S: Simd>(shape: AttentionShape, longest: usize) -> Self {
        let stride = tile::padded::<S>(shape.head_dim);
        let chunks = longest.div_ceil(CHUNK).max(1);
        let size = longest.div_ceil(chunks);
        let size = size.next_multiple_of(tile::width::<S>());
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
            positions: queries::positions::<S>(longest),
        }
    }

    /// Reads the queries of head `head` in the sequence that has `rows` of the projections, from position `first` on.
    #[inline(always)]
    pub(super) fn read<S: Simd>(
        &mut self,
        simd: S,
        taped: Taped<'_>,
        grad: &[f32],
        rotary: Rotary<'_>,
        rows: &Range<usize>,
        [head, first]: [usize; 2],
    ) {
        let AttentionShape {
            heads, head_dim, ..
        } = self.shape;
        let time = rows.len();
        let (width, stride) = (tile::width::<S>(), self.stride);
        self.queries = first..time.min(first + self.size);
        let normalisers = (rows.start * heads + head * time) * 2;
        let (tops, norms) = taped.normalisers[normalisers..normalisers + 2 * time].split_at(time);
        let (queries, scale) = (self.queries.clone(), self.shape.scale());
        self.tops[..queries.len()].copy_from_slice(&tops[queries.clone()]);
        self.norms[..queries.len()].copy_from_slice(&norms[queries.clone()]);
        for (i, query) in queries.enumerate() {
            let at = ((rows.start + query) * heads + head) * head_dim;
            let place = at..at + head_dim;
            let rotated = &mut self.rows[i * stride..][..head_dim];
            rotary.rotate(simd, query, scale, &taped.qkv[0][place.clone()], rotated);
            let panel = i / width * width * head_dim..(i / width + 1) * width * head_dim;
            tile::put_column::<S>(&mut self.panels[panel.clone()], i % width, rotated);
            let grad = &grad[place.clone()];
            tile::copy(simd, grad, &mut self.grad_rows[i * stride..][..head_dim]);
            tile::put_column::<S>(&mut self.grad_panels[panel], i % width, grad);
            self.inner[i] = tile::dot(simd, grad, &taped.out[place]);
        }
        self.d_rows.fill(0.0);
    }

    /// Writes the gradients of the queries to the columns of head `head` at each position.
    #[inline(always)]
    pub(super) fn write<S: Simd>(
        &self,
        simd: S,
        rotary: Rotary<'_>,
        head: usize,
        dq: &mut [&mut [f32]],
    ) {
        let (head_dim, scale) = (self.shape.head_dim, self.shape.scale());
        for (query, row) in self
            .queries
            .clone()
            .zip(self.d_rows.chunks_exact(self.stride))
        {
            let to = &mut dq[query][head * head_dim..(head + 1) * head_dim];
            rotary.rotate_back(simd, query, scale, row, to);
        }
    }
}

//! Rotary positions (Su et al. 2021), the two halves of a head paired.

use pulp::Simd;

use super::tile;

/// Cosines and sines of the angles, `[positions, head_dim/2]`, and the head's width.
#[derive(Clone, Copy)]
pub(super) struct Rotary<'a> {
    pub(super) cos: &'a [f32],
    pub(super) sin: &'a [f32],
    pub(super) head_dim: usize,
}

impl Rotary<'_> {
    /// `scale ·` one head `x`, rotated by the angles of `position`, to `out`.
    #[inline(always)]
    pub(super) fn rotate<S: Simd>(
        &self,
        simd: S,
        position: usize,
        scale: f32,
        x: &[f32],
        out: &mut [f32],
    ) {
        self.turn(simd, position, [scale, scale], x, out);
    }

    /// The transpose of [`Self::rotate`], which gradients go through.
    #[inline(always)]
    pub(super) fn rotate_back<S: Simd>(
        &self,
        simd: S,
        position: usize,
        scale: f32,
        x: &[f32],
        out: &mut [f32],
    ) {
        self.turn(simd, position, [scale, -scale], x, out);
    }

    /// Rotates by the angles with the given factors of cos and sin.
    #[inline(always)]
    fn turn<S: Simd>(
        &self,
        simd: S,
        position: usize,
        factors: [f32; 2],
        x: &[f32],
        out: &mut [f32],
    ) {
        let half = self.head_dim / 2;
        let whole = half - half % S::F32_LANES;
        let (cos, sin) = (&self.cos[position * half..], &self.sin[position * half..]);
        let (lo, hi) = x[..2 * half].split_at(half);
        let (out_lo, out_hi) = out[..2 * half].split_at_mut(half);
        let factors = [simd.splat_f32s(factors[0]), simd.splat_f32s(factors[1])];
        for at in (0..whole).step_by(S::F32_LANES) {
            let halves = [tile::vector::<S>(lo, at), tile::vector::<S>(hi, at)];
            let angles = [tile::vector::<S>(cos, at), tile::vector::<S>(sin, at)];
            let [lo, hi] = turn(simd, factors, halves, angles);
            tile::store_vector::<S>(out_lo, at, lo);
            tile::store_vector::<S>(out_hi, at, hi);
        }
        if whole < half {
            let load = |x: &[f32]| simd.partial_load_f32s(&x[whole..half]);
            let (halves, angles) = ([load(lo), load(hi)], [load(cos), load(sin)]);
            let [lo, hi] = turn(simd, factors, halves, angles);
            simd.partial_store_f32s(&mut out_lo[whole..], lo);
            simd.partial_store_f32s(&mut out_hi[whole..], hi);
        }
    }
}

#[inline(always)]
fn turn<S: Simd>(
    simd: S,
    factors: [S::f32s; 2],
    [lo, hi]: [S::f32s; 2],
    [cos, sin]: [S::f32s; 2],
) -> [S::f32s; 2] {
    let cos = simd.mul_f32s(cos, factors[0]);
    let sin = simd.mul_f32s(sin, factors[1]);
    [
        simd.negate_mul_add_e_f32s(hi, sin, simd.mul_f32s(lo, cos)),
        simd.mul_add_e_f32s(lo, sin, simd.mul_f32s(hi, cos)),
    ]
}

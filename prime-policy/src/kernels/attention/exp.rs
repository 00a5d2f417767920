//! Exponentials of whole vectors.

use pulp::Simd;

use super::tile::select;

/// `e^x` as [`exp`](crate::kernels::math::exp) has it, for x that is not above 88, −∞ or NaN.
#[inline(always)]
pub(super) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    const ROUND: f32 = 12_582_912.0;
    let splat = |value| simd.splat_f32s(value);
    let shifted = simd.mul_add_e_f32s(x, splat(std::f32::consts::LOG2_E), splat(ROUND));
    let n = simd.sub_f32s(shifted, splat(ROUND));
    let r = simd.negate_mul_add_e_f32s(n, splat(0.693_359_4), x);
    let r = simd.negate_mul_add_e_f32s(n, splat(-2.121_944_4e-4), r);
    let mut p = splat(1.987_569_2e-4);
    for coefficient in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_6e-1,
        0.5,
        1.0,
        1.0,
    ] {
        p = simd.mul_add_e_f32s(p, r, splat(coefficient));
    }
    let bias = simd.splat_u32s(ROUND.to_bits().wrapping_sub(127));
    let exponent = simd.sub_u32s(simd.transmute_u32s_f32s(shifted), bias);
    let scale = simd.wrapping_dyn_shl_u32s(exponent, simd.splat_u32s(23));
    let value = simd.mul_f32s(p, simd.transmute_f32s_u32s(scale));
    let vanishes = simd.less_than_f32s(x, splat(-87.3));
    select(simd, vanishes, splat(0.0), value)
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, WithSimd};

    use super::*;

    struct Exp<'a>(&'a mut [f32]);

    impl WithSimd for Exp<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            for x in S::as_mut_simd_f32s(self.0).0 {
                *x = exp(simd, *x);
            }
        }
    }

    #[test]
    fn exp_follows_the_standard_library() {
        let x: Vec<f32> = (-8_720..8_800).map(|i| i as f32 * 0.01).collect();
        let special = [-87.31, -1e30, f32::MIN, f32::NEG_INFINITY, 0.0, f32::NAN];
        for arch in [Arch::Scalar, Arch::new()] {
            let mut ours = x.clone();
            arch.dispatch(Exp(&mut ours));
            for (x, ours) in x.iter().zip(ours) {
                let std = x.exp();
                let error = (ours - std).abs();
                assert!(error <= 3e-7 * std, "exp({x}): {ours} against {std}");
            }
            let mut ours: Vec<f32> = special.iter().flat_map(|x| [*x; 16]).collect();
            arch.dispatch(Exp(&mut ours));
            for (ours, expected) in ours.chunks(16).zip([0.0, 0.0, 0.0, 0.0, 1.0, f32::NAN]) {
                let same = |x: &f32| *x == expected || x.is_nan() && expected.is_nan();
                assert!(ours.iter().all(same), "{expected}: {ours:?}");
            }
        }
    }
}

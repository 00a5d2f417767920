//! Vectorisable scalar functions and slice loops, compiled once per instruction set.
//!
//! Every loop here is plain safe Rust; [`pulp`] picks the widest instruction set of the machine at
//! run time and the compiler vectorises the inlined body for it.
#![cfg_attr(not(feature = "flex"), allow(dead_code))]

/// Runs `f` compiled for the widest instruction set that this processor has.
#[cfg(feature = "flex")]
#[inline]
pub(crate) fn vectorised<R>(f: impl FnOnce() -> R) -> R {
    struct Op<F>(F);
    impl<R, F: FnOnce() -> R> pulp::NullaryFnOnce for Op<F> {
        type Output = R;
        #[inline(always)]
        fn call(self) -> R {
            (self.0)()
        }
    }
    pulp::Arch::new().dispatch(Op(f))
}

/// Runs `f`: without the CPU backend little runs here.
#[cfg(not(feature = "flex"))]
#[inline]
pub(crate) fn vectorised<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// `e^x` with a relative error under 2e-7 over the whole finite range; 0 below the smallest normal result.
///
/// The standard library's `exp` is a call, so a loop over it stays scalar; this polynomial inlines.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let clamped = x.clamp(-87.3, 88.3);
    let shifted = clamped * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = clamped - n * 0.693_359_4 - n * -2.121_944_4e-4;
    let p = 1.987_569_2e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_6e-1;
    let p = p * r + 0.5;
    let poly = p * (r * r) + r + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits());
    let scale = f32::from_bits(exponent.wrapping_add(127) << 23);
    if x < -87.3 { 0.0 } else { poly * scale }
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The sum of `x`, in sixteen interleaved partial sums so that it vectorises.
#[inline(always)]
pub(crate) fn sum(x: &[f32]) -> f32 {
    fold(x, 0.0, |acc, v| acc + v)
}

/// The largest element of `x`, `-inf` when empty.
#[inline(always)]
pub(crate) fn max(x: &[f32]) -> f32 {
    fold(x, f32::NEG_INFINITY, |acc, v| if v > acc { v } else { acc })
}

/// `Σ a_i·b_i`.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut acc = [0.0f32; LANES];
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    for (x, y) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..LANES {
            acc[lane] += x[lane] * y[lane];
        }
    }
    let tail: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    reduce(acc, |x, y| x + y) + tail
}

const LANES: usize = 16;

#[inline(always)]
fn fold(x: &[f32], start: f32, f: impl Fn(f32, f32) -> f32 + Copy) -> f32 {
    let mut acc = [start; LANES];
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            acc[lane] = f(acc[lane], chunk[lane]);
        }
    }
    let head = reduce(acc, f);
    rest.iter().fold(head, |acc, v| f(acc, *v))
}

#[inline(always)]
fn reduce(acc: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut width = LANES / 2;
    let mut acc = acc;
    while width > 0 {
        for lane in 0..width {
            acc[lane] = f(acc[lane], acc[lane + width]);
        }
        width /= 2;
    }
    acc[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_follows_the_standard_library() {
        for i in -8_700..8_800 {
            let x = i as f32 * 0.01;
            let (ours, std) = (exp(x), x.exp());
            assert!(
                (ours - std).abs() <= 3e-7 * std,
                "exp({x}): {ours} against {std}"
            );
        }
        assert_eq!(exp(-1e30), 0.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(0.0), 1.0);
    }

    #[test]
    fn reductions_cover_the_tail() {
        let x: Vec<f32> = (0..37).map(|i| i as f32 - 5.0).collect();
        assert_eq!(sum(&x), x.iter().sum::<f32>());
        assert_eq!(max(&x), 31.0);
        assert_eq!(dot(&x, &x), x.iter().map(|v| v * v).sum::<f32>());
    }
}

//! Each fused kernel against the composed operations: value and every gradient.

use burn::tensor::{Device, Distribution, Int, Tensor, TensorData, Tolerance};

use super::{AttentionShape, Ragged, composed, fused};

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

/// Runs `f` on gradient-tracking copies of `inputs` and returns its output and their gradients under a fixed
/// random weighting of the output.
fn value_and_grads<const N: usize>(
    inputs: &[Tensor<2>; N],
    weighting: &Tensor<2>,
    f: impl Fn([Tensor<2>; N]) -> Tensor<2>,
) -> Vec<TensorData> {
    let leaves = inputs.clone().map(|t| Tensor::from_inner(t).require_grad());
    let out = f(leaves.clone());
    let value = out.clone().inner().into_data();
    let grads = (out * Tensor::from_inner(weighting.clone()))
        .sum()
        .backward();
    std::iter::once(value)
        .chain(leaves.iter().map(|leaf| {
            leaf.grad(&grads)
                .expect("every input influences the output")
                .into_data()
        }))
        .collect()
}

fn assert_same(fused: Vec<TensorData>, composed: Vec<TensorData>) {
    assert_eq!(fused.len(), composed.len());
    for (a, b) in fused.iter().zip(&composed) {
        a.assert_approx_eq::<f32>(b, Tolerance::absolute(2e-5));
    }
}

fn flex() -> Device {
    let device = Device::flex();
    device.seed(7);
    device
}

#[test]
fn the_fused_path_is_taken_on_the_cpu() {
    let x = random([2, 2], &flex());
    assert!(matches!(fused::placement(&x), fused::Placement::Inference));
    let x = Tensor::<2>::from_inner(x).require_grad();
    assert!(matches!(fused::placement(&x), fused::Placement::Autodiff));
}

#[test]
fn rms_norm_equals_composed() {
    let device = flex();
    for width in [1, 7, 16, 64] {
        let inputs = [random([5, width], &device), random([1, width], &device)];
        let weighting = random([5, width], &device);
        let run = |f: fn(Tensor<2>, Tensor<1>, f64) -> Tensor<2>| {
            value_and_grads(&inputs, &weighting, |[x, w]| f(x, w.reshape([width]), 1e-6))
        };
        assert_same(run(super::rms_norm), run(composed::rms_norm));
    }
}

#[test]
fn swiglu_equals_composed() {
    let device = flex();
    // One thread's work, and several threads'.
    for shape in [[3, 33], [301, 877]] {
        let inputs = [random(shape, &device), random(shape, &device)];
        let weighting = random(shape, &device);
        let run = |f: fn(Tensor<2>, Tensor<2>) -> Tensor<2>| {
            value_and_grads(&inputs, &weighting, |[g, u]| f(g, u))
        };
        assert_same(run(super::swiglu), run(composed::swiglu));
    }
}

/// batch, time, heads, kv_heads, head_dim, window
const ATTENTION_SHAPES: [(usize, usize, usize, usize, usize, Option<usize>); 9] = [
    (2, 5, 4, 2, 8, None),
    (1, 1, 1, 1, 2, None),
    (3, 19, 3, 1, 6, None),
    (1, 40, 4, 4, 16, None),
    (2, 13, 3, 3, 10, Some(1)),
    (1, 23, 6, 2, 8, Some(4)),
    (2, 9, 2, 1, 14, Some(8)),
    (2, 9, 2, 1, 14, Some(9)),
    (1, 7, 5, 5, 4, Some(30)),
];

fn attention_shape(case: (usize, usize, usize, usize, usize, Option<usize>)) -> AttentionShape {
    let (_, _, heads, kv_heads, head_dim, window) = case;
    AttentionShape {
        heads,
        kv_heads,
        head_dim,
        window,
    }
}

type Attention =
    fn(AttentionShape, &Ragged, Tensor<2>, Tensor<2>, Tensor<2>, Tensor<2>, Tensor<2>) -> Tensor<2>;

#[test]
fn causal_attention_equals_composed() {
    let device = flex();
    for case in ATTENTION_SHAPES {
        let shape = attention_shape(case);
        let (batch, time, heads, kv_heads, head_dim, _) = case;
        let inputs = [
            random([batch * time, heads * head_dim], &device),
            random([batch * time, kv_heads * head_dim], &device),
            random([batch * time, kv_heads * head_dim], &device),
        ];
        let tokens = batch * time;
        let angles: Tensor<2> = random([tokens, head_dim / 2], &device);
        let weighting = random([tokens, heads * head_dim], &device);
        let run = |ragged: &Ragged, f: Attention| {
            value_and_grads(&inputs, &weighting, |[q, k, v]| {
                // Scaled as YaRN scales them: the gradient of the rotation is its transpose, not its inverse.
                let angles = angles.clone().narrow(0, 0, ragged.longest());
                let cos = Tensor::from_inner(angles.clone().cos() * 1.3);
                let sin = Tensor::from_inner(angles.sin() * 1.3);
                f(shape, ragged, q, k, v, cos, sin)
            })
        };
        let short = tokens / 3;
        for ragged in [
            Ragged::even(batch, time),
            Ragged::new([short, tokens - short]),
        ] {
            assert_same(
                run(&ragged, super::causal_attention),
                run(&ragged, composed::causal_attention),
            );
        }
    }
}

/// A window by its definition: the full attention of each position over the tokens in its window alone.
#[test]
fn a_window_hides_exactly_the_tokens_before_it() {
    let device = flex();
    let (time, width, window) = (11, 6, 4);
    let shape = |time, window| attention_shape((1, time, 1, 1, width, window));
    let [q, k, v]: [Tensor<2>; 3] = std::array::from_fn(|_| random([time, width], &device));
    let angles: Tensor<2> = random([time, width / 2], &device);
    let (cos, sin) = (angles.clone().cos(), angles.sin());
    let all = super::causal_attention(
        shape(time, Some(window)),
        &Ragged::even(1, time),
        q.clone(),
        k.clone(),
        v.clone(),
        cos.clone(),
        sin.clone(),
    );
    for position in 0..time {
        let first = (position + 1_usize).saturating_sub(window);
        let seen = position + 1 - first;
        let cut = |x: &Tensor<2>| x.clone().narrow(0, first, seen);
        let alone = super::causal_attention(
            shape(seen, None),
            &Ragged::even(1, seen),
            cut(&q),
            cut(&k),
            cut(&v),
            cut(&cos),
            cut(&sin),
        );
        alone
            .narrow(0, seen - 1, 1)
            .into_data()
            .assert_approx_eq::<f32>(
                &all.clone().narrow(0, position, 1).into_data(),
                Tolerance::absolute(1e-6),
            );
    }
}

type Decode =
    fn(AttentionShape, &[usize], [Tensor<2>; 3], [Tensor<2>; 2], [&mut Tensor<4>; 2]) -> Tensor<2>;

#[test]
fn decode_attention_equals_composed() {
    let device = flex();
    let lengths = [0, 3, 7, 11];
    let (rows, capacity) = (lengths.len(), 12);
    for (heads, kv_heads, head_dim, window) in [
        (4, 2, 8, None),
        (3, 1, 6, Some(1)),
        (3, 3, 10, Some(4)),
        (2, 1, 4, Some(40)),
    ] {
        let shape = attention_shape((rows, 1, heads, kv_heads, head_dim, window));
        let qkv = [heads, kv_heads, kv_heads].map(|n| random([rows, n * head_dim], &device));
        let angles: Tensor<2> = random([rows, head_dim / 2], &device);
        let rope = [angles.clone().cos(), angles.sin()];
        let cache: [Tensor<4>; 2] =
            std::array::from_fn(|_| random([rows, kv_heads, capacity, head_dim], &device));
        let run = |f: Decode| {
            let [mut keys, mut values] = cache.clone();
            let out = f(
                shape,
                &lengths,
                qkv.clone(),
                rope.clone(),
                [&mut keys, &mut values],
            );
            vec![out.into_data(), keys.into_data(), values.into_data()]
        };
        assert_same(
            run(super::decode_attention),
            run(composed::decode_attention),
        );
    }
}

#[test]
fn log_prob_entropy_equals_composed() {
    let device = flex();
    let targets = || Tensor::<1, Int>::from_data([0i32, 4, 18, 3], &flex());
    let inputs = [random([4, 19], &device) * 3.0];
    let weighting = random([4, 2], &device);
    for temperature in [1.0, 0.7] {
        let run = |f: fn(Tensor<2>, Tensor<1, Int>, f32) -> Tensor<2>| {
            value_and_grads(&inputs, &weighting, |[l]| f(l, targets(), temperature))
        };
        assert_same(
            run(super::log_prob_entropy),
            run(composed::log_prob_entropy),
        );
    }
}

#[test]
fn inference_equals_autodiff() {
    let device = flex();
    let x = random([4, 16], &device);
    let w: Tensor<1> = random([16], &device);
    let plain = super::rms_norm(x.clone(), w.clone(), 1e-6);
    let tracked = super::rms_norm(
        Tensor::from_inner(x).require_grad(),
        Tensor::from_inner(w),
        1e-6,
    );
    plain
        .into_data()
        .assert_eq(&tracked.inner().into_data(), true);
}

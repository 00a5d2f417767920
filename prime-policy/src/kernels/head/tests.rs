//! The tiled head against logits that are held whole: values and gradients.

use burn::tensor::{DType, Device, Distribution, Int, Tensor, TensorData};
use proptest::prelude::*;

use super::super::composed::log_prob_entropy;
use super::{HeadLayout, HeadWork, RowKernels, Tiling, head_log_probs, tape};

const LAYOUTS: [HeadLayout; 2] = [HeadLayout::VocabRows, HeadLayout::VocabColumns];

/// Output, gradient of hidden, gradient of the head in `[vocab, hidden]` order.
type Found = [Vec<f32>; 3];

struct Case {
    hidden: Tensor<2>,
    /// `[vocab, hidden]`
    head: Tensor<2>,
    targets: Tensor<1, Int>,
    weighting: Tensor<2>,
    temperature: f32,
}

impl Case {
    fn new(n: usize, width: usize, vocab: usize, temperature: f32, seed: u64) -> Self {
        let device = Device::flex();
        device.seed(seed);
        let random = |shape: [usize; 2]| -> Tensor<2> {
            Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device)
        };
        let ids: Vec<i64> = (0..n as u64)
            .map(|i| ((i * 7919 + seed) % vocab as u64) as i64)
            .collect();
        Self {
            hidden: random([n, width]),
            head: random([vocab, width]),
            targets: Tensor::from_data(TensorData::new(ids, [n]), &device),
            weighting: random([n, 2]),
            temperature,
        }
    }

    fn found(
        &self,
        device: &Device,
        of: impl Fn(Tensor<2>, Tensor<2>, Tensor<1, Int>) -> Tensor<2>,
    ) -> Found {
        let on = |t: &Tensor<2>| Tensor::<2>::from_data(t.clone().into_data(), device);
        let leaf = |t: &Tensor<2>| on(t).require_grad();
        let (hidden, head) = (leaf(&self.hidden), leaf(&self.head));
        let out = of(hidden.clone(), head.clone(), self.targets.clone());
        let value = out.clone().inner();
        let grads = (out * on(&self.weighting)).sum().backward();
        let gradient = |t: &Tensor<2>| t.grad(&grads).expect("both operands are used");
        [value, gradient(&hidden), gradient(&head)].map(numbers)
    }

    fn naive(&self) -> Found {
        self.found(&Device::flex().autodiff(), |hidden, head, targets| {
            log_prob_entropy(hidden.matmul(head.transpose()), targets, self.temperature)
        })
    }

    fn tiled(
        &self,
        device: &Device,
        layout: HeadLayout,
        tiling: Tiling,
        rows: RowKernels,
    ) -> Found {
        self.found(device, |hidden, head, targets| {
            let work = HeadWork {
                layout,
                targets,
                inverse_temperature: 1.0 / self.temperature,
                tiling,
                rows,
            };
            tape::run(hidden, in_layout(head, layout), work)
        })
    }
}

fn in_layout(head: Tensor<2>, layout: HeadLayout) -> Tensor<2> {
    match layout {
        HeadLayout::VocabRows => head,
        HeadLayout::VocabColumns => head.transpose(),
    }
}

fn numbers(t: Tensor<2>) -> Vec<f32> {
    t.into_data().iter::<f32>().collect()
}

/// Equal within 1e-5 of the largest value of each kind.
fn assert_same(found: &Found, expected: &Found) {
    for (kind, (a, b)) in ["output", "hidden", "head"]
        .into_iter()
        .zip(found.iter().zip(expected))
    {
        assert_eq!(a.len(), b.len(), "{kind}");
        let scale = b.iter().fold(1.0f32, |m, x| m.max(x.abs()));
        for (i, (a, b)) in a.iter().zip(b).enumerate() {
            assert!(
                (a - b).abs() <= 1e-5 * scale,
                "{kind}[{i}]: {a} instead of {b}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn tiles_equal_whole_logits(
        n in 1usize..40,
        width in 1usize..24,
        vocab in 1usize..130,
        temperature in 0.4f32..2.5,
        rows in 1usize..50,
        bytes in 1usize..6000,
        seed in 0u64..1000,
    ) {
        let case = Case::new(n, width, vocab, temperature, seed);
        let expected = case.naive();
        let device = Device::flex().autodiff();
        for layout in LAYOUTS {
            for kernels in [RowKernels::FUSED, RowKernels::COMPOSED] {
                assert_same(&case.tiled(&device, layout, Tiling { bytes, rows }, kernels), &expected);
            }
        }
    }
}

#[test]
fn tiles_may_divide_both_axes_or_neither() {
    let case = Case::new(12, 5, 24, 0.8, 3);
    let expected = case.naive();
    let device = Device::flex().autodiff();
    for (rows, width) in [(4, 8), (5, 7), (12, 24), (1, 1), (100, 100)] {
        let tiling = Tiling {
            bytes: 4 * rows.min(12) * width,
            rows,
        };
        for layout in LAYOUTS {
            assert_same(
                &case.tiled(&device, layout, tiling, RowKernels::FUSED),
                &expected,
            );
        }
    }
}

#[test]
fn the_public_function_takes_a_tape_with_gradient_checkpointing_too() {
    let case = Case::new(6, 4, 9, 1.3, 1);
    let device = Device::flex().autodiff().gradient_checkpointing();
    let found = case.found(&device, |hidden, head, targets| {
        head_log_probs(hidden, head, HeadLayout::VocabRows, targets, 1.3)
    });
    assert_same(&found, &case.naive());
}

#[test]
fn one_operand_may_be_a_constant() {
    let case = Case::new(6, 4, 9, 1.0, 2);
    let [value, for_hidden, for_head] = case.naive();
    let tracked = |t: &Tensor<2>| Tensor::from_inner(t.clone()).require_grad();
    let plain = |t: &Tensor<2>| Tensor::from_inner(t.clone());
    let leaf = tracked(&case.hidden);
    let weighting = plain(&case.weighting);
    for head in [case.head.clone(), plain(&case.head)] {
        let targets = case.targets.clone();
        let out = head_log_probs(leaf.clone(), head, HeadLayout::VocabRows, targets, 1.0);
        let grads = (out.clone() * weighting.clone()).sum().backward();
        let found = [out.inner(), leaf.grad(&grads).expect("tracked")].map(numbers);
        let expected = [value.clone(), for_hidden.clone(), vec![]];
        assert_same(&[found[0].clone(), found[1].clone(), vec![]], &expected);
    }
    let leaf = tracked(&case.head);
    let targets = case.targets.clone();
    let out = head_log_probs(
        case.hidden.clone(),
        leaf.clone(),
        HeadLayout::VocabRows,
        targets,
        1.0,
    );
    let grads = (out * weighting).sum().backward();
    let found = numbers(leaf.grad(&grads).expect("tracked"));
    assert_same(&[vec![], vec![], found], &[vec![], vec![], for_head]);
    let constant = head_log_probs(
        plain(&case.hidden),
        plain(&case.head),
        HeadLayout::VocabRows,
        case.targets.clone(),
        1.0,
    );
    assert!(!constant.is_tracked());
    assert_same(
        &[numbers(constant.inner()), vec![], vec![]],
        &[value, vec![], vec![]],
    );
}

/// Hidden of width 1 and a head of one column give any logits exactly.
fn of_logits(logits: &[f32], target: i64, kernels: RowKernels) -> (Vec<f32>, Vec<f32>) {
    let device = Device::flex();
    let head = Tensor::<2>::from_data(TensorData::new(logits.to_vec(), [logits.len(), 1]), &device);
    let head = Tensor::from_inner(head).require_grad();
    let work = HeadWork {
        layout: HeadLayout::VocabRows,
        targets: Tensor::from_data(TensorData::new(vec![target], [1]), &device),
        inverse_temperature: 1.0,
        tiling: Tiling { bytes: 8, rows: 1 },
        rows: kernels,
    };
    let out = tape::run(Tensor::ones([1, 1], &device), head.clone(), work);
    let value = numbers(out.clone().inner());
    let grads = out.sum().backward();
    (value, numbers(head.grad(&grads).expect("tracked")))
}

#[test]
fn extreme_logits_stay_finite_and_exact() {
    for kernels in [RowKernels::FUSED, RowKernels::COMPOSED] {
        // Two equal peaks: ln 2 of entropy, to the last digits although the logits are 1e4.
        let (value, gradient) = of_logits(&[-1e4, 1e4, 0.0, 1e4, -1e4], 1, kernels);
        let ln2 = std::f32::consts::LN_2;
        assert!(
            (value[0] + ln2).abs() < 1e-6 && (value[1] - ln2).abs() < 1e-6,
            "{value:?}"
        );
        assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");
        assert!((gradient[1] - 0.5).abs() < 1e-6 && (gradient[3] + 0.5).abs() < 1e-6);
        // The target is the one that never happens.
        let (value, gradient) = of_logits(&[1e4, -1e4], 1, kernels);
        assert_eq!(value, [-2e4, 0.0]);
        assert_eq!(gradient, [-1.0, 1.0]);
    }
}

#[test]
fn a_target_outside_the_vocabulary_is_loud() {
    for kernels in [RowKernels::FUSED, RowKernels::COMPOSED] {
        for target in [-1, 3] {
            assert!(of_logits(&[0.0, 1.0, 2.0], target, kernels).0[0].is_nan());
        }
    }
}

#[test]
fn no_rows_are_no_rows() {
    let case = Case::new(1, 3, 5, 1.0, 0);
    let device = Device::flex();
    let hidden = Tensor::<2>::zeros([0, 3], &device);
    let targets = Tensor::<1, Int>::from_data(TensorData::new(Vec::<i64>::new(), [0]), &device);
    let out = head_log_probs(hidden, case.head, HeadLayout::VocabRows, targets, 1.0);
    assert_eq!(out.dims(), [0, 2]);
}

#[test]
fn tiles_stay_inside_the_budget() {
    for (n, vocab) in [(1, 20), (2048, 151_936), (7, 151_936), (100_000, 50)] {
        let (rows, width) = Tiling::default().sizes(n, vocab);
        assert!(
            rows * width * 4 <= super::TILE_BYTES,
            "{n} × {vocab}: {rows} × {width}"
        );
        assert!(rows >= 1 && width >= 1 && rows <= n && width <= vocab);
    }
}

/// Root mean square of the difference, relative to that of `b`.
fn relative(a: &[f32], b: &[f32]) -> f32 {
    let squares = |of: &mut dyn Iterator<Item = f32>| of.map(|x| x * x).sum::<f32>();
    let apart = squares(&mut a.iter().zip(b).map(|(a, b)| a - b));
    (apart / squares(&mut b.iter().copied())).sqrt()
}

#[test]
fn products_are_in_the_type_of_the_hidden_states_and_gradients_in_their_own() {
    let device = Device::flex().autodiff();
    let case = Case::new(37, 19, 53, 0.8, 6);
    let exact = case.naive();
    let whole = case.found(&device, |hidden, head, targets| {
        let [hidden, head] = [hidden, head.transpose()].map(|x| x.cast(DType::BF16));
        let logits = hidden.matmul(head).cast(DType::F32);
        log_prob_entropy(logits, targets, case.temperature)
    });
    for rows in [RowKernels::FUSED, RowKernels::COMPOSED] {
        for layout in LAYOUTS {
            let tiling = Tiling {
                bytes: 4 * 8 * 11,
                rows: 8,
            };
            let tiled = case.found(&device, |hidden, head, targets| {
                let head = in_layout(head, layout);
                let work = HeadWork {
                    layout,
                    targets,
                    inverse_temperature: 1.0 / case.temperature,
                    tiling,
                    rows,
                };
                let out = tape::run(hidden.cast(DType::BF16), head, work);
                assert_eq!(out.dtype(), DType::F32);
                out
            });
            for ((tiled, whole), exact) in tiled.iter().zip(&whole).zip(&exact) {
                // A rounding of the logits is 2⁻⁸; two summation orders differ in few of them.
                let (apart, rounding) = (relative(tiled, whole), relative(tiled, exact));
                assert!(rounding > 1e-3 && rounding < 0.02, "{layout:?}: {rounding}");
                assert!(apart < 0.5 * rounding, "{layout:?}: {apart} of {rounding}");
            }
            // The head's gradient is summed, and handed on, in f32.
            let short = tiled[2].iter().filter(|x| x.to_bits() & 0xffff == 0);
            assert!(short.count() < tiled[2].len() / 10, "{layout:?}");
        }
    }
}

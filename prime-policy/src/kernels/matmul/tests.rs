//! The kernels against burn's matrix product, over both layouts, every remainder and every gradient.

use burn::tensor::{Device, Distribution, Tensor, TensorData, Tolerance};

use crate::kernels::composed;

use super::{MANY_ROWS, Matrix, Order, SOME_ROWS, linear, product};

fn random(shape: [usize; 2]) -> Tensor<2> {
    let device = Device::flex();
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device)
}

fn values(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// Elements may differ by 1e-5 of the size that a sum of `depth` products of standard normals has.
fn assert_close(ours: &[f32], burn: &[f32], depth: usize, what: &str) {
    assert_eq!(ours.len(), burn.len(), "{what}");
    let size = (depth as f32).sqrt().max(1.0);
    for (i, (a, b)) in ours.iter().zip(burn).enumerate() {
        assert!(
            (a - b).abs() <= 1e-5 * size.max(b.abs()),
            "{what}, element {i}: {a} against {b}"
        );
    }
}

fn by_rows(values: &[f32], shape: [usize; 2]) -> Matrix<'_> {
    Matrix::new(values, shape, Order::Rows, shape[1])
}

fn by_columns(values: &[f32], shape: [usize; 2]) -> Matrix<'_> {
    Matrix::new(values, shape, Order::Columns, shape[0])
}

/// Rows, depth, width: below and above each kernel's panels, blocks and parallel threshold.
const SHAPES: [[usize; 3]; 20] = [
    [1, 1, 1],
    [1, 5, 7],
    [2, 16, 16],
    [3, 17, 33],
    [4, 8, 481],
    [5, 300, 20],
    [6, 31, 100],
    [7, 64, 15],
    [8, 896, 130],
    [MANY_ROWS - 1, 65, 97],
    [MANY_ROWS, 65, 97],
    [MANY_ROWS + 1, 257, 31],
    [50, 40, 3],
    [191, 20, 17],
    [193, 256, 16],
    [300, 513, 40],
    [300, 900, 65],
    [1, 1100, 1000],
    [9, 700, 301],
    [130, 64, 129],
];

#[test]
fn products_equal_burns() {
    for [rows, depth, width] in SHAPES {
        let (x, w, bias) = (
            random([rows, depth]),
            random([depth, width]),
            random([1, width]),
        );
        let (x_values, bias_values) = (values(x.clone()), values(bias.clone()));
        let weights = values(w.clone());
        let weights_by_columns = values(w.clone().transpose());
        let expected = values(x.clone().matmul(w.clone()));
        let with_bias = values(x.clone().matmul(w) + bias);
        let x_by_columns = values(x.transpose());
        for x in [
            by_rows(&x_values, [rows, depth]),
            by_columns(&x_by_columns, [rows, depth]),
        ] {
            for w in [
                by_rows(&weights, [depth, width]),
                by_columns(&weights_by_columns, [depth, width]),
            ] {
                let what = format!("{rows}×{depth}×{width} {x:?} {w:?}");
                let ours = product(x, w, None);
                assert_close(&ours, &expected, depth, &what);
                let ours = product(x, w, Some(&bias_values));
                assert_close(&ours, &with_bias, depth, &what);
            }
        }
    }
}

#[test]
fn a_row_does_not_depend_on_the_rows_beside_it() {
    for (depth, width) in [(700, 301), (60, 50)] {
        let w = values(random([depth, width]));
        let x = values(random([300, depth]));
        let run = |x: &[f32], order| {
            let shape = [x.len() / depth, depth];
            product(by_rows(x, shape), order, None)
        };
        let w_by_rows = by_rows(&w, [depth, width]);
        let all = run(&x, w_by_rows);
        for rows in [
            1,
            2,
            5,
            SOME_ROWS - 1,
            SOME_ROWS,
            MANY_ROWS - 1,
            MANY_ROWS,
            100,
        ] {
            let some = run(&x[..rows * depth], w_by_rows);
            assert_eq!(some, all[..rows * width], "{rows} rows");
        }
        let w_by_columns = by_columns(&w, [depth, width]);
        let few = run(&x[..8 * depth], w_by_columns);
        let one = run(&x[..depth], w_by_columns);
        assert_eq!(one, few[..width]);
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    for [rows, depth, width] in [
        [9, 700, 301],
        [100, 700, 301],
        [900, 600, 16],
        [5000, 30, 40],
    ] {
        let (w, x) = (
            values(random([depth, width])),
            values(random([rows, depth])),
        );
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                [by_rows(&x, [rows, depth]), by_columns(&x, [rows, depth])].map(|x| {
                    [by_rows(&w, [depth, width]), by_columns(&w, [depth, width])]
                        .map(|w| product(x, w, None))
                })
            })
        };
        assert_eq!(run(1), run(3));
    }
}

#[test]
fn rows_further_apart_than_they_are_long() {
    let [rows, depth, width, gap] = [30, 20, 33, 7];
    let (wide_x, wide_w) = (random([rows, depth + gap]), random([depth, width + gap]));
    let x = wide_x.clone().narrow(1, 3, depth);
    let w = wide_w.clone().narrow(1, 5, width);
    let expected = values(x.clone().matmul(w.clone()));
    assert_close(
        &values(linear(x.clone(), w.clone(), None)),
        &expected,
        depth,
        "narrowed",
    );
    let expected = values(w.clone().transpose().matmul(x.clone().transpose()));
    let ours = values(linear(w.transpose(), x.transpose(), None));
    assert_close(&ours, &expected, depth, "narrowed and transposed");
}

/// The value and the gradients of x, weight and bias under a weighting of the outputs.
fn value_and_gradients(
    [x, w, bias, weighting]: [Tensor<2>; 4],
    transposed: bool,
    f: impl Fn(Tensor<2>, Tensor<2>, Option<Tensor<1>>) -> Tensor<2>,
    with_bias: bool,
) -> Vec<TensorData> {
    let leaf = |t: Tensor<2>| Tensor::from_inner(t).require_grad();
    let width = bias.dims()[1];
    let w = if transposed {
        w.transpose().mul_scalar(1.0)
    } else {
        w
    };
    let (x, w, bias) = (leaf(x), leaf(w), leaf(bias));
    let weight = if transposed {
        w.clone().transpose()
    } else {
        w.clone()
    };
    let out = f(
        x.clone(),
        weight,
        with_bias.then(|| bias.clone().reshape([width])),
    );
    let value = out.clone().inner().into_data();
    let grads = (out * Tensor::from_inner(weighting)).sum().backward();
    let mut all = vec![value];
    for leaf in [x, w, bias] {
        all.extend(leaf.grad(&grads).map(Tensor::into_data));
    }
    all
}

#[test]
fn gradients_equal_burns() {
    for [rows, depth, width] in [[1, 3, 2], [7, 20, 33], [60, 70, 50], [300, 30, 9]] {
        let inputs = [
            random([rows, depth]),
            random([depth, width]),
            random([1, width]),
            random([rows, width]),
        ];
        for (transposed, with_bias) in [(false, true), (false, false), (true, true), (true, false)]
        {
            let ours = value_and_gradients(inputs.clone(), transposed, linear, with_bias);
            let burn = value_and_gradients(inputs.clone(), transposed, composed::linear, with_bias);
            assert_eq!(ours.len(), burn.len());
            assert_eq!(ours.len(), if with_bias { 4 } else { 3 });
            for (a, b) in ours.iter().zip(&burn) {
                a.assert_approx_eq::<f32>(b, Tolerance::rel_abs(1e-5, 2e-4));
            }
        }
    }
}

#[test]
fn a_frozen_weight_gets_no_gradient_and_lets_others_through() {
    let x = Tensor::<2>::from_inner(random([5, 6])).require_grad();
    let w = Tensor::<2>::from_inner(random([6, 4]));
    let grads = linear(x.clone(), w.clone(), None).sum().backward();
    let expected = w.inner().sum_dim(1).transpose().repeat_dim(0, 5);
    let found = x.grad(&grads).expect("x wants a gradient");
    found
        .into_data()
        .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-5));
}

#[test]
fn a_view_with_neither_rows_nor_columns_together_is_copied_and_right() {
    let x = random([3, 6]);
    let repeated = random([6, 1]).expand([6, 5]);
    let expected = values(x.clone().matmul(repeated.clone()));
    assert_close(&values(linear(x, repeated, None)), &expected, 6, "expanded");
}

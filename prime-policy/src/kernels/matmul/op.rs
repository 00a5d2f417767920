//! The products as burn operations, with their gradients.

use burn::backend::Flex;
use burn::backend::autodiff::{
    checkpoint::{base::Checkpointer, strategy::NoCheckpointing},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::{Matrix, Order, product};
use crate::kernels::composed;
use crate::kernels::fused::{
    Placement, data, dims, from_plain, from_tracked, pack, placement, plain, tracked,
};

/// `x · weight (+ bias)`: `[rows, in]`, `[in, out]` and `[out]` to `[rows, out]`.
///
/// Neither matrix is copied if its rows or its columns are contiguous, as those of transposed and narrowed views are.
pub(crate) fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let sizes = [x.dims(), weight.dims()];
    if !sizes.as_flattened().contains(&0) && sizes[0][1] == sizes[1][0] {
        match (placement(&x), placement(&weight)) {
            (Placement::Inference, Placement::Inference) => return inference(x, weight, bias),
            (Placement::Autodiff, Placement::Autodiff) => return autodiff(x, weight, bias),
            _ => {}
        }
    }
    composed::linear(x, weight, bias)
}

fn inference(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let [x, weight] = [x, weight].map(|matrix| {
        let primitive = matrix.try_into_primitive::<Flex>();
        readable(primitive.expect("placement() has checked the backend"))
    });
    let bias = bias.map(plain);
    from_plain(forward(&x, &weight, bias.as_ref()))
}

/// The matrix with contiguous rows or columns.
fn readable(matrix: FlexTensor) -> FlexTensor {
    match as_stored(&matrix) {
        Some(_) => matrix,
        None => matrix.to_contiguous(),
    }
}

/// In which order and with which stride a matrix can be read where it is.
fn as_stored(matrix: &FlexTensor) -> Option<(Order, usize)> {
    let shape = dims(matrix);
    let strides = matrix.layout().strides();
    let lines = |line: usize, along: usize| {
        let stride = usize::try_from(strides[line]).ok()?;
        // The stride of an axis with one element says nothing.
        let contiguous = strides[along] == 1 || shape[along] == 1;
        let apart = stride >= shape[along] || shape[line] == 1;
        (contiguous && apart).then_some(stride.max(shape[along]))
    };
    if let Some(stride) = lines(0, 1) {
        return Some((Order::Rows, stride));
    }
    lines(1, 0).map(|stride| (Order::Columns, stride))
}

/// A [`readable`] matrix.
fn view(matrix: &FlexTensor) -> Matrix<'_> {
    let shape = dims(matrix);
    let (order, stride) = as_stored(matrix).unwrap_or((Order::Rows, shape[1]));
    let values = &matrix.storage::<f32>()[matrix.layout().start_offset()..];
    Matrix::new(values, [shape[0], shape[1]], order, stride)
}

fn forward(x: &FlexTensor, weight: &FlexTensor, bias: Option<&FlexTensor>) -> FlexTensor {
    let sizes = [dims(x)[0], dims(weight)[1]];
    let out = product(view(x), view(weight), bias.map(data));
    pack(out, sizes)
}

/// ∂/∂x: `grad · weightᵀ`.
fn x_gradient(grad: &FlexTensor, weight: &FlexTensor) -> FlexTensor {
    forward(grad, &weight.transpose(0, 1), None)
}

/// ∂/∂weight: `xᵀ · grad`, `[in, out]`.
fn weight_gradient(x: &FlexTensor, grad: &FlexTensor) -> FlexTensor {
    forward(&x.transpose(0, 1), grad, None)
}

/// ∂/∂bias: the sum over the rows.
fn bias_gradient(grad: &FlexTensor) -> FlexTensor {
    let width = dims(grad)[1];
    let mut sums = vec![0.0; width];
    for row in data(grad).chunks_exact(width) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    pack(sums, [width])
}

/// What the gradients need: x if the weight wants one, the weight if x wants one.
type Tape = (Option<FlexTensor>, Option<FlexTensor>);

/// The gradients of x and of the weight.
fn gradients((x, weight): Tape, grad: &FlexTensor) -> [Option<FlexTensor>; 2] {
    [
        weight.map(|weight| x_gradient(grad, &weight)),
        x.map(|x| weight_gradient(&x, grad)),
    ]
}

#[derive(Debug)]
struct Product;

impl Backward<Flex, 2> for Product {
    type State = Tape;

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node).to_contiguous();
        let parts = gradients(ops.state, &grad);
        for (node, part) in ops.parents.into_iter().zip(parts) {
            if let (Some(node), Some(part)) = (node, part) {
                grads.register::<Flex>(node.id, part);
            }
        }
    }
}

#[derive(Debug)]
struct Affine;

impl Backward<Flex, 3> for Affine {
    type State = Tape;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<Flex>(&ops.node).to_contiguous();
        let [x, weight] = gradients(ops.state, &grad);
        let parts = [x, weight, Some(bias_gradient(&grad))];
        for (node, part) in ops.parents.into_iter().zip(parts) {
            if let (Some(node), Some(part)) = (node, part) {
                grads.register::<Flex>(node.id, part);
            }
        }
    }
}

fn autodiff(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let (x, weight, bias) = (tracked(x), tracked(weight), bias.map(tracked));
    let (x_node, weight_node) = (x.node(), weight.node());
    let (x_wanted, weight_wanted) = (x.is_tracked(), weight.is_tracked());
    let bias_node = bias.as_ref().map(|bias| bias.node());
    let [x, weight] = [x, weight].map(|matrix| readable(matrix.into_primitive()));
    let bias = bias.map(|bias| bias.into_primitive().to_contiguous());
    let out = forward(&x, &weight, bias.as_ref());
    let tape = (weight_wanted.then_some(x), x_wanted.then_some(weight));
    from_tracked(match bias_node {
        None => match Product
            .prepare::<NoCheckpointing>([x_node, weight_node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(tape, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        },
        Some(bias_node) => match Affine
            .prepare::<NoCheckpointing>([x_node, weight_node, bias_node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(tape, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        },
    })
}

//! The head's operation as burn runs it: plain, or recorded with its own gradient on any backend that this build knows.

use burn::backend::autodiff::{
    checkpoint::{
        base::Checkpointer,
        strategy::{BalancedCheckpointing, CheckpointStrategy, NoCheckpointing},
    },
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::{Autodiff, AutodiffBackend, Backend, DispatchKindConversion, DispatchTensor};
use burn::tensor::{Float, Tensor};

use super::{HeadLayout, HeadWork};

/// What the backward pass reads. The hidden states and the head are handles, not copies.
#[derive(Debug, Clone)]
struct Tape {
    work: HeadWork,
    hidden: Tensor<2>,
    weight: Tensor<2>,
    kept: Tensor<2>,
}

#[derive(Debug)]
struct HeadLogProbs;

impl<B: Backend> Backward<B, 2> for HeadLogProbs
where
    DispatchTensor: DispatchKindConversion<B>,
{
    type State = Tape;

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = Tensor::<2, Float>::from_primitive::<B>(grads.consume::<B>(&ops.node));
        let Tape {
            work,
            hidden,
            weight,
            kept,
        } = ops.state;
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found = work.backward(&hidden, &weight, &kept, &gradient, wanted);
        for (node, gradient) in ops.parents.into_iter().zip([found.hidden, found.weight]) {
            if let (Some(node), Some(gradient)) = (node, gradient) {
                let gradient = gradient
                    .try_into_primitive::<B>()
                    .expect("the gradient is computed on the backend of its operand");
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

/// Records the operation if `hidden` and `weight` live on `Autodiff<B, C>`.
fn record<B: Backend, C: CheckpointStrategy>(
    hidden: &Tensor<2>,
    weight: &Tensor<2>,
    work: &HeadWork,
) -> Option<Tensor<2>>
where
    DispatchTensor: DispatchKindConversion<B> + DispatchKindConversion<Autodiff<B, C>>,
{
    let primitive = |tensor: &Tensor<2>| {
        let tensor = tensor.clone();
        if tensor.device().is_autodiff() {
            return tensor.try_into_primitive::<Autodiff<B, C>>().ok();
        }
        // Beside an operand with autodiff it is a constant.
        let constant = tensor.try_into_primitive::<B>().ok()?;
        Some(<Autodiff<B, C> as AutodiffBackend>::from_inner(constant))
    };
    let guards = [primitive(hidden)?.node(), primitive(weight)?.node()];
    let (hidden, weight) = (hidden.clone().inner(), weight.clone().inner());
    let [out, kept] = work.forward(&hidden, &weight);
    let out = out.try_into_primitive::<B>().ok()?;
    let out = match HeadLogProbs.prepare::<C>(guards).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(
            Tape {
                work: work.clone(),
                hidden,
                weight,
                kept,
            },
            out,
        ),
        OpsKind::UnTracked(prep) => prep.finish(out),
    };
    Some(Tensor::<2, Float>::from_primitive::<Autodiff<B, C>>(out))
}

/// Runs the operation where its operands live.
pub(super) fn run(hidden: Tensor<2>, weight: Tensor<2>, work: HeadWork) -> Tensor<2> {
    if !hidden.device().is_autodiff() && !weight.device().is_autodiff() {
        let [out, _] = work.forward(&hidden, &weight);
        return out;
    }
    macro_rules! try_backend {
        ($backend:ty) => {
            if let Some(out) = record::<$backend, NoCheckpointing>(&hidden, &weight, &work)
                .or_else(|| record::<$backend, BalancedCheckpointing>(&hidden, &weight, &work))
            {
                return out;
            }
        };
    }
    #[cfg(feature = "flex")]
    try_backend!(burn::backend::Flex);
    #[cfg(any(
        feature = "cuda",
        feature = "rocm",
        feature = "vulkan",
        feature = "metal",
        feature = "wgpu"
    ))]
    try_backend!(burn::backend::Cube);
    composed(hidden, weight, work)
}

/// The same numbers from burn's own operations, for a backend that [`run`] cannot name.
fn composed(hidden: Tensor<2>, weight: Tensor<2>, work: HeadWork) -> Tensor<2> {
    let weight = match work.layout {
        HeadLayout::VocabRows => weight.transpose(),
        HeadLayout::VocabColumns => weight,
    };
    let weight = weight.cast(hidden.dtype());
    super::super::composed::log_prob_entropy(
        super::as_f32(hidden.matmul(weight)),
        work.targets,
        1.0 / work.inverse_temperature,
    )
}

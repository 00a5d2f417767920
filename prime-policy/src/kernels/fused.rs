//! The fused CPU kernels as burn operations: plain ones for inference, and autodiff ones with their gradients.

use burn::backend::autodiff::{
    checkpoint::{base::Checkpointer, strategy::NoCheckpointing},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{DType, Float, Int, Tensor, TensorData};

use super::{AttentionShape, Ragged, attention, rows};

/// Where a tensor lives, as far as the kernels care.
pub(crate) enum Placement {
    /// CPU backend, no gradient wanted.
    Inference,
    /// CPU backend with autodiff (no gradient checkpointing).
    Autodiff,
    /// Another backend, element type or checkpointing strategy: use the composed operations.
    Elsewhere,
}

/// Decides which implementation serves tensors that live where `probe` does.
pub(crate) fn placement<const D: usize>(probe: &Tensor<D>) -> Placement {
    use burn::tensor::Device;
    if probe.dtype() != DType::F32 {
        return Placement::Elsewhere;
    }
    let device = probe.device();
    if device == Device::flex() && !device.is_autodiff() {
        return Placement::Inference;
    }
    if device.clone().inner() == Device::flex() && no_checkpointing(&device) {
        return Placement::Autodiff;
    }
    Placement::Elsewhere
}

fn no_checkpointing(device: &burn::tensor::Device) -> bool {
    use burn::backend::GradientCheckpointingStrategy;
    matches!(
        device.gradient_checkpointing_strategy(),
        Some(GradientCheckpointingStrategy::Disabled)
    )
}

pub(super) type Tracked = burn::backend::tensor::FloatTensor<AutodiffFlex>;
pub(super) type AutodiffFlex = Autodiff<Flex, NoCheckpointing>;

pub(super) fn plain<const D: usize>(tensor: Tensor<D>) -> FlexTensor {
    let tensor = tensor
        .try_into_primitive::<Flex>()
        .expect("placement() has checked the backend");
    tensor.to_contiguous()
}

pub(super) fn tracked<const D: usize>(tensor: Tensor<D>) -> Tracked {
    tensor
        .try_into_primitive::<AutodiffFlex>()
        .expect("placement() has checked the backend")
}

pub(super) fn from_plain<const D: usize>(primitive: FlexTensor) -> Tensor<D> {
    Tensor::<D, Float>::from_primitive::<Flex>(primitive)
}

pub(super) fn from_tracked<const D: usize>(primitive: Tracked) -> Tensor<D> {
    Tensor::<D, Float>::from_primitive::<AutodiffFlex>(primitive)
}

/// The elements of a contiguous tensor.
pub(super) fn data(tensor: &FlexTensor) -> &[f32] {
    let start = tensor.layout().start_offset();
    let len = tensor.layout().num_elements();
    &tensor.storage::<f32>()[start..start + len]
}

pub(super) fn dims(tensor: &FlexTensor) -> Vec<usize> {
    tensor.layout().shape().to_vec()
}

/// Where the elements of a tensor are in memory.
#[cfg(test)]
pub(super) fn address(tensor: Tensor<4>) -> usize {
    data(&plain(tensor)).as_ptr() as usize
}

pub(super) fn pack(values: Vec<f32>, shape: impl Into<Vec<usize>>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape.into()))
}

fn indices(targets: Tensor<1, Int>) -> Vec<usize> {
    targets
        .into_data()
        .iter::<i64>()
        .map(|id| id as usize)
        .collect()
}

/// Kernels on tensors without autodiff.
pub(crate) mod inference {
    use super::*;

    pub(crate) fn rms_norm(x: Tensor<2>, weight: Tensor<1>, eps: f64) -> Tensor<2> {
        let (x, weight) = (plain(x), plain(weight));
        let (out, _) = rows::rms_norm(data(&x), data(&weight), eps as f32);
        from_plain(pack(out, dims(&x)))
    }

    pub(crate) fn swiglu(gate: Tensor<2>, up: Tensor<2>) -> Tensor<2> {
        let (gate, up) = (plain(gate), plain(up));
        from_plain(pack(rows::swiglu(data(&gate), data(&up)), dims(&gate)))
    }

    pub(crate) fn causal_attention(
        shape: AttentionShape,
        ragged: &Ragged,
        q: Tensor<2>,
        k: Tensor<2>,
        v: Tensor<2>,
        cos: Tensor<2>,
        sin: Tensor<2>,
    ) -> Tensor<2> {
        let [q, k, v, cos, sin] = [q, k, v, cos.inner(), sin.inner()].map(plain);
        let shape_out = dims(&q);
        let (out, _) = attention::forward(
            shape,
            ragged,
            [data(&q), data(&k), data(&v)],
            [data(&cos), data(&sin)],
        );
        from_plain(pack(out, shape_out))
    }

    /// Takes the tensor out of its slot, so that its storage can be written to without a copy.
    fn take(slot: &mut Tensor<4>) -> FlexTensor {
        let placeholder = Tensor::empty([0; 4], &slot.device());
        plain(std::mem::replace(slot, placeholder))
    }

    pub(crate) fn decode_attention(
        shape: AttentionShape,
        lengths: &[usize],
        qkv: [Tensor<2>; 3],
        rope: [Tensor<2>; 2],
        [keys, values]: [&mut Tensor<4>; 2],
    ) -> Tensor<2> {
        let [q, k, v] = qkv.map(plain);
        let [cos, sin] = rope.map(plain);
        let [mut key_cache, mut value_cache] = [&mut *keys, &mut *values].map(take);
        let capacity = dims(&key_cache)[2];
        let out = attention::decode(
            shape,
            lengths,
            capacity,
            [data(&q), data(&k), data(&v)],
            [data(&cos), data(&sin)],
            [key_cache.storage_mut(), value_cache.storage_mut()],
        );
        *keys = from_plain(key_cache);
        *values = from_plain(value_cache);
        from_plain(pack(out, dims(&q)))
    }

    pub(crate) fn copy_row(
        cache: &mut Tensor<4>,
        to: usize,
        source: &Tensor<4>,
        from: usize,
        length: usize,
    ) {
        let [_, heads, capacity, head_dim] = cache.dims();
        let source_capacity = source.dims()[2];
        let source = plain(source.clone());
        let mut target = take(cache);
        let (read, written) = (data(&source), target.storage_mut::<f32>());
        for head in 0..heads {
            let from = (from * heads + head) * source_capacity * head_dim;
            let to = (to * heads + head) * capacity * head_dim;
            let part = length * head_dim;
            written[to..to + part].copy_from_slice(&read[from..from + part]);
        }
        *cache = from_plain(target);
    }

    pub(crate) fn move_row(cache: &mut Tensor<4>, to: usize, from: usize, length: usize) {
        let [_, heads, capacity, head_dim] = cache.dims();
        let mut target = take(cache);
        let written = target.storage_mut::<f32>();
        for head in 0..heads {
            let at = |row: usize| (row * heads + head) * capacity * head_dim;
            let from = at(from);
            written.copy_within(from..from + length * head_dim, at(to));
        }
        *cache = from_plain(target);
    }

    pub(crate) fn log_prob_entropy(
        logits: Tensor<2>,
        targets: Tensor<1, Int>,
        temperature: f32,
    ) -> Tensor<2> {
        let logits = plain(logits);
        let targets = indices(targets);
        let vocab = dims(&logits)[1];
        let (out, _) = rows::log_prob_entropy(data(&logits), &targets, vocab, temperature);
        from_plain(pack(out, [targets.len(), 2]))
    }
}

/// Kernels that record their gradient.
pub(crate) mod autodiff {
    use super::*;

    #[derive(Debug)]
    struct RmsNorm;

    impl Backward<Flex, 2> for RmsNorm {
        type State = (FlexTensor, FlexTensor, Vec<f32>);

        fn backward(
            self,
            ops: Ops<Self::State, 2>,
            grads: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let grad = grads.consume::<Flex>(&ops.node).to_contiguous();
            let (x, weight, inverse) = ops.state;
            let (dx, dw) = rows::rms_norm_backward(data(&x), data(&weight), &inverse, data(&grad));
            let [x_node, weight_node] = ops.parents;
            if let Some(node) = x_node {
                grads.register::<Flex>(node.id, pack(dx, dims(&x)));
            }
            if let Some(node) = weight_node {
                grads.register::<Flex>(node.id, pack(dw, dims(&weight)));
            }
        }
    }

    pub(crate) fn rms_norm(x: Tensor<2>, weight: Tensor<1>, eps: f64) -> Tensor<2> {
        let (x, weight) = (tracked(x), tracked(weight));
        let guards = [x.node(), weight.node()];
        let x = x.into_primitive().to_contiguous();
        let weight = weight.into_primitive().to_contiguous();
        let (out, inverse) = rows::rms_norm(data(&x), data(&weight), eps as f32);
        let out = pack(out, dims(&x));
        from_tracked(
            match RmsNorm
                .prepare::<NoCheckpointing>(guards)
                .compute_bound()
                .stateful()
            {
                OpsKind::Tracked(prep) => prep.finish((x, weight, inverse), out),
                OpsKind::UnTracked(prep) => prep.finish(out),
            },
        )
    }

    #[derive(Debug)]
    struct Swiglu;

    impl Backward<Flex, 2> for Swiglu {
        type State = (FlexTensor, FlexTensor);

        fn backward(
            self,
            ops: Ops<Self::State, 2>,
            grads: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let grad = grads.consume::<Flex>(&ops.node).to_contiguous();
            let (gate, up) = ops.state;
            let (d_gate, d_up) = rows::swiglu_backward(data(&gate), data(&up), data(&grad));
            let [gate_node, up_node] = ops.parents;
            if let Some(node) = gate_node {
                grads.register::<Flex>(node.id, pack(d_gate, dims(&gate)));
            }
            if let Some(node) = up_node {
                grads.register::<Flex>(node.id, pack(d_up, dims(&up)));
            }
        }
    }

    pub(crate) fn swiglu(gate: Tensor<2>, up: Tensor<2>) -> Tensor<2> {
        let (gate, up) = (tracked(gate), tracked(up));
        let guards = [gate.node(), up.node()];
        let gate = gate.into_primitive().to_contiguous();
        let up = up.into_primitive().to_contiguous();
        let out = pack(rows::swiglu(data(&gate), data(&up)), dims(&gate));
        from_tracked(
            match Swiglu
                .prepare::<NoCheckpointing>(guards)
                .compute_bound()
                .stateful()
            {
                OpsKind::Tracked(prep) => prep.finish((gate, up), out),
                OpsKind::UnTracked(prep) => prep.finish(out),
            },
        )
    }

    #[derive(Debug)]
    struct CausalAttention;

    #[derive(Debug, Clone)]
    struct AttentionTape {
        shape: AttentionShape,
        ragged: Ragged,
        qkv: [FlexTensor; 3],
        out: FlexTensor,
        normalisers: attention::Normalisers,
        rope: [FlexTensor; 2],
    }

    impl Backward<Flex, 3> for CausalAttention {
        type State = AttentionTape;

        fn backward(
            self,
            ops: Ops<Self::State, 3>,
            grads: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let grad = grads.consume::<Flex>(&ops.node).to_contiguous();
            let AttentionTape {
                shape,
                ragged,
                qkv,
                out,
                normalisers,
                rope,
            } = ops.state;
            let taped = attention::Taped {
                qkv: qkv.each_ref().map(data),
                out: data(&out),
                normalisers: &normalisers,
            };
            let rope = rope.each_ref().map(data);
            let parts = attention::backward(shape, &ragged, taped, data(&grad), rope);
            let rows = ragged.tokens();
            for (node, part) in ops.parents.into_iter().zip(parts) {
                if let Some(node) = node {
                    let width = part.len() / rows;
                    grads.register::<Flex>(node.id, pack(part, [rows, width]));
                }
            }
        }
    }

    pub(crate) fn causal_attention(
        shape: AttentionShape,
        ragged: &Ragged,
        q: Tensor<2>,
        k: Tensor<2>,
        v: Tensor<2>,
        cos: Tensor<2>,
        sin: Tensor<2>,
    ) -> Tensor<2> {
        let [q, k, v] = [q, k, v].map(tracked);
        let rope = [cos.inner(), sin.inner()].map(plain);
        let guards = [q.node(), k.node(), v.node()];
        let qkv = [q, k, v].map(|t| t.into_primitive().to_contiguous());
        let (out, normalisers) = attention::forward(
            shape,
            ragged,
            qkv.each_ref().map(data),
            rope.each_ref().map(data),
        );
        let out = pack(out, dims(&qkv[0]));
        from_tracked(
            match CausalAttention
                .prepare::<NoCheckpointing>(guards)
                .compute_bound()
                .stateful()
            {
                OpsKind::Tracked(prep) => prep.finish(
                    AttentionTape {
                        shape,
                        ragged: ragged.clone(),
                        qkv,
                        out: out.clone(),
                        normalisers,
                        rope,
                    },
                    out,
                ),
                OpsKind::UnTracked(prep) => prep.finish(out),
            },
        )
    }

    #[derive(Debug)]
    struct LogProbEntropy;

    #[derive(Debug, Clone)]
    struct LogProbTape {
        logits: FlexTensor,
        targets: Vec<usize>,
        lse: Vec<f32>,
        temperature: f32,
    }

    impl Backward<Flex, 1> for LogProbEntropy {
        type State = LogProbTape;

        fn backward(
            self,
            ops: Ops<Self::State, 1>,
            grads: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let grad = grads.consume::<Flex>(&ops.node).to_contiguous();
            let LogProbTape {
                logits,
                targets,
                lse,
                temperature,
            } = ops.state;
            let [node] = ops.parents;
            if let Some(node) = node {
                let shape = dims(&logits);
                let out = rows::log_prob_entropy_backward(
                    data(&logits),
                    &targets,
                    &lse,
                    shape[1],
                    temperature,
                    data(&grad),
                );
                grads.register::<Flex>(node.id, pack(out, shape));
            }
        }
    }

    pub(crate) fn log_prob_entropy(
        logits: Tensor<2>,
        targets: Tensor<1, Int>,
        temperature: f32,
    ) -> Tensor<2> {
        let logits = tracked(logits);
        let guards = [logits.node()];
        let logits = logits.into_primitive().to_contiguous();
        let targets = indices(targets);
        let vocab = dims(&logits)[1];
        let (out, lse) = rows::log_prob_entropy(data(&logits), &targets, vocab, temperature);
        let out = pack(out, [targets.len(), 2]);
        from_tracked(
            match LogProbEntropy
                .prepare::<NoCheckpointing>(guards)
                .compute_bound()
                .stateful()
            {
                OpsKind::Tracked(prep) => prep.finish(
                    LogProbTape {
                        logits,
                        targets,
                        lse,
                        temperature,
                    },
                    out,
                ),
                OpsKind::UnTracked(prep) => prep.finish(out),
            },
        )
    }
}

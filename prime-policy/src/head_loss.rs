//! A loss of the whole next-token distribution, without the logits of all positions at once.

use std::ops::Range;

use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;

use crate::lm::CausalLm;
use crate::logprob::position_chunks;

/// A summed loss of a head's logits.
#[derive(Debug)]
pub struct HeadLoss {
    /// The loss; back-propagate it as part of a larger one, with weight 1.
    pub loss: Tensor<1>,
    /// The part of its gradient with respect to the head's own parameters that back-propagating `loss` does not give.
    /// Hand it on in [`MicroBatchLoss::extra`](crate::MicroBatchLoss::extra).
    pub extra: Option<GradientsParams>,
}

/// Σ over positions of a loss that reads the logits of each: `of_chunk` gets some positions of `hidden`
/// (`[n, hidden]`) with their logits under `model` (`[positions, vocab]`) and returns their summed loss.
///
/// Where there are more logits than fit in 16 MiB, each chunk is back-propagated through the head on its own as soon as
/// it is computed, and only its gradient with respect to `hidden` is kept: memory is that of one chunk, whatever the
/// model's head is made of.
pub fn head_loss<M: CausalLm>(
    model: &M,
    hidden: Tensor<2>,
    mut of_chunk: impl FnMut(Range<usize>, Tensor<2>) -> Tensor<1>,
) -> HeadLoss {
    let chunks: Vec<_> = position_chunks(hidden.dims()[0], model.vocab_size()).collect();
    if let [chunk] = chunks.as_slice() {
        return HeadLoss {
            loss: of_chunk(chunk.clone(), model.logits(hidden)),
            extra: None,
        };
    }
    let mut value: Option<Tensor<1>> = None;
    let mut for_hidden = vec![];
    let mut for_head = GradientsAccumulator::new();
    for chunk in chunks {
        let part = hidden.clone().narrow(0, chunk.start, chunk.len());
        if !hidden.is_tracked() {
            value = Some(plus(value, of_chunk(chunk, model.logits(part))));
            continue;
        }
        let leaf = part.detach().require_grad();
        let loss = of_chunk(chunk, model.logits(leaf.clone()));
        value = Some(plus(value, loss.clone().detach()));
        let mut gradients = loss.backward();
        for_hidden.push(match leaf.grad_remove(&mut gradients) {
            Some(gradient) => gradient,
            None => leaf.inner().zeros_like(),
        });
        for_head.accumulate(model, GradientsParams::from_grads(gradients, model));
    }
    let value = value.unwrap_or_else(|| Tensor::zeros([1], &hidden.device()));
    if for_hidden.is_empty() {
        return HeadLoss {
            loss: value,
            extra: None,
        };
    }
    let gradient = Tensor::from_inner(Tensor::cat(for_hidden, 0));
    // Adds exactly 0 to the value, and the gradient to what back-propagation hands the trunk.
    let nothing = ((hidden.clone() - hidden.detach()) * gradient).sum();
    HeadLoss {
        loss: value + nothing,
        extra: Some(for_head.grads()),
    }
}

fn plus(sum: Option<Tensor<1>>, part: Tensor<1>) -> Tensor<1> {
    match sum {
        Some(sum) => sum + part,
        None => part,
    }
}

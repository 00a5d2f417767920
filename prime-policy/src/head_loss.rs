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
    of_chunk: impl FnMut(Range<usize>, Tensor<2>) -> Tensor<1>,
) -> HeadLoss {
    let chunks: Vec<_> = position_chunks(hidden.dims()[0], model.vocab_size()).collect();
    in_chunks(model, hidden, &chunks, of_chunk)
}

fn in_chunks<M: CausalLm>(
    model: &M,
    hidden: Tensor<2>,
    chunks: &[Range<usize>],
    mut of_chunk: impl FnMut(Range<usize>, Tensor<2>) -> Tensor<1>,
) -> HeadLoss {
    if let [chunk] = chunks {
        return HeadLoss {
            loss: of_chunk(chunk.clone(), model.logits(hidden)),
            extra: None,
        };
    }
    let mut value: Option<Tensor<1>> = None;
    let mut for_hidden = vec![];
    let mut for_head = GradientsAccumulator::new();
    for chunk in chunks.iter().cloned() {
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

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::{Device, Distribution, activation};

    use super::*;
    use crate::{Decoder, DecoderConfig, MicroBatchLoss, accumulate_losses};

    struct Flatten<'a>(&'a GradientsParams, Vec<f32>);

    impl ModuleVisitor for Flatten<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.get::<D>(param.id) {
                self.1.extend(gradient.into_data().iter::<f32>());
            }
        }
    }

    /// Loss and all gradients when the head sees `chunks`; the trunk is stood in for by the embedding.
    fn run(model: &Decoder, chunks: &[Range<usize>], weights: &Tensor<2>) -> (f32, Vec<f32>) {
        let done = accumulate_losses(model, &[()], 1, |model: &Decoder, ()| {
            let ids =
                Tensor::<2, burn::tensor::Int>::from_data([[1, 5, 3, 0, 2, 2, 6]], &Device::flex());
            let hidden = model.hidden(ids).reshape([7, 8]);
            let found = in_chunks(model, hidden, chunks, |positions, logits| {
                let weights = weights.clone().narrow(0, positions.start, positions.len());
                (activation::log_softmax(logits, 1).square() * weights).sum()
            });
            let value = found.loss.clone().inner().into_scalar::<f32>();
            Ok(MicroBatchLoss {
                loss: found.loss,
                extra: found.extra,
                statistics: value,
            })
        });
        let done = done.expect("a finite loss");
        let mut flat = Flatten(&done.gradients, vec![]);
        model.visit(&mut flat);
        (done.statistics[0], flat.1)
    }

    #[test]
    fn chunks_change_neither_the_loss_nor_any_gradient() {
        let device = Device::flex();
        device.seed(5);
        let weights = Tensor::random([7, 11], Distribution::Normal(0.0, 1.0), &device);
        for tied in [false, true] {
            let mut config = DecoderConfig::new(11, 8, 12, 1, 2);
            config.tie_word_embeddings = tied;
            config.initializer_range = 0.5;
            let model = config.init(&device.clone().autodiff()).expect("a shape");
            let (whole, expected) = run(&model, std::slice::from_ref(&(0..7)), &weights);
            assert!(expected.len() > 11 * 8 && expected.iter().any(|g| g.abs() > 0.1));
            for chunks in [vec![0..3, 3..6, 6..7], vec![0..1, 1..7]] {
                let (loss, found) = run(&model, &chunks, &weights);
                assert!(
                    (loss - whole).abs() < 1e-4 * whole.abs(),
                    "{loss} of {whole}"
                );
                assert_eq!(found.len(), expected.len());
                for (i, (a, b)) in found.iter().zip(&expected).enumerate() {
                    let close = (a - b).abs() < 1e-4 * b.abs().max(1.0);
                    assert!(close, "tied {tied}, gradient {i}: {a} instead of {b}");
                }
            }
        }
    }

    #[test]
    fn without_gradients_there_is_only_a_value() {
        let device = Device::flex();
        let model = DecoderConfig::new(11, 8, 12, 1, 2)
            .init(&device)
            .expect("a shape");
        let hidden = Tensor::<2>::ones([4, 8], &device);
        let of = |chunks: &[Range<usize>]| {
            let found = in_chunks(&model, hidden.clone(), chunks, |_, logits| {
                logits.exp().sum()
            });
            assert!(found.extra.is_none());
            found.loss.into_scalar::<f32>()
        };
        assert!((of(std::slice::from_ref(&(0..4))) - of(&[0..3, 3..4])).abs() < 1e-3);
    }
}

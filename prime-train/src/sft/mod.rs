//! Supervised warm-up: next-token loss on demonstrated responses.
//!
//! A demonstration is learned from as it would be sampled: the prompt as the policy sees it, then the response with the end
//! of the turn. So the loss is on the assistant's tokens alone, whatever the chat template puts around them.

mod record;

use prime_policy::objective::{BatchTotals, LossAggregation};
use prime_policy::{
    CausalLm, MicroBatching, Padding, Sequence, Tokenizer, accumulate_gradients, log_probs,
    token_statistics,
};

use crate::config::Config;
use crate::data::tasks::Task;
use crate::error::TrainError;

pub use record::{SftHeldOut, SftRecord, SftStep};

/// About so many packs a step at least, where demonstrations are packed and the CPU computes.
const PACKS: usize = 8;

/// A prompt and a response in tokens.
pub type Demonstrated = (Vec<u32>, Vec<u32>);

/// Learning rate of warm-up step `step` (from 0): linear up over `lr_warmup_steps`, then linear down to 0.
pub fn learning_rate(config: &Config, step: usize) -> f64 {
    let warmup = &config.warmup;
    let up = (step + 1) as f64 / warmup.lr_warmup_steps.max(1) as f64;
    let left = warmup.steps.saturating_sub(step) as f64;
    let span = warmup.steps.saturating_sub(warmup.lr_warmup_steps).max(1) as f64;
    warmup.lr * up.min(1.0).min(left / span)
}

/// Trains `model` on the demonstrations of `task`; `report` sees every step and may stop the warm-up by an error.
///
/// # Errors
/// [`TrainError::Policy`] when a demonstration cannot be tokenised or a loss is not finite; what `report` returns.
pub fn warm_up<M: CausalLm>(
    model: M,
    config: &Config,
    task: &dyn Task,
    tokenizer: &Tokenizer,
    report: impl FnMut(SftRecord) -> Result<(), TrainError>,
) -> Result<M, TrainError> {
    let demonstration = |index: u64| {
        let demonstration = task.demonstration(config.seed, index);
        let prompt = tokenizer.encode_prompt(&demonstration.prompt)?;
        Ok((prompt, tokenizer.encode_response(&demonstration.response)?))
    };
    warm_up_on(model, config, &demonstration, &[], report)
}

/// As [`warm_up`], on demonstrations of any kind, by their place in the order of training. The loss on `held_out` is reported
/// before the first step, every `warmup.eval_every` steps and after the last; not if there are none.
///
/// # Errors
/// Those of `demonstration` and of `report`; [`TrainError::Policy`] for a loss that is not finite.
pub fn warm_up_on<M: CausalLm>(
    mut model: M,
    config: &Config,
    demonstration: &dyn Fn(u64) -> Result<Demonstrated, TrainError>,
    held_out: &[Demonstrated],
    mut report: impl FnMut(SftRecord) -> Result<(), TrainError>,
) -> Result<M, TrainError> {
    let mut optimizer = config.warmup_optimizer().init();
    let batch_size = config.warmup.batch_size;
    let micro_batching = config.warmup_micro_batching();
    let threads = config.worker_threads();
    // One pass keeps one core busy; an accelerator is one worker.
    let packs = if config.device.starts_with("flex") {
        PACKS
    } else {
        1
    };
    let look = |model: &M, step| match held_out {
        [] => Ok(None),
        held_out => Ok::<_, TrainError>(Some(SftRecord::HeldOut(held_out_loss(
            model,
            held_out,
            micro_batching,
            threads,
            step,
        )?))),
    };
    if let Some(start) = look(&model, 0)? {
        report(start)?;
    }
    for step in 0..config.warmup.steps {
        let first = (step * batch_size) as u64;
        let demonstrations = (first..first + batch_size as u64)
            .map(demonstration)
            .collect::<Result<Vec<_>, TrainError>>()?;
        let sequences = sequences(&demonstrations);
        let totals = BatchTotals::of(sequences.iter().map(|s| s.response.len()));
        let lengths: Vec<usize> = sequences.iter().map(Sequence::tokens).collect();
        let parts = micro_batching.spread_over(&lengths, packs).cut(&lengths);
        let ready = model.prepared();
        let done = accumulate_gradients(&ready, &parts, threads, |model, part| {
            let device = model.devices().first().cloned().unwrap_or_default();
            let micro_batch: Vec<Sequence<'_>> =
                part.iter().map(|&i| sequences[i].clone()).collect();
            let batch = micro_batching.batch(&micro_batch, model.vocab_size(), &device)?;
            let negative = token_statistics(model, &batch, 1.0).log_probs.neg();
            let loss = LossAggregation::TokenMean.aggregate(negative, batch.mask(), totals);
            let value = f64::from(loss.clone().inner().into_scalar::<f32>());
            Ok((loss, value))
        })?;
        drop(ready);
        let rate = learning_rate(config, step);
        let (updated, grad_norm) = optimizer.step(model, done.gradients, rate)?;
        model = updated;
        report(SftRecord::Step(SftStep {
            step: step + 1,
            loss: done.statistics.iter().sum(),
            grad_norm,
            lr: rate,
            response_tokens: sequences.iter().map(|s| s.response.len()).sum(),
            tokens: lengths.iter().sum(),
            padding_waste: match micro_batching {
                MicroBatching::Packed(_) => 0.0,
                _ => Padding::of(&lengths, &parts).waste(),
            },
        }))?;
        let (done, every) = (step + 1, config.warmup.eval_every);
        let due = done == config.warmup.steps || every > 0 && done.is_multiple_of(every);
        if due && let Some(found) = look(&model, done)? {
            report(found)?;
        }
    }
    Ok(model)
}

fn sequences(demonstrations: &[Demonstrated]) -> Vec<Sequence<'_>> {
    demonstrations
        .iter()
        .map(|(prompt, response)| Sequence { prompt, response })
        .collect()
}

/// The mean over all response tokens, as the loss of training is.
fn held_out_loss<M: CausalLm>(
    model: &M,
    held_out: &[Demonstrated],
    micro_batching: MicroBatching,
    threads: usize,
    step: usize,
) -> Result<SftHeldOut, TrainError> {
    let found = log_probs(model, &sequences(held_out), 1.0, micro_batching, threads)?;
    let tokens = found.iter().map(Vec::len).sum::<usize>();
    let sum: f64 = found.iter().flatten().map(|&value| f64::from(value)).sum();
    Ok(SftHeldOut {
        step,
        eval_loss: -sum / tokens.max(1) as f64,
        eval_response_tokens: tokens,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::{Device, Int, Tensor};
    use prime_policy::{Decoder, DecoderConfig};

    use super::*;
    use crate::config::{Layer, resolve};
    use crate::data::tasks::{Demonstration, PassMark, Problem, Split, TaskName};

    /// Demonstrations of the given lengths.
    struct Uneven(Vec<usize>);

    impl Task for Uneven {
        fn name(&self) -> TaskName {
            TaskName::Mod3
        }
        fn vocabulary(&self) -> Vec<String> {
            vec![]
        }
        fn answers(&self) -> usize {
            1
        }
        fn prompt_tokens(&self) -> usize {
            4
        }
        fn response_tokens(&self) -> usize {
            0
        }
        fn pass_mark(&self) -> PassMark {
            PassMark::All
        }
        fn problem(&self, _: u64, _: Split, _: u64) -> Problem {
            Problem {
                prompt: String::new(),
                ground_truth: String::new(),
                answers: vec![],
            }
        }
        fn demonstration(&self, _: u64, index: u64) -> Demonstration {
            let length = self.0[index as usize % self.0.len()];
            let digit = |i: usize| char::from(b'0' + ((index as usize + 3 * i) % 10) as u8);
            Demonstration {
                prompt: "12=".to_owned(),
                response: (0..length).map(digit).collect(),
            }
        }
    }

    /// A decoder that notes the padded size of every batch it reads.
    #[derive(Module, Debug)]
    struct Watched {
        inner: Decoder,
    }

    static SIZES: Mutex<Vec<[usize; 2]>> = Mutex::new(vec![]);
    /// Held while one test fills [`SIZES`].
    static ALONE: Mutex<()> = Mutex::new(());

    impl CausalLm for Watched {
        type Cache = <Decoder as CausalLm>::Cache;
        fn hidden(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
            SIZES.lock().unwrap().push(tokens.dims());
            self.inner.hidden(tokens)
        }
        fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
            self.inner.logits(hidden)
        }
        fn hidden_size(&self) -> usize {
            self.inner.hidden_size()
        }
        fn vocab_size(&self) -> usize {
            self.inner.vocab_size()
        }
        fn cache(&self, rows: usize, capacity: usize) -> Self::Cache {
            self.inner.cache(rows, capacity)
        }
        fn decode(&self, tokens: Tensor<1, Int>, cache: &mut Self::Cache) -> Tensor<2> {
            self.inner.decode(tokens, cache)
        }
    }

    fn parameters(model: &Watched) -> Vec<f32> {
        struct Read(Vec<f32>);
        impl ModuleVisitor for Read {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                self.0.extend(param.val().into_data().iter::<f32>());
            }
        }
        let mut read = Read(vec![]);
        model.visit(&mut read);
        read.0
    }

    /// Parameters and losses after three steps from the same start, and the sizes of all passes.
    fn warmed(start: &Watched, sets: &[&str]) -> (Vec<f32>, Vec<f64>, Vec<[usize; 2]>) {
        let tokenizer = Tokenizer::characters("0123456789=".chars()).unwrap();
        let always = [
            "warmup.steps=3",
            "warmup.lr_warmup_steps=1",
            "warmup.batch_size=8",
        ];
        let layers: Vec<Layer> = always
            .iter()
            .chain(sets)
            .map(|set| Layer::set(set).unwrap())
            .collect();
        let config = resolve(&layers).unwrap();
        let task = Uneven(vec![3, 30, 4, 5, 28, 3, 6, 4]);
        let _alone = ALONE.lock();
        SIZES.lock().unwrap().clear();
        let mut losses = vec![];
        let model = warm_up(start.clone(), &config, &task, &tokenizer, |record| {
            if let SftRecord::Step(step) = record {
                losses.push(step.loss);
            }
            Ok(())
        });
        let sizes = std::mem::take(&mut *SIZES.lock().unwrap());
        (parameters(&model.unwrap()), losses, sizes)
    }

    #[test]
    fn a_cut_by_tokens_bounds_every_pass_and_changes_rounding_only() {
        let device = Device::flex().autodiff();
        device.seed(3);
        let start = Watched {
            inner: DecoderConfig::new(15, 8, 16, 1, 2).init(&device).unwrap(),
        };
        // A fresh parameter is drawn when it is first read.
        parameters(&start);
        let (whole, losses, _) = warmed(&start, &["threads=1", "warmup.micro_batch_size=8"]);
        let (rows, by_rows, sizes) = warmed(&start, &["threads=1", "warmup.micro_batch_size=4"]);
        assert!(sizes.iter().all(|size| size[0] == 4), "{sizes:?}");
        let budget = ["warmup.micro_batch_size=8", "rl.micro_batch_tokens=36"];
        let [one, two] = ["threads=1", "threads=2"]
            .map(|threads| warmed(&start, &[&budget[..], &[threads]].concat()));
        assert!(
            sizes.iter().any(|[rows, time]| rows * time > 36),
            "{sizes:?}"
        );
        assert!(
            one.2.iter().all(|[rows, time]| rows * time <= 36),
            "{:?}",
            one.2
        );
        assert!(one.2.iter().any(|[rows, _]| *rows > 1), "{:?}", one.2);
        assert_eq!(one.0, two.0, "threads are no part of the result");
        assert_eq!(one.1, two.1);
        for (parameters, of) in [(rows, by_rows), (one.0, one.1)] {
            for (a, b) in of.iter().zip(&losses) {
                assert!((a - b).abs() < 1e-5, "{a} {b}");
            }
            let furthest = parameters.iter().zip(&whole).map(|(a, b)| (a - b).abs());
            assert!(furthest.fold(0.0, f32::max) < 1e-3);
        }
    }
    #[test]
    fn packing_reads_no_padding_and_changes_rounding_only() {
        let device = Device::flex().autodiff();
        device.seed(3);
        let start = Watched {
            inner: DecoderConfig::new(15, 8, 16, 1, 2).init(&device).unwrap(),
        };
        parameters(&start);
        let budget = ["threads=1", "rl.micro_batch_tokens=70"];
        let padded = warmed(&start, &budget);
        let packed = warmed(&start, &[&budget[..], &["warmup.packing=true"]].concat());
        let again = warmed(
            &start,
            &[
                "threads=2",
                "rl.micro_batch_tokens=70",
                "warmup.packing=true",
            ],
        );
        assert_eq!((&packed.0, &packed.1), (&again.0, &again.1));
        assert_ne!(packed.2, padded.2, "the cut is another");
        for (a, b) in packed.1.iter().zip(&padded.1) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
        let furthest = packed.0.iter().zip(&padded.0).map(|(a, b)| (a - b).abs());
        assert!(furthest.fold(0.0, f32::max) < 1e-3);
    }

    #[test]
    fn the_loss_on_held_out_demonstrations_is_reported_at_the_start_in_between_and_at_the_end() {
        let device = Device::flex().autodiff();
        device.seed(3);
        let start = DecoderConfig::new(15, 8, 16, 1, 2).init(&device).unwrap();
        let sets = [
            "warmup.steps=5",
            "warmup.lr_warmup_steps=1",
            "warmup.batch_size=2",
            "warmup.eval_every=2",
            "model.path=m",
            "warmup.train_file=d.jsonl",
            "rl.steps=0",
            "threads=1",
        ];
        let layers: Vec<Layer> = sets.iter().map(|set| Layer::set(set).unwrap()).collect();
        let config = resolve(&layers).unwrap();
        let learned = |_| Ok((vec![4, 5], vec![6, 7, 1]));
        let held_out = [(vec![4, 5], vec![6, 7, 1]), (vec![8], vec![9])];
        let run = |held_out: &[Demonstrated]| {
            let mut records = vec![];
            let model = warm_up_on(start.clone(), &config, &learned, held_out, |record| {
                records.push(record);
                Ok(())
            });
            (model.unwrap(), records)
        };
        let (model, records) = run(&held_out);
        let steps = |records: &[SftRecord]| -> Vec<(usize, bool)> {
            let kind = |record: &SftRecord| matches!(record, SftRecord::HeldOut(_));
            records.iter().map(|r| (r.step(), kind(r))).collect()
        };
        let (on, off) = (true, false);
        let expected = [
            (0, on),
            (1, off),
            (2, off),
            (2, on),
            (3, off),
            (4, off),
            (4, on),
            (5, off),
            (5, on),
        ];
        assert_eq!(steps(&records), expected);
        let SftRecord::HeldOut(last) = records[8] else {
            panic!("{records:?}");
        };
        assert_eq!(last.eval_response_tokens, 4);
        // By one pass over each, and by the definition.
        let mut sum = 0.0;
        for demonstration in &held_out {
            let alone = std::slice::from_ref(demonstration);
            let found = log_probs(&model, &sequences(alone), 1.0, 1, 1).unwrap();
            sum += found[0].iter().map(|&x| f64::from(x)).sum::<f64>();
        }
        assert!((last.eval_loss + sum / 4.0).abs() < 1e-6, "{last:?} {sum}");
        // Looking changes nothing.
        let (_, without) = run(&[]);
        let losses = |records: &[SftRecord]| -> Vec<f64> {
            let loss = |record: &SftRecord| match record {
                SftRecord::Step(step) => Some(step.loss),
                SftRecord::HeldOut(_) => None,
            };
            records.iter().filter_map(loss).collect()
        };
        assert_eq!(losses(&records), losses(&without));
        assert_eq!(without.len(), 5);
    }
}

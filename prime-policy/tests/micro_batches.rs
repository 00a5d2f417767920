//! Micro-batches cut by tokens: what is in them, what they waste, and that nothing but speed depends on them.

mod plain;
mod support;

use burn::tensor::Device;
use prime_policy::objective::{BatchTotals, LossAggregation};
use prime_policy::{
    CausalLm, Decoder, DecoderConfig, MicroBatching, Padding, PolicyError, Sequence, SequenceBatch,
    accumulate_gradients, log_probs, micro_batches, packs, token_statistics,
};
use proptest::prelude::*;
use support::gradients;

/// A stream of numbers in [0, 1).
struct Uniform(u64);

impl Uniform {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn waste(lengths: &[usize], budget: usize) -> f64 {
    Padding::of(lengths, &micro_batches(lengths, budget)).waste()
}

proptest! {
    #[test]
    fn every_sequence_is_in_one_micro_batch_that_keeps_the_budget(
        lengths in prop::collection::vec(1usize..5000, 0..200),
        budget in 1usize..20_000,
    ) {
        let parts = micro_batches(&lengths, budget);
        let mut seen: Vec<usize> = parts.iter().flatten().copied().collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
        for part in &parts {
            let longest = part.iter().map(|&i| lengths[i]).max().unwrap_or(0);
            prop_assert!(part.len() == 1 || longest * part.len() <= budget);
            prop_assert!(Padding::of(&lengths, std::slice::from_ref(part)).waste() < 0.1);
        }
    }
}

proptest! {
    #[test]
    fn every_sequence_is_in_one_pack_and_no_two_packs_would_fit_into_one(
        lengths in prop::collection::vec(1usize..5000, 0..200),
        budget in 1usize..20_000,
    ) {
        let parts = packs(&lengths, budget);
        let mut seen: Vec<usize> = parts.iter().flatten().copied().collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..lengths.len()).collect::<Vec<_>>());
        let mut sizes: Vec<usize> = parts
            .iter()
            .map(|part| part.iter().map(|&i| lengths[i]).sum())
            .collect();
        for (part, size) in parts.iter().zip(&sizes) {
            prop_assert!(part.len() == 1 || *size <= budget);
        }
        sizes.sort_unstable();
        if let [smallest, next, ..] = sizes[..] {
            prop_assert!(smallest + next > budget);
        }
    }
}

#[test]
fn waste_is_under_a_tenth_at_the_spreads_of_the_recipes() {
    let mut uniform = Uniform(7);
    // The built-in exam: 38 tokens of prompt, answers of about 36, some cut short or rambling to the limit of 40.
    let exam: Vec<usize> = (0..32)
        .map(|_| 38 + (30.0 + 11.0 * uniform.next()) as usize)
        .collect();
    // PRIME's published sizes: prompts up to 1,024, responses up to 3,072, most far shorter (log-normal), some at the limit.
    let published: Vec<usize> = (0..1024)
        .map(|_| {
            let normal: f64 = (0..12).map(|_| uniform.next()).sum::<f64>() - 6.0;
            let response = (600.0 * (0.8 * normal).exp()).min(3072.0);
            (60.0 + 960.0 * uniform.next().powi(4) + response) as usize
        })
        .collect();
    // Pareto with α = 1: a heavy tail over three decades.
    let heavy: Vec<usize> = (0..512)
        .map(|_| (16.0 / (1.0 - uniform.next())).min(16_384.0) as usize)
        .collect();
    for (name, lengths, budget) in [
        ("exam", &exam, 16 * 74),
        ("published", &published, 16_384),
        ("heavy tail", &heavy, 16_384),
        ("heavy tail, one pass", &heavy, usize::MAX / 1024),
    ] {
        let sorted = waste(lengths, budget);
        let as_they_come = Padding::of(lengths, &MicroBatching::Sequences(16).cut(lengths)).waste();
        assert!(sorted < 0.1, "{name}: {sorted}");
        assert!(sorted <= as_they_come, "{name}: {sorted} of {as_they_come}");
    }
    let plain = Padding::of(&published, &MicroBatching::Sequences(16).cut(&published)).waste();
    assert!(
        plain > 0.4,
        "the published spread has something to save: {plain}"
    );
    // The bound does not come from tiny micro-batches.
    let parts = micro_batches(&published, 16_384);
    let fill = published.iter().sum::<usize>() as f64 / (parts.len() * 16_384) as f64;
    assert!(fill > 0.75, "{fill}");
}

#[test]
fn a_sequence_over_the_budget_goes_alone_and_nothing_gives_nothing() {
    assert_eq!(micro_batches(&[5, 100, 5], 20), [vec![1], vec![0, 2]]);
    assert_eq!(micro_batches(&[7, 7], 1), [[0], [1]]);
    assert!(micro_batches(&[], 10).is_empty());
    assert_eq!(Padding::of(&[], &[]).waste(), 0.0);
    assert_eq!(
        MicroBatching::new(2, 0).cut(&[1, 9, 1]),
        [vec![0, 1], vec![2]]
    );
    assert_eq!(
        MicroBatching::new(2, 9).cut(&[1, 9, 1]),
        [vec![1], vec![0, 2]]
    );
}

fn decoder(device: &Device) -> Decoder {
    Device::flex().seed(3);
    let mut config = DecoderConfig::new(23, 24, 40, 2, 4);
    config.initializer_range = 0.3;
    config.init(device).unwrap()
}

/// Prompts and responses with these lengths.
fn texts(lengths: &[(usize, usize)]) -> Vec<(Vec<u32>, Vec<u32>)> {
    let ids = |n: usize, salt: usize| (0..n).map(|t| ((t * 5 + salt * 11) % 23) as u32).collect();
    lengths
        .iter()
        .enumerate()
        .map(|(i, &(prompt, response))| (ids(prompt, i), ids(response, i + 7)))
        .collect()
}

fn sequences(texts: &[(Vec<u32>, Vec<u32>)]) -> Vec<Sequence<'_>> {
    texts
        .iter()
        .map(|(prompt, response)| Sequence { prompt, response })
        .collect()
}

/// Loss and gradients of one mini-batch.
fn loss(
    model: &Decoder,
    sequences: &[Sequence<'_>],
    micro: MicroBatching,
    aggregation: LossAggregation,
    threads: usize,
) -> (f64, Vec<f32>) {
    let lengths: Vec<usize> = sequences.iter().map(Sequence::tokens).collect();
    let totals = BatchTotals::of(sequences.iter().map(|s| s.response.len()));
    let parts: Vec<Vec<Sequence<'_>>> = micro
        .cut(&lengths)
        .iter()
        .map(|part| part.iter().map(|&i| sequences[i].clone()).collect())
        .collect();
    let done = accumulate_gradients(model, &parts, threads, |model, part| {
        let batch = micro.batch(part, model.vocab_size(), &Device::flex())?;
        let found = token_statistics(model, &batch, 0.8);
        let per_token = found.entropy.mul_scalar(0.3) - found.log_probs;
        let loss = aggregation.aggregate(per_token, batch.mask(), totals);
        let value = f64::from(loss.clone().inner().into_scalar::<f32>());
        Ok((loss, value))
    })
    .unwrap();
    (
        done.statistics.iter().sum(),
        gradients(model, &done.gradients),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn the_cut_changes_rounding_only(
        lengths in prop::collection::vec((1usize..9, 0usize..15), 1..8),
        budget in 1usize..90,
        seq_mean in any::<bool>(),
    ) {
        let texts = texts(&lengths);
        let sequences = sequences(&texts);
        let model = decoder(&Device::flex().autodiff());
        let whole = MicroBatching::Sequences(sequences.len());
        let cut = MicroBatching::Tokens(budget);

        let expected = log_probs(&model, &sequences, 0.8, whole, 1).unwrap();
        let found = log_probs(&model, &sequences, 0.8, cut, 1).unwrap();
        prop_assert_eq!(&found, &log_probs(&model, &sequences, 0.8, cut, 3).unwrap());
        for ((a, b), s) in found.iter().zip(&expected).zip(&sequences) {
            prop_assert_eq!(a.len(), s.response.len());
            prop_assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5), "{:?} {:?}", a, b);
        }

        let aggregation = if seq_mean {
            LossAggregation::SeqMeanTokenMean
        } else {
            LossAggregation::TokenMean
        };
        let expected = loss(&model, &sequences, whole, aggregation, 1);
        let found = loss(&model, &sequences, cut, aggregation, 1);
        prop_assert_eq!(&found, &loss(&model, &sequences, cut, aggregation, 2));
        prop_assert!((found.0 - expected.0).abs() < 1e-5, "{} {}", found.0, expected.0);
        prop_assert_eq!(found.1.len(), expected.1.len());
        for (a, b) in found.1.iter().zip(&expected.1) {
            prop_assert!((a - b).abs() < 2e-5, "{} instead of {}", a, b);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn packed_sequences_say_what_each_says_by_itself(
        lengths in prop::collection::vec((1usize..40, 0usize..60), 1..8),
        budget in 1usize..200,
    ) {
        let texts = texts(&lengths);
        let sequences = sequences(&texts);
        let (alone, packed) = (MicroBatching::Sequences(1), MicroBatching::Packed(budget));
        let model = decoder(&Device::flex().autodiff());

        let expected = log_probs(&model, &sequences, 0.8, alone, 1).unwrap();
        let found = log_probs(&model, &sequences, 0.8, packed, 1).unwrap();
        prop_assert_eq!(&found, &log_probs(&model, &sequences, 0.8, packed, 3).unwrap());
        for (a, b) in found.iter().zip(&expected) {
            prop_assert_eq!(a.len(), b.len());
            prop_assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5), "{:?} {:?}", a, b);
        }

        let expected = loss(&model, &sequences, alone, LossAggregation::TokenMean, 1);
        let found = loss(&model, &sequences, packed, LossAggregation::TokenMean, 1);
        prop_assert!((found.0 - expected.0).abs() < 1e-5, "{} {}", found.0, expected.0);
        for (a, b) in found.1.iter().zip(&expected.1) {
            prop_assert!((a - b).abs() < 1e-5 * b.abs().max(1.0), "{} instead of {}", a, b);
        }
    }
}

#[test]
fn a_model_that_does_not_know_packing_is_given_padded_rows() {
    let model = plain::Plain {
        inner: decoder(&Device::flex()),
    };
    let texts = texts(&[(3, 4), (1, 9), (5, 0), (2, 1)]);
    let sequences = sequences(&texts);
    let packed = log_probs(&model, &sequences, 1.0, MicroBatching::Packed(40), 1).unwrap();
    let alone = log_probs(&model, &sequences, 1.0, 1, 1).unwrap();
    assert_eq!(packed, alone);
}

#[test]
fn other_sequences_of_a_pack_are_not_seen() {
    let model = decoder(&Device::flex());
    let mut texts = texts(&[(3, 9), (4, 12), (2, 7)]);
    let of = |texts: &[(Vec<u32>, Vec<u32>)]| {
        log_probs(&model, &sequences(texts), 1.0, MicroBatching::Packed(99), 1).unwrap()
    };
    let before = of(&texts);
    texts[0].0[1] = 20;
    texts[2].1[3] = 21;
    let after = of(&texts);
    assert_ne!(before[0], after[0]);
    assert_eq!(before[1], after[1]);
    assert_ne!(before[2], after[2]);
}

#[test]
fn sequences_without_a_response_pass_through() {
    let model = decoder(&Device::flex().autodiff());
    let texts = texts(&[(3, 0), (1, 0)]);
    let sequences = sequences(&texts);
    for micro in [
        MicroBatching::Sequences(2),
        MicroBatching::Tokens(8),
        MicroBatching::Packed(8),
    ] {
        assert_eq!(
            log_probs(&model, &sequences, 1.0, micro, 1).unwrap(),
            [[0.0f32; 0]; 2]
        );
        let (value, gradients) = loss(&model, &sequences, micro, LossAggregation::TokenMean, 1);
        assert_eq!(value, 0.0);
        assert!(gradients.iter().all(|&g| g == 0.0));
    }
    let batch = SequenceBatch::new(&sequences, 23, &Device::flex()).unwrap();
    let found = token_statistics(&model, &batch, 1.0);
    assert!(found.log_probs.into_data().iter::<f32>().all(|l| l == 0.0));
}

#[test]
fn positions_outside_the_responses_are_zero() {
    let model = decoder(&Device::flex());
    let texts = texts(&[(3, 4), (1, 1), (5, 0)]);
    let batch = SequenceBatch::new(&sequences(&texts), 23, &Device::flex()).unwrap();
    let found = token_statistics(&model, &batch, 1.0);
    assert_eq!(found.hidden.dims(), [5, 24]);
    let mask = batch.mask().into_data();
    for values in [found.log_probs, found.entropy] {
        for (value, mask) in values.into_data().iter::<f32>().zip(mask.iter::<f32>()) {
            assert_eq!(value != 0.0, mask == 1.0);
        }
    }
}

#[test]
fn an_error_names_the_callers_sequence() {
    let model = decoder(&Device::flex());
    let mut texts = texts(&[(2, 3), (2, 9), (2, 5)]);
    texts[2].1[1] = 99;
    let error =
        log_probs(&model, &sequences(&texts), 1.0, MicroBatching::Tokens(7), 1).unwrap_err();
    assert!(
        matches!(error, PolicyError::Sequence { index: 2, .. }),
        "{error}"
    );
}

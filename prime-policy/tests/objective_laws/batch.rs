//! Random micro-batches that are a function of a seed, and gradients of a loss on them.

use burn::tensor::{Device, Tensor, TensorData};
use prime_policy::SampleKey;
use prime_policy::objective::{BatchTotals, LossAggregation, ObjectiveInput, PolicyObjective};

/// Uniform numbers of one stream.
pub struct Numbers {
    key: SampleKey,
    next: u64,
}

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self {
            key: SampleKey::new(seed, 0, 0, 0),
            next: 0,
        }
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        let unit = self.key.uniform(self.next);
        self.next += 1;
        low + unit * (high - low)
    }
}

/// One response a row, padded on both sides as `SequenceBatch` does.
#[derive(Debug, Clone)]
pub struct Batch {
    pub log_probs: Vec<Vec<f32>>,
    pub old_log_probs: Vec<Vec<f32>>,
    pub advantages: Vec<Vec<f32>>,
    pub weights: Vec<Vec<f32>>,
    pub mask: Vec<Vec<f32>>,
}

impl Batch {
    /// `spread` is how far the log-ratios go.
    pub fn random(seed: u64, spread: f64) -> Self {
        let mut numbers = Numbers::new(seed);
        let rows = numbers.between(1.0, 5.0) as usize;
        let window = numbers.between(1.0, 8.0) as usize;
        let mut batch = Self {
            log_probs: vec![],
            old_log_probs: vec![],
            advantages: vec![],
            weights: vec![],
            mask: vec![],
        };
        for row in 0..rows {
            let start = numbers.between(0.0, window as f64) as usize;
            // The first row is never empty.
            let least = if row == 0 { 1.0 } else { 0.0 };
            let length = numbers.between(least, (window - start) as f64 + 1.0) as usize;
            let inside = |t: usize| t >= start && t < start + length;
            let mut draw = |low, high| -> Vec<f32> {
                let draw = |t| {
                    let x = numbers.between(low, high);
                    if inside(t) { x as f32 } else { 0.0 }
                };
                (0..window).map(draw).collect()
            };
            let log_probs = draw(-3.0, -0.05);
            let difference = draw(-spread, spread);
            let old = log_probs.iter().zip(&difference);
            batch.old_log_probs.push(
                old.map(|(l, d)| (l - d).min(-0.01 * (*l != 0.0) as u8 as f32))
                    .collect(),
            );
            batch.log_probs.push(log_probs);
            batch.advantages.push(draw(-2.0, 2.0));
            batch.weights.push(draw(0.3, 2.0));
            let mask = |t| if inside(t) { 1.0 } else { 0.0 };
            batch.mask.push((0..window).map(mask).collect());
        }
        batch
    }

    /// π_θ = π_old.
    pub fn on_policy(seed: u64) -> Self {
        let batch = Self::random(seed, 1.0);
        Self {
            old_log_probs: batch.log_probs.clone(),
            ..batch
        }
    }

    /// One advantage a response, as outcome rewards give.
    pub fn with_one_advantage_a_response(mut self) -> Self {
        for row in &mut self.advantages {
            let one = row.iter().copied().find(|&a| a != 0.0).unwrap_or(0.0);
            for a in row.iter_mut().filter(|a| **a != 0.0) {
                *a = one;
            }
        }
        self
    }

    pub fn rows(&self) -> usize {
        self.mask.len()
    }

    pub fn tokens(&self) -> usize {
        self.mask.concat().iter().filter(|&&m| m == 1.0).count()
    }

    /// The batch of one row.
    pub fn row(&self, row: usize) -> Self {
        let one = |x: &[Vec<f32>]| vec![x[row].clone()];
        Self {
            log_probs: one(&self.log_probs),
            old_log_probs: one(&self.old_log_probs),
            advantages: one(&self.advantages),
            weights: one(&self.weights),
            mask: one(&self.mask),
        }
    }

    pub fn totals(&self) -> BatchTotals {
        let length = |row: &Vec<f32>| row.iter().sum::<f32>() as usize;
        BatchTotals::of(self.mask.iter().map(length))
    }

    /// The input, and the leaf that its log-probs are.
    pub fn input(&self) -> (ObjectiveInput, Tensor<2>) {
        let leaf = Tensor::from_inner(matrix(&self.log_probs)).require_grad();
        let [old, advantages, mask] =
            [&self.old_log_probs, &self.advantages, &self.mask].map(|x| matrix(x));
        (
            ObjectiveInput::new(leaf.clone(), old, advantages, mask),
            leaf,
        )
    }

    pub fn weighted_input(&self) -> (ObjectiveInput, Tensor<2>) {
        let (input, leaf) = self.input();
        (input.with_importance_weights(matrix(&self.weights)), leaf)
    }
}

pub fn matrix(rows: &[Vec<f32>]) -> Tensor<2> {
    let shape = [rows.len(), rows[0].len()];
    Tensor::from_data(TensorData::new(rows.concat(), shape), &Device::flex())
}

pub fn numbers(x: Tensor<2>) -> Vec<f32> {
    x.inner().into_data().iter().collect()
}

/// Loss of every token, and the gradient of their aggregate.
pub struct Outcome {
    pub token_loss: Vec<f32>,
    pub loss: f64,
    pub gradient: Vec<f32>,
    pub metrics: Vec<(&'static str, f64)>,
}

pub fn outcome(
    objective: &dyn PolicyObjective,
    (input, leaf): (ObjectiveInput, Tensor<2>),
    aggregation: LossAggregation,
    totals: BatchTotals,
) -> Outcome {
    let token_loss = objective.token_loss(&input);
    let per_token = numbers(token_loss.loss.clone());
    let loss = aggregation.aggregate(token_loss.loss, input.mask, totals);
    let value = loss.clone().inner().into_scalar::<f32>();
    Outcome {
        token_loss: per_token,
        loss: value.into(),
        gradient: numbers(leaf.grad(&loss.backward()).expect("the loss reads them")),
        metrics: token_loss.metric_sums,
    }
}

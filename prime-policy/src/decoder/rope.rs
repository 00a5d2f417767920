//! Rotary position angles.

use burn::tensor::{Device, Tensor, TensorData};

/// cos and sin of `position · theta^(−2d/head_dim)` for d < head_dim/2 (RoFormer, Hugging Face half-split layout).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rope {
    pub theta: f64,
    pub head_dim: usize,
}

impl Rope {
    /// Two `[positions.len(), head_dim/2]` tables.
    pub(crate) fn tables(
        &self,
        positions: impl ExactSizeIterator<Item = usize> + Clone,
        device: &Device,
    ) -> [Tensor<2>; 2] {
        let half = self.head_dim / 2;
        let rows = positions.len();
        let table = |f: fn(f64) -> f64| {
            let values: Vec<f32> = positions
                .clone()
                .flat_map(|position| {
                    (0..half).map(move |d| {
                        let exponent = -2.0 * d as f64 / self.head_dim as f64;
                        f(position as f64 * self.theta.powf(exponent)) as f32
                    })
                })
                .collect();
            Tensor::from_data(TensorData::new(values, [rows, half]), device)
        };
        [table(f64::cos), table(f64::sin)]
    }
}

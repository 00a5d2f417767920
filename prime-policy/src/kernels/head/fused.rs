//! The rows of a tile as vectorised loops that work in place, for the CPU backend.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::{Float, Int, Tensor, TensorData};

use super::super::math::{exp, max, vectorised};
use super::{Column, Kept, TileOfLogits};

fn primitive(tensor: Tensor<2>) -> FlexTensor {
    let tensor = tensor
        .try_into_primitive::<Flex>()
        .expect("RowKernels::of has checked the backend");
    tensor.to_contiguous()
}

fn data(tensor: &FlexTensor) -> &[f32] {
    let start = tensor.layout().start_offset();
    &tensor.storage::<f32>()[start..start + tensor.layout().num_elements()]
}

fn ids(targets: Tensor<1, Int>) -> Vec<i64> {
    targets.into_data().iter::<i64>().collect()
}

/// See [`super::RowKernels::absorb`].
pub(super) fn absorb(tile: TileOfLogits, running: Option<Tensor<2>>) -> Tensor<2> {
    let [rows, width] = tile.logits.dims();
    let device = tile.logits.device();
    let targets = ids(tile.targets);
    let mut logits = primitive(tile.logits);
    let first = running.is_none();
    let mut statistics = match running {
        Some(running) => data(&primitive(running)).to_vec(),
        None => [f32::NEG_INFINITY, 0.0, 0.0, f32::NAN].repeat(rows),
    };
    let start = tile.start as i64;
    let inverse = tile.inverse_temperature;
    vectorised(
        #[inline(always)]
        || {
            for ((row, running), &target) in logits
                .storage_mut::<f32>()
                .chunks_exact_mut(width)
                .zip(statistics.chunks_exact_mut(4))
                .zip(&targets)
            {
                for s in row.iter_mut() {
                    *s *= inverse;
                }
                if let Ok(local) = usize::try_from(target - start)
                    && local < width
                {
                    running[Column::Chosen as usize] = row[local];
                }
                let old_top = running[Column::Top as usize];
                let block_top = max(row);
                let top = if block_top > old_top {
                    block_top
                } else {
                    old_top
                };
                let (total, moment) = sums(row, top);
                let (old_total, old_moment) = (
                    running[Column::Total as usize],
                    running[Column::Moment as usize],
                );
                running[Column::Top as usize] = top;
                running[Column::Total as usize] = total;
                running[Column::Moment as usize] = moment;
                if !first {
                    let shift = old_top - top;
                    let factor = exp(shift);
                    running[Column::Total as usize] += factor * old_total;
                    running[Column::Moment as usize] += factor * (old_moment + old_total * shift);
                }
            }
        },
    );
    Tensor::from_data(TensorData::new(statistics, [rows, 4]), &device)
}

const LANES: usize = 16;

/// Σ e^(s − top) and Σ e^(s − top)·(s − top), in interleaved partial sums.
#[inline(always)]
fn sums(row: &[f32], top: f32) -> (f32, f32) {
    let (mut total, mut moment) = ([0.0f32; LANES], [0.0f32; LANES]);
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            let below = chunk[lane] - top;
            let weight = exp(below);
            total[lane] += weight;
            moment[lane] += weight * below;
        }
    }
    for (lane, s) in rest.iter().enumerate() {
        let below = s - top;
        let weight = exp(below);
        total[lane] += weight;
        moment[lane] += weight * below;
    }
    (total.iter().sum(), moment.iter().sum())
}

/// See [`super::RowKernels::gradient`].
pub(super) fn gradient(tile: TileOfLogits, kept: Tensor<2>, gradient: Tensor<2>) -> Tensor<2> {
    let width = tile.logits.dims()[1];
    let targets = ids(tile.targets);
    let mut logits = primitive(tile.logits);
    let (kept, gradient) = (primitive(kept), primitive(gradient));
    let start = tile.start as i64;
    let inverse = tile.inverse_temperature;
    vectorised(
        #[inline(always)]
        || {
            for (((row, kept), g), &target) in logits
                .storage_mut::<f32>()
                .chunks_exact_mut(width)
                .zip(data(&kept).chunks_exact(3))
                .zip(data(&gradient).chunks_exact(2))
                .zip(&targets)
            {
                let (for_log_prob, for_entropy) = (g[0] * inverse, g[1] * inverse);
                if for_log_prob == 0.0 && for_entropy == 0.0 {
                    row.fill(0.0);
                    continue;
                }
                let top = kept[Kept::Top as usize];
                let log_total = kept[Kept::LogTotal as usize];
                let entropy = kept[Kept::Entropy as usize];
                for s in row.iter_mut() {
                    let log_prob = *s * inverse - top - log_total;
                    *s = -exp(log_prob) * (for_log_prob + for_entropy * (log_prob + entropy));
                }
                if let Ok(local) = usize::try_from(target - start)
                    && local < width
                {
                    row[local] += for_log_prob;
                }
            }
        },
    );
    Tensor::<2, Float>::from_primitive::<Flex>(logits)
}

//! The rows of a tile in terms of burn's tensor operations, for any backend.

use burn::tensor::{Bool, IndexingUpdateOp, Int, Tensor};

use super::{Column, Kept, TileOfLogits};

fn column(of: &Tensor<2>, column: usize) -> Tensor<2> {
    of.clone().narrow(1, column, 1)
}

/// The target's column inside the tile (0 where it is elsewhere), and whether it is inside: both `[rows, 1]`.
fn local_targets(tile: &TileOfLogits) -> (Tensor<2, Int>, Tensor<2, Bool>) {
    let (start, width) = (tile.start as i64, tile.logits.dims()[1] as i64);
    let local = tile.targets.clone().sub_scalar(start).unsqueeze_dim(1);
    let outside = local
        .clone()
        .lower_scalar(0)
        .bool_or(local.clone().greater_equal_scalar(width));
    (local.mask_fill(outside.clone(), 0), outside.bool_not())
}

/// See [`super::RowKernels::absorb`].
pub(super) fn absorb(tile: TileOfLogits, running: Option<Tensor<2>>) -> Tensor<2> {
    let (local, inside) = local_targets(&tile);
    let scaled = tile.logits.mul_scalar(tile.inverse_temperature);
    let found = scaled.clone().gather(1, local);
    let block_top = scaled.clone().max_dim(1);
    let (top, before) = match &running {
        None => (block_top, None),
        Some(running) => {
            let old = column(running, Column::Top as usize);
            let top = old.clone().max_pair(block_top);
            (top.clone(), Some(old - top))
        }
    };
    let below = scaled - top.clone();
    let weights = below.clone().exp();
    let mut total = weights.clone().sum_dim(1);
    let mut moment = (weights * below).sum_dim(1);
    let mut chosen = found.clone().mask_fill(inside.clone().bool_not(), f32::NAN);
    if let (Some(running), Some(shift)) = (&running, before) {
        let factor = shift.clone().exp();
        let old_total = column(running, Column::Total as usize);
        let old_moment = column(running, Column::Moment as usize);
        total = total + factor.clone() * old_total.clone();
        moment = moment + factor * (old_moment + old_total * shift);
        chosen = column(running, Column::Chosen as usize).mask_where(inside, found);
    }
    Tensor::cat(vec![top, total, moment, chosen], 1)
}

/// See [`super::RowKernels::gradient`].
pub(super) fn gradient(tile: TileOfLogits, kept: Tensor<2>, gradient: Tensor<2>) -> Tensor<2> {
    let (local, inside) = local_targets(&tile);
    let gradient = gradient.mul_scalar(tile.inverse_temperature);
    let (for_log_prob, for_entropy) = (column(&gradient, 0), column(&gradient, 1));
    let log_probs = tile.logits.mul_scalar(tile.inverse_temperature)
        - column(&kept, Kept::Top as usize)
        - column(&kept, Kept::LogTotal as usize);
    let probs = log_probs.clone().exp();
    let slope =
        (log_probs + column(&kept, Kept::Entropy as usize)) * for_entropy + for_log_prob.clone();
    let at_target = for_log_prob.mask_fill(inside.bool_not(), 0.0);
    (probs * slope)
        .neg()
        .scatter(1, local, at_target, IndexingUpdateOp::Add)
}

//! Parts of the output shared among the cores.

use crate::kernels::threads;

/// Multiplications below which waking another thread costs more than it saves (some 30 µs of work).
pub(super) const PARALLEL: usize = 1 << 19;

/// [`threads::share`] on as many threads as `work` multiplications are worth.
pub(super) fn share<T: Send>(
    work: usize,
    parts: Vec<T>,
    worker: impl Fn(&mut dyn FnMut() -> Option<T>) + Sync,
) {
    let threads = if work < PARALLEL {
        1
    } else {
        threads::available()
    };
    threads::share(threads, parts, worker);
}

/// The rows of a `[batch·time, pairs·width]` matrix cut up by pairs: part `b·pairs + p` has the columns of pair p in
/// the rows of b.
pub(super) fn columns(
    matrix: &mut [f32],
    [batch, time, pairs, width]: [usize; 4],
) -> Vec<Vec<&mut [f32]>> {
    let mut parts: Vec<Vec<&mut [f32]>> = (0..batch * pairs)
        .map(|_| Vec::with_capacity(time))
        .collect();
    for (part, cut) in matrix.chunks_exact_mut(width).enumerate() {
        let (row, pair) = (part / pairs, part % pairs);
        parts[row / time * pairs + pair].push(cut);
    }
    parts
}

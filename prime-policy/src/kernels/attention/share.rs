//! Parts of the output shared among the cores.

use std::sync::{Mutex, PoisonError};

/// Multiplications below which waking another thread costs more than it saves (some 30 µs of work).
pub(super) const PARALLEL: usize = 1 << 19;

/// Runs `worker` on as many threads as `work` multiplications are worth. It asks for one part after another, so that
/// what it prepares, it prepares once a thread.
pub(super) fn share<T: Send>(
    work: usize,
    parts: Vec<T>,
    worker: impl Fn(&mut dyn FnMut() -> Option<T>) + Sync,
) {
    let threads = if work < PARALLEL {
        1
    } else {
        rayon::current_num_threads().min(parts.len())
    };
    let mut parts = parts.into_iter();
    if threads <= 1 {
        return worker(&mut || parts.next());
    }
    let queue = Mutex::new(parts);
    let work = || {
        worker(&mut || queue.lock().unwrap_or_else(PoisonError::into_inner).next());
    };
    rayon::in_place_scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|_| work());
        }
        work();
    });
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

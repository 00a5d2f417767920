//! Parts of the output shared among the cores.

use crate::kernels::{Ragged, threads};

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

/// The rows of a `[tokens, pairs·width]` matrix cut up by pairs: part `s·pairs + p` has the columns of pair p in the rows
/// of sequence s.
pub(super) fn columns<'a>(
    matrix: &'a mut [f32],
    ragged: &Ragged,
    [pairs, width]: [usize; 2],
) -> Vec<Vec<&'a mut [f32]>> {
    let mut parts = Vec::with_capacity(ragged.sequences() * pairs);
    let mut cuts = matrix.chunks_exact_mut(width);
    for rows in ragged.all() {
        let first = parts.len();
        parts.extend((0..pairs).map(|_| Vec::with_capacity(rows.len())));
        for _ in rows {
            for (part, cut) in parts[first..].iter_mut().zip(cuts.by_ref().take(pairs)) {
                part.push(cut);
            }
        }
    }
    parts
}

/// A vector that has `each` numbers for every token cut up by sequences and, within each, into `pairs` equal parts.
pub(super) fn cut_up<'a>(
    mut values: &'a mut [f32],
    ragged: &Ragged,
    [pairs, each]: [usize; 2],
) -> Vec<&'a mut [f32]> {
    let mut parts = Vec::with_capacity(ragged.sequences() * pairs);
    for rows in ragged.all() {
        for _ in 0..pairs {
            let (part, rest) = values.split_at_mut(rows.len() * each / pairs);
            parts.push(part);
            values = rest;
        }
    }
    parts
}

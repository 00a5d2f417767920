//! One piece of work per response: on one core, or on all with the feature `rayon`.
//!
//! A response's result depends on nothing but its own piece, and what is summed over
//! responses is summed afterwards, in order: the bits are the same on any number of cores.

#[cfg(feature = "rayon")]
pub(crate) fn map<T: Send, R: Send>(
    items: Vec<T>,
    work: impl Fn(usize, T) -> R + Sync + Send,
) -> Vec<R> {
    use rayon::prelude::*;
    let indexed = items.into_par_iter().enumerate();
    indexed.map(|(i, item)| work(i, item)).collect()
}

#[cfg(not(feature = "rayon"))]
pub(crate) fn map<T, R>(items: Vec<T>, work: impl Fn(usize, T) -> R) -> Vec<R> {
    let indexed = items.into_iter().enumerate();
    indexed.map(|(i, item)| work(i, item)).collect()
}

//! How many threads a kernel may use, and work shared among them.
//!
//! Batches are worked on side by side by a few threads ([`crate::parallel`]); a kernel inside one of them shares the
//! cores with the others, and would only take turns with them if it used all cores itself.

use std::cell::Cell;
#[cfg(feature = "flex")]
use std::sync::{Mutex, PoisonError};

thread_local! {
    static NEIGHBOURS: Cell<usize> = const { Cell::new(1) };
}

/// Threads for one kernel on this thread, at least 1.
#[cfg(feature = "flex")]
pub(crate) fn available() -> usize {
    (rayon::current_num_threads() / NEIGHBOURS.get()).max(1)
}

/// Runs `worker` on so many threads, this one included. It asks for one part after another, so that what it prepares, it
/// prepares once a thread.
#[cfg(feature = "flex")]
pub(crate) fn share<T: Send>(
    threads: usize,
    parts: Vec<T>,
    worker: impl Fn(&mut dyn FnMut() -> Option<T>) + Sync,
) {
    let threads = threads.min(parts.len());
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

/// Runs `f` on a thread that is one of `workers`, itself included, which are all busy.
pub(crate) fn beside<R>(workers: usize, f: impl FnOnce() -> R) -> R {
    struct Restore(usize);
    impl Drop for Restore {
        fn drop(&mut self) {
            NEIGHBOURS.set(self.0);
        }
    }
    let before = NEIGHBOURS.get();
    let _restore = Restore(before);
    NEIGHBOURS.set(before.saturating_mul(workers.max(1)));
    f()
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;

    #[test]
    fn workers_share_the_cores() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(6).build();
        pool.unwrap().install(|| {
            assert_eq!(available(), 6);
            let inner = beside(2, || (available(), beside(2, available), available()));
            assert_eq!(inner, (3, 1, 3));
            let _ = std::panic::catch_unwind(|| beside(3, || panic!("inside")));
            assert_eq!(available(), 6);
        });
    }
}

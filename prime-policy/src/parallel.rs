//! Work over a fixed list of pieces on several threads, with results that do not depend on how many.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;

use crate::error::PolicyError;

/// `f` of every item, in order. Thread i takes items i, i + threads, …; the first error in item order is returned.
///
/// # Errors
/// Whatever `f` returns.
pub fn map<T: Sync, R: Send, E: Send>(
    threads: usize,
    items: &[T],
    f: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let threads = threads.clamp(1, items.len().max(1));
    if threads == 1 {
        return items.iter().map(f).collect();
    }
    let f = |item: &T| crate::kernels::threads::beside(threads, || f(item));
    let f = &f;
    let mut slots: Vec<Option<Result<R, E>>> = Vec::new();
    slots.resize_with(items.len(), || None);
    let share = |first: usize| {
        items
            .iter()
            .enumerate()
            .skip(first)
            .step_by(threads)
            .map(|(i, item)| (i, f(item)))
            .collect()
    };
    std::thread::scope(|scope| {
        let share = &share;
        let workers: Vec<_> = (1..threads)
            .map(|first| scope.spawn(move || share(first)))
            .collect();
        let mut done: Vec<Vec<(usize, Result<R, E>)>> = vec![share(0)];
        for worker in workers {
            match worker.join() {
                Ok(part) => done.push(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        for (i, result) in done.into_iter().flatten() {
            slots[i] = Some(result);
        }
    });
    slots.into_iter().flatten().collect()
}

/// Gradients of a sum of losses over micro-batches, and what each micro-batch had to say.
#[derive(Debug)]
pub struct Accumulated<S> {
    /// ∂(Σ losses)/∂parameters.
    pub gradients: GradientsParams,
    /// One entry per micro-batch, in order.
    pub statistics: Vec<S>,
}

/// The loss of one micro-batch.
#[derive(Debug)]
pub struct MicroBatchLoss<S> {
    /// A scalar that is already divided by whatever the whole mini-batch is averaged over.
    pub loss: Tensor<1>,
    /// Gradients that were computed on the way (see [`HeadLoss`](crate::HeadLoss)), to be added to those of `loss`.
    pub extra: Option<GradientsParams>,
    /// What to report.
    pub statistics: S,
}

/// Back-propagates `loss` for every micro-batch, on up to `threads` threads, and sums the gradients in the order of
/// the micro-batches: the sum has the same bits whatever `threads` is.
///
/// `loss` gets its own copy of the model (sharing no autodiff graph with the others) and returns a scalar loss that
/// is already divided by whatever the whole mini-batch is averaged over.
///
/// # Errors
/// What `loss` returns; [`PolicyError::NotFinite`] for a loss that is not finite.
pub fn accumulate_gradients<M: Module + Sync, T: Sync, S: Send>(
    model: &M,
    micro_batches: &[T],
    threads: usize,
    loss: impl Fn(&M, &T) -> Result<(Tensor<1>, S), PolicyError> + Sync,
) -> Result<Accumulated<S>, PolicyError> {
    accumulate_losses(model, micro_batches, threads, |model, micro_batch| {
        let (loss, statistics) = loss(model, micro_batch)?;
        Ok(MicroBatchLoss {
            loss,
            extra: None,
            statistics,
        })
    })
}

/// [`accumulate_gradients`] for losses that bring a part of their gradient with them.
///
/// # Errors
/// Those of [`accumulate_gradients`].
pub fn accumulate_losses<M: Module + Sync, T: Sync, S: Send>(
    model: &M,
    micro_batches: &[T],
    threads: usize,
    loss: impl Fn(&M, &T) -> Result<MicroBatchLoss<S>, PolicyError> + Sync,
) -> Result<Accumulated<S>, PolicyError> {
    let numbered: Vec<(usize, &T)> = micro_batches.iter().enumerate().collect();
    let turns = Turns::new(GradientsAccumulator::new());
    let statistics = map(threads, &numbered, |&(number, micro_batch)| {
        let turn = turns.after(number);
        let device = model.devices().first().cloned().unwrap_or_default();
        let own = model.clone().fork(&device);
        let MicroBatchLoss {
            loss,
            extra,
            statistics,
        } = loss(&own, micro_batch)?;
        let scalar = loss.clone().inner().into_scalar::<f32>();
        if !scalar.is_finite() {
            return Err(PolicyError::NotFinite {
                what: "loss",
                value: f64::from(scalar),
                at: String::new(),
            });
        }
        let gradients = GradientsParams::from_grads(loss.backward(), &own);
        turn.take(|accumulator| {
            accumulator.accumulate(model, gradients);
            if let Some(extra) = extra {
                accumulator.accumulate(model, extra);
            }
        });
        Ok(statistics)
    })?;
    Ok(Accumulated {
        gradients: turns.into_inner().grads(),
        statistics,
    })
}

/// Something that workers change one after the other, in the order of their numbers. Each waits for its turn with what it
/// has to add, so that no more is held than one addition a thread.
struct Turns<T> {
    /// What is changed, and whose turn it is.
    state: Mutex<(T, usize)>,
    changed: Condvar,
}

/// A number's turn. It passes to the next number when this is dropped, whether it was taken or not.
struct Turn<'a, T> {
    turns: &'a Turns<T>,
    number: usize,
}

impl<T> Turns<T> {
    fn new(value: T) -> Self {
        Self {
            state: Mutex::new((value, 0)),
            changed: Condvar::new(),
        }
    }

    /// The turn of `number`, which comes after those of all smaller numbers. Each number has to be asked for once.
    fn after(&self, number: usize) -> Turn<'_, T> {
        Turn {
            turns: self,
            number,
        }
    }

    fn wait(&self, number: usize) -> MutexGuard<'_, (T, usize)> {
        let guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed
            .wait_while(guard, |(_, turn)| *turn < number)
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn into_inner(self) -> T {
        let state = self.state.into_inner();
        state.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl<T> Turn<'_, T> {
    fn take(self, change: impl FnOnce(&mut T)) {
        change(&mut self.turns.wait(self.number).0);
    }
}

impl<T> Drop for Turn<'_, T> {
    fn drop(&mut self) {
        let turns = self.turns;
        if std::thread::panicking() {
            // This thread's other numbers will not come: nobody waits for them, and the panic goes on to the caller.
            let mut guard = turns.state.lock().unwrap_or_else(PoisonError::into_inner);
            guard.1 = usize::MAX;
        } else {
            let mut guard = turns.wait(self.number);
            guard.1 = guard.1.max(self.number + 1);
        }
        turns.changed.notify_all();
    }
}

/// The Euclidean norm of all gradients together.
pub(crate) fn global_norm<M: Module>(model: &M, gradients: &GradientsParams) -> f64 {
    struct Norm<'a> {
        gradients: &'a GradientsParams,
        squares: f64,
    }
    impl ModuleVisitor for Norm<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.get::<D>(param.id) {
                let data = gradient.into_data();
                self.squares += data
                    .iter::<f32>()
                    .map(|g| f64::from(g).powi(2))
                    .sum::<f64>();
            }
        }
    }
    let mut norm = Norm {
        gradients,
        squares: 0.0,
    };
    model.visit(&mut norm);
    norm.squares.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_in_order_whoever_is_first() {
        for threads in 1..5 {
            let numbers: Vec<usize> = (0..40).collect();
            let turns = Turns::new(vec![]);
            let done = map(threads, &numbers, |&number| {
                let turn = turns.after(number);
                // Every third has nothing to add.
                if number % 3 == 0 {
                    return Err(number);
                }
                std::thread::sleep(std::time::Duration::from_micros(((number * 7) % 5) as u64));
                turn.take(|list| list.push(number));
                Ok(())
            });
            assert_eq!(done, Err(0));
            let expected: Vec<usize> = match threads {
                // One thread stops at the first error.
                1 => vec![],
                _ => (0..40).filter(|n| n % 3 != 0).collect(),
            };
            assert_eq!(turns.into_inner(), expected);
        }
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let numbers: Vec<usize> = (0..8).collect();
        let turns = Turns::new(0);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            map(2, &numbers, |&number| {
                let turn = turns.after(number);
                assert!(number != 2, "the third is broken");
                turn.take(|sum| *sum += 1);
                Ok::<_, ()>(())
            })
        }));
        assert!(caught.is_err());
    }
}

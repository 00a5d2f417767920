//! The last state of each run that is whole, for another thread to save while a step is under way.
//!
//! A step, an evaluation or a preflight can take longer than what a machine gives a process to end. What was before it is still
//! there: a step works on a copy. So it is saved from beside the loop, and what the loop is at is lost.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use prime_policy::Decoder;

use crate::checkpoint::{About, Checkpoints};
use crate::error::TrainError;
use crate::step::Learner;

/// What a run gives away of itself.
pub(super) struct Rescue(Arc<Mutex<Kept>>);

struct Kept {
    checkpoints: Checkpoints,
    about: About,
    /// The state that the records end with; nothing while it is the one that was saved last.
    learner: Option<Learner<Decoder>>,
    saved: PathBuf,
}

static RUNS: Mutex<Vec<Weak<Mutex<Kept>>>> = Mutex::new(vec![]);

impl Rescue {
    /// Of a run whose state is in `saved`.
    pub(super) fn new(checkpoints: &Checkpoints, about: &About, saved: PathBuf) -> Self {
        let kept = Arc::new(Mutex::new(Kept {
            checkpoints: checkpoints.clone(),
            about: about.clone(),
            learner: None,
            saved,
        }));
        let mut runs = locked(&RUNS);
        runs.retain(|run| run.strong_count() > 0);
        runs.push(Arc::downgrade(&kept));
        Self(kept)
    }

    /// A step is done and its record written.
    pub(super) fn advance(&self, learner: &Learner<Decoder>) {
        locked(&self.0).learner = Some(learner.clone());
    }

    /// Saves what the run is at.
    pub(super) fn save(&self, learner: &Learner<Decoder>) -> Result<PathBuf, TrainError> {
        let mut kept = locked(&self.0);
        kept.learner = Some(learner.clone());
        kept.save()
    }
}

impl Kept {
    fn save(&mut self) -> Result<PathBuf, TrainError> {
        if let Some(learner) = &self.learner {
            self.saved = self.checkpoints.save(learner, &self.about)?;
            self.learner = None;
        }
        Ok(self.saved.clone())
    }
}

/// Saves every run of this process as it was after its last record, and returns where. No run goes on from here: what would
/// be saved later waits for ever.
pub(crate) fn save_all() -> Vec<Result<PathBuf, TrainError>> {
    let runs: Vec<_> = locked(&RUNS).iter().filter_map(Weak::upgrade).collect();
    runs.iter()
        .map(|run| {
            let mut kept = locked(run);
            let saved = kept.save();
            // The process is about to end: the loop must not replace what was saved.
            std::mem::forget(kept);
            saved
        })
        .collect()
}

static LEFT: AtomicUsize = AtomicUsize::new(0);

/// While it lives, what is under way changes nothing of a run and is not waited for.
pub(super) struct MayBeLeft(());

pub(super) fn may_be_left() -> MayBeLeft {
    LEFT.fetch_add(1, Ordering::Relaxed);
    MayBeLeft(())
}

impl Drop for MayBeLeft {
    fn drop(&mut self) {
        LEFT.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether there is a run to save.
pub(crate) fn any() -> bool {
    locked(&RUNS).iter().any(|run| run.strong_count() > 0)
}

/// Whether there is nothing to wait for: every run is at work that changes nothing.
pub(crate) fn can_be_left() -> bool {
    let runs = locked(&RUNS);
    let runs = runs.iter().filter(|run| run.strong_count() > 0).count();
    runs > 0 && LEFT.load(Ordering::Relaxed) >= runs
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

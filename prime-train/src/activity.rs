//! What the process is doing right now, for whoever shows it: a noticeboard.
//!
//! Those who work write on it, and neither print nor wait; nothing that is computed depends on it. Without anybody who looks
//! ([`watch`]) nothing is kept. A process has one board: it is for commands that do one thing at a time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use prime_policy::{StreamControl, TokenEvent};

/// A stretch of work.
#[derive(Debug, Clone)]
pub(crate) struct Phase {
    /// What is done.
    pub(crate) name: &'static str,
    /// What is counted.
    pub(crate) unit: &'static str,
    /// How many there are; 0 if nobody knows, or nothing is counted.
    pub(crate) of: u64,
    /// When it began.
    pub(crate) since: Instant,
    /// The numbers of the moment.
    pub(crate) message: String,
}

static WATCHED: AtomicBool = AtomicBool::new(false);
static PHASE: Mutex<Option<Phase>> = Mutex::new(None);
static DONE: AtomicU64 = AtomicU64::new(0);
static TOKENS: AtomicU64 = AtomicU64::new(0);

fn locked() -> MutexGuard<'static, Option<Phase>> {
    PHASE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watched() -> bool {
    WATCHED.load(Ordering::Relaxed)
}

/// Somebody looks from now on, or no longer.
pub(crate) fn watch(looks: bool) {
    *locked() = None;
    WATCHED.store(looks, Ordering::Relaxed);
}

/// Work of `of` parts begins.
pub(crate) fn phase(name: &'static str, unit: &'static str, of: u64) {
    if !watched() {
        return;
    }
    DONE.store(0, Ordering::Relaxed);
    TOKENS.store(0, Ordering::Relaxed);
    *locked() = Some(Phase {
        name,
        unit,
        of,
        since: Instant::now(),
        message: String::new(),
    });
}

/// `more` parts of it are done.
pub(crate) fn done(more: u64) {
    if watched() {
        DONE.fetch_add(more, Ordering::Relaxed);
    }
}

/// The numbers of the moment.
pub(crate) fn message(text: &str) {
    if !watched() {
        return;
    }
    if let Some(phase) = locked().as_mut() {
        text.clone_into(&mut phase.message);
    }
}

/// A token was sampled; it was the `last` of its response or not.
pub(crate) fn token(last: bool) {
    if watched() {
        TOKENS.fetch_add(1, Ordering::Relaxed);
        DONE.fetch_add(u64::from(last), Ordering::Relaxed);
    }
}

/// A sampled token, for [`GenerationRequest::on_token`](prime_policy::GenerationRequest::on_token).
pub(crate) fn noticed(event: &TokenEvent<'_>) -> StreamControl {
    token(event.finish.is_some());
    StreamControl::Continue
}

/// The phase with the parts that are done and the tokens that were sampled in it.
pub(crate) fn now() -> Option<(Phase, u64, u64)> {
    let phase = locked().clone()?;
    let (done, tokens) = (DONE.load(Ordering::Relaxed), TOKENS.load(Ordering::Relaxed));
    Some((phase, done, tokens))
}

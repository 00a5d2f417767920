//! What ends a process from outside: Ctrl-C, and the signals of schedulers.
//!
//! SIGTERM, SIGHUP and SIGUSR1 (which batch systems send ahead of a limit) end at once: the step under way is abandoned and the
//! state before it saved. The first Ctrl-C lets a step finish, the second is like SIGTERM, the third waits for nothing.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::run::{INTERRUPTED, rescue};
use crate::view;

/// The exit code after Ctrl-C.
const INTERRUPT: i32 = 130;

static TIMES: AtomicUsize = AtomicUsize::new(0);

/// Takes over the signals of the process. `last_words` is what is still done after the first Ctrl-C; nothing if there is
/// nothing to wait for.
///
/// # Errors
/// What the system says against it.
pub fn handle(last_words: Option<&'static str>) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP, SIGUSR1])?;
        std::thread::spawn(move || {
            for signal in signals.forever() {
                match signal {
                    SIGINT => interrupt(last_words),
                    SIGTERM => end("SIGTERM", 128 + SIGTERM, last_words),
                    SIGHUP => end("SIGHUP", 128 + SIGHUP, last_words),
                    _ => end("SIGUSR1", 128 + SIGUSR1, last_words),
                }
            }
        });
        Ok(())
    }
    #[cfg(not(unix))]
    ctrlc::set_handler(move || interrupt(last_words)).map_err(std::io::Error::other)
}

fn interrupt(last_words: Option<&'static str>) {
    INTERRUPTED.store(true, Ordering::Relaxed);
    let times = TIMES.fetch_add(1, Ordering::Relaxed);
    match last_words {
        // An evaluation changes nothing: the step before it is taken again.
        Some(_) if times == 0 && rescue::can_be_left() => end("Ctrl-C", INTERRUPT, last_words),
        Some(doing) if times == 0 => {
            let again = match rescue::any() {
                true => "abandon the step and save what was before it",
                false => "stop at once",
            };
            view::say(&format!("interrupted: {doing} (again to {again})"));
        }
        Some(_) if times == 1 && rescue::any() => {
            // Beside this thread, so that the third is heard.
            std::thread::spawn(move || end("Ctrl-C", INTERRUPT, last_words));
        }
        _ => leave(INTERRUPT),
    }
}

/// Saves what there is and leaves.
fn end(by: &str, code: i32, last_words: Option<&'static str>) {
    INTERRUPTED.store(true, Ordering::Relaxed);
    if last_words.is_none() {
        leave(code);
    }
    let saved = rescue::save_all();
    if saved.is_empty() {
        // A warm-up, or an output: the thread that is at it stops by itself, and cleans up.
        view::say(&format!("interrupted by {by}"));
        std::thread::sleep(std::time::Duration::from_secs(5));
        leave(code);
    }
    for outcome in saved {
        match outcome {
            Ok(path) => view::say(&format!(
                "interrupted by {by}: what was under way is abandoned; the state is in {}",
                path.display()
            )),
            Err(error) => view::say(&format!("interrupted by {by}; not saved: {error}")),
        }
    }
    leave(code);
}

fn leave(code: i32) -> ! {
    view::leave();
    std::process::exit(code)
}

//! How a run shows itself on the console: a panel that stays at the bottom of a terminal, plain lines, or nothing.
//!
//! What is being done comes from `activity`, what was measured from the run's records. The panel is drawn
//! by a thread of its own, four times a second; in plain lines that thread speaks only when nobody has for half a minute.
//! A terminal is never put into another mode, so there is nothing to restore: Ctrl-C stays a signal, the cursor stays
//! visible, and what was said stays above the panel.

mod board;
mod panel;
mod terminal;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::activity;
use crate::metrics::StepMetrics;
use board::Board;
use terminal::Terminal;

/// What is shown while a run goes on, on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ProgressMode {
    /// The panel on a terminal, else plain lines.
    #[default]
    Auto,
    /// A panel at the bottom of the terminal; plain lines where there is none.
    Live,
    /// A line now and then.
    Plain,
    /// Only notes, warnings and the end.
    None,
}

/// How often the panel is drawn.
const FRAME: Duration = Duration::from_millis(250);
/// Nobody has to wait longer for a line.
const QUIET: Duration = Duration::from_secs(30);
/// Columns below which a panel says too little.
const NARROWEST: u16 = 40;

struct Shown {
    mode: ProgressMode,
    board: Mutex<Board>,
    terminal: Option<Terminal>,
    /// When something was last said.
    said: Mutex<Instant>,
    over: AtomicBool,
}

static SHOWN: Mutex<Option<Arc<Shown>>> = Mutex::new(None);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shown() -> Option<Arc<Shown>> {
    lock(&SHOWN).clone()
}

/// How progress is shown right now: `None` outside of a [`View`], never [`ProgressMode::Auto`].
pub(crate) fn mode() -> Option<ProgressMode> {
    shown().map(|shown| shown.mode)
}

/// A line for the user: above the panel, if there is one. A console that cannot be written to is no reason to stop.
pub fn say(line: &str) {
    match shown() {
        Some(shown) => shown.say(line),
        None => write_line(line),
    }
}

/// The step that is taken now.
pub(crate) fn step(number: u64) {
    if let Some(shown) = shown() {
        lock(&shown.board).step = number;
    }
}

/// What was measured.
pub(crate) fn record(record: &StepMetrics) {
    if let Some(shown) = shown() {
        lock(&shown.board).record(record);
    }
}

/// Puts the panel to rest where it stands, so that what comes next is below it. For the last words of a process.
pub fn leave() {
    if let Some(shown) = shown()
        && let Some(terminal) = &shown.terminal
    {
        terminal.leave();
    }
}

fn write_line(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn resolved(wanted: ProgressMode) -> ProgressMode {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let terminal = std::io::stderr().is_terminal() && !dumb && terminal::columns() >= NARROWEST;
    match wanted {
        ProgressMode::Auto | ProgressMode::Live if terminal => ProgressMode::Live,
        ProgressMode::Auto | ProgressMode::Live => ProgressMode::Plain,
        other => other,
    }
}

/// A run that is shown, until this is dropped.
pub struct View {
    shown: Arc<Shown>,
    thread: Option<JoinHandle<()>>,
}

impl View {
    /// Begins to show the run in `folder`, which will take `steps` steps.
    pub fn start(wanted: ProgressMode, folder: &Path, steps: u64) -> Self {
        let mode = resolved(wanted);
        let shown = Arc::new(Shown {
            mode,
            board: Mutex::new(Board::new(folder.display().to_string(), steps)),
            terminal: (mode == ProgressMode::Live).then(Terminal::new),
            said: Mutex::new(Instant::now()),
            over: AtomicBool::new(false),
        });
        *lock(&SHOWN) = Some(Arc::clone(&shown));
        activity::watch(mode != ProgressMode::None);
        activity::phase("starting", "", 0);
        if mode == ProgressMode::Live {
            below_the_panel_on_panic();
        }
        let thread = (mode != ProgressMode::None).then(|| {
            let shown = Arc::clone(&shown);
            std::thread::spawn(move || shown.follow())
        });
        Self { shown, thread }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.shown.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It draws and sleeps: nothing in it is worth a second error.
            let _ = thread.join();
        }
        activity::watch(false);
        if let Some(terminal) = &self.shown.terminal {
            terminal.draw(&lock(&self.shown.board));
            terminal.leave();
        }
        *lock(&SHOWN) = None;
    }
}

impl Shown {
    fn say(&self, line: &str) {
        *lock(&self.said) = Instant::now();
        lock(&self.board).said(line);
        match &self.terminal {
            Some(terminal) => terminal.say(line),
            None => write_line(line),
        }
    }

    /// The thread: draws, or breaks a long silence.
    fn follow(&self) {
        while !self.over.load(Ordering::Relaxed) {
            match &self.terminal {
                Some(terminal) => terminal.draw(&lock(&self.board)),
                None if lock(&self.said).elapsed() >= QUIET => {
                    let line = lock(&self.board).line();
                    match line {
                        Some(line) => self.say(&line),
                        None => *lock(&self.said) = Instant::now(),
                    }
                }
                None => {}
            }
            std::thread::park_timeout(FRAME);
        }
    }
}

/// The message of a panic comes below the panel.
fn below_the_panel_on_panic() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            leave();
            before(panic);
        }));
    });
}

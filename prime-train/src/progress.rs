//! Progress of long work: a bar on a terminal, plain lines in a log; within a [`View`](crate::view::View) what that shows.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::activity;
use crate::view::{self, ProgressMode};

/// Shows how far a piece of work has come, on standard error so that results can be piped.
pub struct Progress {
    shown: Shown,
}

enum Shown {
    Bar(ProgressBar),
    Lines(Lines),
    /// The panel shows it.
    Board {
        label: String,
    },
    Nothing,
}

/// Lines at most every tenth of the work or every half minute, whichever comes first; for bytes the latter only.
struct Lines {
    out: Box<dyn Write + Send>,
    label: String,
    unit: Unit,
    total: u64,
    done: u64,
    said: u64,
    last: Instant,
}

/// What is counted.
#[derive(Clone, Copy, PartialEq)]
enum Unit {
    /// Few and large: each tenth is news.
    Parts,
    /// Many, of work that is often over at once.
    Bytes,
}

const QUIET: Duration = Duration::from_secs(30);

impl Progress {
    /// Starts work of `total` parts.
    pub fn new(label: &str, total: u64) -> Self {
        Self::start(label, total, Unit::Parts)
    }

    /// Starts `total` steps of training, which a panel shows by itself.
    pub fn training(total: u64) -> Self {
        match view::mode() {
            Some(ProgressMode::Live) => Progress {
                shown: Shown::Nothing,
            },
            _ => Self::new("training", total),
        }
    }

    /// Starts work on `total` bytes.
    pub fn bytes(label: &str, total: u64) -> Self {
        Self::start(label, total, Unit::Bytes)
    }

    fn start(label: &str, total: u64, unit: Unit) -> Self {
        let err = std::io::stderr();
        match view::mode() {
            Some(ProgressMode::Live) => {
                let label = label.to_owned();
                return Progress {
                    shown: Shown::Board { label },
                };
            }
            Some(ProgressMode::None) => {
                return Progress {
                    shown: Shown::Nothing,
                };
            }
            Some(_) => return Self::in_lines(label, total, unit, Box::new(Said::default())),
            None => {}
        }
        if !err.is_terminal() {
            return Self::in_lines(label, total, unit, Box::new(err));
        }
        let bar = ProgressBar::new(total);
        let count = match unit {
            Unit::Parts => "{pos}/{len}",
            Unit::Bytes => "{bytes}/{total_bytes}",
        };
        let template = format!("{{prefix:>10}} {{bar:32.cyan/dim}} {count} {{msg}} ({{eta}} left)");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        bar.set_prefix(label.to_string());
        Progress {
            shown: Shown::Bar(bar),
        }
    }

    /// Plain lines to `out`, terminal or not.
    pub fn lines(label: &str, total: u64, out: Box<dyn Write + Send>) -> Self {
        Self::in_lines(label, total, Unit::Parts, out)
    }

    fn in_lines(label: &str, total: u64, unit: Unit, out: Box<dyn Write + Send>) -> Self {
        Progress {
            shown: Shown::Lines(Lines {
                out,
                label: label.to_string(),
                unit,
                total,
                done: 0,
                said: 0,
                last: Instant::now(),
            }),
        }
    }

    /// One part more is done; `message` holds the numbers of the moment.
    pub fn tick(&mut self, message: &str) {
        self.advance(1, message);
    }

    /// `more` parts or bytes are done.
    pub fn advance(&mut self, more: u64, message: &str) {
        match &mut self.shown {
            Shown::Bar(bar) => {
                bar.set_message(message.to_string());
                bar.inc(more);
            }
            Shown::Board { .. } => {
                activity::message(message);
                activity::done(more);
            }
            Shown::Nothing => {}
            Shown::Lines(lines) => {
                lines.done += more;
                let tenth = lines.total.div_ceil(10).max(1);
                let news = lines.done - lines.said >= tenth || lines.done == lines.total;
                if (news && lines.unit == Unit::Parts) || lines.last.elapsed() >= QUIET {
                    lines.say(message);
                }
            }
        }
    }

    /// A line of its own, above the bar.
    pub fn note(&mut self, line: &str) {
        match &mut self.shown {
            Shown::Bar(bar) => bar.println(line),
            Shown::Lines(lines) => lines.line(line),
            Shown::Board { .. } | Shown::Nothing => view::say(line),
        }
    }

    /// The work is over; leaves `message` standing.
    pub fn finish(mut self, message: &str) {
        match &mut self.shown {
            Shown::Bar(bar) => bar.finish_with_message(message.to_string()),
            Shown::Lines(lines) => {
                let text = format!("{}: {message}", lines.label);
                lines.line(&text);
            }
            Shown::Board { label } => view::say(&format!("{label}: {message}")),
            Shown::Nothing => {}
        }
    }
}

/// Lines that the console is told of, so that it knows that somebody speaks.
#[derive(Default)]
struct Said(Vec<u8>);

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        while let Some(end) = self.0.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.0.drain(..=end).collect();
            view::say(String::from_utf8_lossy(&line).trim_end());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn say(&mut self, message: &str) {
        self.said = self.done;
        self.last = Instant::now();
        let count = match self.unit {
            Unit::Parts => format!("{}/{}", self.done, self.total),
            Unit::Bytes => format!("{} %", 100 * self.done / self.total.max(1)),
        };
        let text = format!("{} {count} {message}", self.label);
        self.line(&text);
    }

    fn line(&mut self, text: &str) {
        // A log that cannot be written to is no reason to stop the work.
        let _ = writeln!(self.out, "{}", text.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_gets_a_line_every_tenth() {
        let log = Log::default();
        let mut progress = Progress::lines("train", 25, Box::new(log.clone()));
        for step in 1..=25 {
            progress.tick(&format!("acc {step}"));
        }
        progress.note("saved");
        progress.finish("done");
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.first(), Some(&"train 3/25 acc 3"));
        assert_eq!(
            lines[lines.len() - 3..],
            ["train 25/25 acc 25", "saved", "train: done"]
        );
        assert_eq!(lines.len(), 9 + 2);
    }

    #[test]
    fn bytes_are_worth_a_line_only_when_they_take_long() {
        let log = Log::default();
        let mut progress = Progress::in_lines("verify", 2000, Unit::Bytes, Box::new(log.clone()));
        progress.advance(500, "7 rows");
        assert_eq!(*log.0.lock().unwrap(), b"");
        if let (Shown::Lines(lines), Some(then)) =
            (&mut progress.shown, Instant::now().checked_sub(QUIET))
        {
            lines.last = then;
        }
        progress.advance(700, "9 rows");
        progress.advance(800, "12 rows");
        assert_eq!(*log.0.lock().unwrap(), b"verify 60 % 9 rows\n");
    }
}

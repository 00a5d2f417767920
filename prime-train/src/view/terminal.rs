//! The panel on a terminal. `indicatif` knows how to draw over its last lines and to put others above them.

use std::sync::{Mutex, TryLockError};
use std::time::Duration;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use super::board::Board;
use super::{lock, panel};

/// A wider panel would be mostly empty.
const WIDEST: u16 = 110;

/// Columns of the terminal that standard error is.
pub(super) fn columns() -> u16 {
    Term::stderr().size().1
}

pub(super) struct Terminal {
    bar: ProgressBar,
    /// Rows and columns, asked for at every drawing: a window may change.
    size: fn() -> (u16, u16),
    colors: bool,
    left: Mutex<bool>,
}

impl Terminal {
    pub(super) fn new() -> Self {
        let size = || Term::stderr().size();
        Self::on(ProgressDrawTarget::stderr_with_hz(10), size)
    }

    fn on(target: ProgressDrawTarget, size: fn() -> (u16, u16)) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        Self {
            bar,
            size,
            colors: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            left: Mutex::new(false),
        }
    }

    /// Draws the board over what was drawn before.
    pub(super) fn draw(&self, board: &Board) {
        // Held until it is drawn: a panel that is left is whole.
        let left = lock(&self.left);
        if *left {
            return;
        }
        let (rows, columns) = (self.size)();
        // The last column stays free: some terminals begin a new line when it is written to.
        let width = columns.saturating_sub(1).min(WIDEST);
        let height = panel::height(board, width).min(rows.saturating_sub(1));
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        panel::draw(board, buffer.area, &mut buffer);
        self.bar.set_message(text(&buffer, self.colors));
        self.bar.tick();
    }

    /// A line above the panel.
    pub(super) fn say(&self, line: &str) {
        match *lock(&self.left) {
            true => super::write_line(line),
            false => self.bar.suspend(|| super::write_line(line)),
        }
    }

    /// The panel stays as it is, and what comes next is below it.
    pub(super) fn leave(&self) {
        // A drawing takes milliseconds; one that has panicked would never end.
        for _ in 0..20 {
            let mut left = match self.left.try_lock() {
                Ok(left) => left,
                Err(TryLockError::Poisoned(left)) => left.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                }
            };
            if !*left {
                *left = true;
                self.bar.abandon();
            }
            return;
        }
    }
}

/// The rows of a buffer as text with its colours.
fn text(buffer: &Buffer, colors: bool) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        if y > 0 {
            out.push('\n');
        }
        let (mut row, mut before) = (String::new(), String::new());
        let mut x = 0;
        while x < buffer.area.width {
            let cell = &buffer[(x, y)];
            let style = match colors {
                true => codes(cell.fg, cell.modifier),
                false => String::new(),
            };
            if style != before {
                row.push_str("\u{1b}[0m");
                row.push_str(&style);
                before = style;
            }
            row.push_str(cell.symbol());
            // A wide character covers the cells after its own.
            x += u16::try_from(console::measure_text_width(cell.symbol()))
                .unwrap_or(1)
                .max(1);
        }
        out.push_str(row.trim_end());
        if !before.is_empty() {
            out.push_str("\u{1b}[0m");
        }
    }
    out
}

fn codes(color: Color, modifier: Modifier) -> String {
    let mut codes = String::new();
    if modifier.contains(Modifier::BOLD) {
        codes.push_str("\u{1b}[1m");
    }
    if modifier.contains(Modifier::DIM) {
        codes.push_str("\u{1b}[2m");
    }
    codes.push_str(match color {
        Color::Red => "\u{1b}[31m",
        Color::Green => "\u{1b}[32m",
        Color::Yellow => "\u{1b}[33m",
        Color::Cyan => "\u{1b}[36m",
        _ => "",
    });
    codes
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use indicatif::TermLike;
    use ratatui::style::Style;

    use super::*;

    /// A terminal that keeps what is on it: lines, and where the cursor is.
    #[derive(Debug, Clone, Default)]
    struct Paper(Arc<Mutex<(Vec<String>, usize)>>);

    impl Paper {
        fn lines(&self) -> Vec<String> {
            let lines = lock(&self.0).0.clone();
            lines
                .iter()
                .map(|line| line.trim_end().to_owned())
                .collect()
        }
    }

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            80
        }
        fn height(&self) -> u16 {
            24
        }
        fn move_cursor_up(&self, n: usize) -> io::Result<()> {
            lock(&self.0).1 -= n;
            Ok(())
        }
        fn move_cursor_down(&self, n: usize) -> io::Result<()> {
            lock(&self.0).1 += n;
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)?;
            lock(&self.0).1 += 1;
            Ok(())
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            // Nothing that changes how the terminal works: only colours.
            let plain = console::strip_ansi_codes(text);
            assert!(!text.contains("\u{1b}[?"), "{text:?}");
            let mut paper = lock(&self.0);
            for character in plain.chars() {
                // A line that is full goes on in the next, which is what indicatif counts on.
                let at = paper.1;
                if paper
                    .0
                    .get(at)
                    .is_some_and(|line| line.chars().count() == 80)
                {
                    paper.1 += 1;
                }
                let at = paper.1;
                if paper.0.len() <= at {
                    paper.0.resize(at + 1, String::new());
                }
                paper.0[at].push(character);
            }
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            let mut paper = lock(&self.0);
            let at = paper.1;
            if let Some(line) = paper.0.get_mut(at) {
                line.clear();
            }
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_panel_is_drawn_over_itself_and_stays_whole_when_it_is_left() {
        let paper = Paper::default();
        let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
        let terminal = Terminal::on(target, || (24, 80));
        let mut board = Board::new("runs/a".into(), 300);
        for step in [1, 2, 150] {
            board.recorded = Some(step);
            terminal.draw(&board);
        }
        terminal.leave();
        board.recorded = Some(299);
        terminal.draw(&board);
        let lines = paper.lines();
        let of = |part: &str| lines.iter().filter(|line| line.contains(part)).count();
        assert_eq!(
            (of("runs/a"), of("step 150/300"), of("step 299/300")),
            (1, 1, 0),
            "{lines:#?}"
        );
        let bottom = lines
            .iter()
            .position(|line| line.starts_with('╰'))
            .expect("a bottom");
        assert!(
            lines[bottom + 1..].iter().all(String::is_empty),
            "{lines:#?}"
        );
        assert!(lines[0].starts_with("╭ runs/a ─") && lines[0].chars().count() == 79);
    }

    #[test]
    fn rows_keep_their_words_and_colors_end_with_them() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 2));
        buffer.set_string(0, 0, "ab", Style::new().fg(Color::Cyan).bold());
        buffer.set_string(2, 0, "日x", Style::new());
        buffer.set_string(0, 1, "plain", Style::new());
        assert_eq!(text(&buffer, false), "ab日x\nplain");
        assert_eq!(
            text(&buffer, true),
            "\u{1b}[0m\u{1b}[1m\u{1b}[36mab\u{1b}[0m日x\nplain"
        );
    }
}

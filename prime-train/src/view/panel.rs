//! The panel: the run's folder, how far it is, what it does right now, its numbers with their curves, and the last warning.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, LineGauge, Paragraph, Sparkline, Widget};

use super::board::{Board, duration};
use crate::report::{Format, significant};

/// What is shown of the records: (label, metrics of which the first that there is counts, how it is written).
const CELLS: [(&str, &[&str], Format); 10] = [
    ("reward", &["reward/mean"], Format::Number),
    ("accuracy", &["acc"], Format::Percent),
    ("held-out", &["eval/pass@1"], Format::Percent),
    (
        "PRM",
        &[
            "reward_model/step_auc",
            "reward_model/dpo_acc",
            "reward_model/dpo_acc_before",
        ],
        Format::Percent,
    ),
    ("length", &["response_length/mean"], Format::Number),
    ("cut off", &["response_length/clip_ratio"], Format::Percent),
    ("entropy", &["actor/entropy"], Format::Number),
    ("KL", &["actor/ref_kl", "actor/ppo_kl"], Format::Number),
    ("tokens/s", &["perf/tokens_per_s"], Format::Number),
    ("kept", &["filter/kept_groups"], Format::Number),
];

const LABEL: u16 = 9;
const VALUE: u16 = 9;
/// Columns that a number and its curve need.
const CELL: u16 = 36;

fn columns(width: u16) -> u16 {
    (width.saturating_sub(2) / CELL).clamp(1, 2)
}

/// Rows that the panel needs.
pub(super) fn height(board: &Board, width: u16) -> u16 {
    let cells = (CELLS.len() as u16).div_ceil(columns(width));
    let warning = u16::from(board.warning.is_some());
    // Two borders, the bar and the phase.
    4 + cells + warning
}

/// Draws the panel into `area`; where it is too low, the last numbers are left out.
pub(super) fn draw(board: &Board, area: Rect, buffer: &mut Buffer) {
    let elapsed = duration(board.begun.elapsed().as_secs_f64());
    let room = usize::from(area.width).saturating_sub(elapsed.chars().count() + 8);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(Style::new().dim())
        .title(Line::from(
            format!(" {} ", ending(&board.folder, room)).bold(),
        ))
        .title(Line::from(format!(" {elapsed} ").not_bold()).right_aligned());
    let inner = block.inner(area);
    block.render(area, buffer);

    let warned = u16::from(board.warning.is_some());
    let [bar, phase, warning, numbers] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(warned),
        Constraint::Fill(1),
    ])
    .areas(inner);
    whole(board, bar, buffer);
    doing(board, phase, buffer);
    if let Some(text) = &board.warning {
        let text = beginning(text, usize::from(warning.width).saturating_sub(2));
        Paragraph::new(format!("! {text}").fg(Color::Yellow)).render(warning, buffer);
    }
    cells(board, numbers, buffer);
}

/// The steps of the run.
fn whole(board: &Board, area: Rect, buffer: &mut Buffer) {
    let done = board.recorded.unwrap_or(0).min(board.steps);
    let ratio = match board.steps {
        0 => 0.0,
        steps => done as f64 / steps as f64,
    };
    let left = match board.left() {
        Some(left) if done < board.steps => {
            format!(" about {} left", duration(left.as_secs_f64()))
        }
        _ => String::new(),
    };
    let [gauge, text] = Layout::horizontal([
        Constraint::Fill(1),
        Constraint::Length(left.chars().count() as u16),
    ])
    .areas(area);
    LineGauge::default()
        .label(format!("step {done}/{}", board.steps))
        .ratio(ratio)
        .filled_symbol("━")
        .filled_style(Style::new().fg(Color::Cyan))
        .unfilled_style(Style::new().dim())
        .render(gauge, buffer);
    Paragraph::new(left.dim()).render(text, buffer);
}

/// What is done right now, with how far it is in front.
fn doing(board: &Board, area: Rect, buffer: &mut Buffer) {
    let Some(doing) = board.doing() else {
        return;
    };
    let within = match board.step {
        step if step > 0 && board.recorded.is_none_or(|recorded| step > recorded) => {
            format!("step {step}: ")
        }
        _ => String::new(),
    };
    let text = format!("{within}{}", doing.text());
    let text = beginning(&text, usize::from(area.width));
    Paragraph::new(text.fg(Color::Green)).render(area, buffer);
}

fn cells(board: &Board, area: Rect, buffer: &mut Buffer) {
    let columns = columns(area.width + 2);
    let width = area.width / columns;
    for (at, (label, metrics, format)) in CELLS.iter().enumerate() {
        let at = at as u16;
        let (x, y) = (area.x + at % columns * width, area.y + at / columns);
        if y < area.bottom() {
            let cell = Rect::new(x, y, width.saturating_sub(1), 1);
            one(board, label, metrics, *format, cell, buffer);
        }
    }
}

fn one(
    board: &Board,
    label: &str,
    metrics: &[&str],
    format: Format,
    area: Rect,
    buffer: &mut Buffer,
) {
    let curve = metrics.iter().find_map(|name| board.curves.get(*name));
    let value = match curve.and_then(|curve| curve.back()) {
        Some(&value) if format == Format::Percent => format.exact(value),
        Some(&value) if value.abs() >= 1000.0 => format!("{value:.0}"),
        Some(&value) => significant(value),
        None => "–".to_owned(),
    };
    let [name, number, rest] = Layout::horizontal([
        Constraint::Length(LABEL),
        Constraint::Length(VALUE),
        Constraint::Fill(1),
    ])
    .areas(area);
    Paragraph::new(label.dim()).render(name, buffer);
    Paragraph::new(Span::from(value)).render(number, buffer);
    let Some(curve) = curve.filter(|curve| curve.len() > 1) else {
        return;
    };
    let room = usize::from(rest.width);
    let shown: Vec<f64> = curve.iter().rev().take(room).rev().copied().collect();
    Sparkline::default()
        .data(heights(&shown, format))
        .max(TOP)
        .style(Style::new().fg(Color::Cyan))
        .render(rest, buffer);
}

/// Eighths of a row that a value may be high, less the one that even the least is.
const TOP: u64 = 8;

/// Shares on all of 0 to 1, other numbers between their least and greatest; never nothing, so that a curve has no holes.
fn heights(values: &[f64], format: Format) -> Vec<u64> {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = match format {
        Format::Percent if least >= 0.0 && greatest <= 1.0 => (0.0, 1.0),
        _ => (least, greatest),
    };
    let spread = high - low;
    let height = |value: f64| match spread > 0.0 {
        true => 1 + ((value - low) / spread * (TOP - 1) as f64).round() as u64,
        false => TOP / 2,
    };
    values.iter().map(|value| height(*value)).collect()
}

/// The end of a text that is too long: of a path it says more than the beginning.
fn ending(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().skip(count - most.saturating_sub(1)).collect();
    format!("…{kept}")
}

fn beginning(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::board::Doing;
    use super::*;
    use crate::metrics::StepMetrics;

    fn board() -> Board {
        let mut board = Board::new("runs/exam-prime-001".into(), 300);
        for step in 0..=12 {
            let mut record = StepMetrics::new(step);
            let share = step as f64 / 12.0;
            for (name, value) in [
                ("reward/mean", share),
                ("acc", share),
                ("response_length/mean", 36.25),
                ("response_length/clip_ratio", 0.0),
                ("actor/entropy", 0.14 - 0.005 * step as f64),
                ("actor/ppo_kl", 0.0021),
                ("reward_model/step_auc", 0.71),
                ("perf/tokens_per_s", 12_345.6),
            ] {
                record.set(name, value).unwrap();
            }
            if step % 10 == 0 {
                record.set("eval/pass@1", 0.377 + share / 2.0).unwrap();
            }
            board.record(&record);
        }
        board.step = 13;
        board.doing = Some(Doing {
            name: "sampling".into(),
            count: Some((34, 64, "responses")),
            message: String::new(),
            seconds: 12.0,
            tokens: 5000,
        });
        board
    }

    fn rows(board: &Board, width: u16, rows: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(width, rows)).unwrap();
        terminal
            .draw(|frame| {
                let height = height(board, width).min(rows);
                let area = Rect::new(0, 0, width, height);
                draw(board, area, frame.buffer_mut());
            })
            .unwrap();
        let buffer = terminal.backend().buffer().clone();
        (0..rows)
            .map(|y| (0..width).map(|x| buffer[(x, y)].symbol()).collect())
            .collect()
    }

    #[test]
    fn eighty_columns_have_everything_in_two_columns() {
        let shown = rows(&board(), 80, 24);
        let text = shown.join("\n");
        assert!(shown[0].starts_with("╭ runs/exam-prime-001 ─"), "{text}");
        assert!(shown[0].ends_with(" 0 s ╮"), "{text}");
        assert!(
            shown[1].contains("step 12/300 ") && shown[1].contains("left│"),
            "{text}"
        );
        assert!(
            shown[2].contains("step 13: sampling 34/64 responses, 417 tokens/s, 12 s"),
            "{text}"
        );
        for (row, parts) in [
            (3, ["reward   1 ", "accuracy 100.0% "]),
            (4, ["held-out 79.4% ", "PRM      71.0% "]),
            (5, ["length   36.25 ", "cut off  0.0% "]),
            (6, ["entropy  0.08 ", "KL       0.0021 "]),
            (7, ["tokens/s 12346 ", "kept     – "]),
        ] {
            for part in parts {
                assert!(shown[row].contains(part), "{part} in {text}");
            }
        }
        assert!(shown[3].contains("▁▂▂▃▃▄"), "{text}");
        assert!(
            shown[8].starts_with('╰') && shown[9].trim().is_empty(),
            "{text}"
        );
        assert!(shown.iter().all(|row| row.chars().count() == 80));
    }

    #[test]
    fn sixty_columns_have_the_same_in_one() {
        let shown = rows(&board(), 60, 24);
        let text = shown.join("\n");
        for (label, _, _) in CELLS {
            let at = shown
                .iter()
                .filter(|row| row.starts_with(&format!("│{label} ")));
            assert_eq!(at.count(), 1, "{label} in {text}");
        }
        assert!(shown[13].starts_with('╰'), "{text}");
        assert!(shown.iter().all(|row| row.chars().count() == 60));
    }

    #[test]
    fn the_first_minutes_say_what_they_are_for() {
        let mut board = Board::new("runs/exam-prime-001".into(), 300);
        board.doing = Some(Doing {
            name: "evaluating".into(),
            count: Some((3, 1024, "responses")),
            message: String::new(),
            seconds: 70.0,
            tokens: 0,
        });
        let shown = rows(&board, 80, 24).join("\n");
        assert!(
            shown.contains("│evaluating 3/1024 responses, 1 min 10 s"),
            "{shown}"
        );
        assert!(shown.contains("step 0/300"), "{shown}");
    }

    #[test]
    fn warnings_and_long_names_are_cut_and_low_terminals_get_the_upper_part() {
        let mut board = board();
        board.folder = format!("/data/{}/the-run", "x".repeat(200));
        board.said(&format!("warning: entropy {}", "y".repeat(200)));
        let shown = rows(&board, 80, 24);
        let text = shown.join("\n");
        assert!(shown[0].contains("xxx/the-run ─"), "{text}");
        assert!(
            shown[3].contains("! entropy yyy") && shown[3].ends_with("…│"),
            "{text}"
        );
        assert!(shown[9].starts_with('╰'), "{text}");
        for (width, height) in [(80, 5), (40, 3), (20, 2), (1, 1)] {
            let shown = rows(&board, width, height);
            assert_eq!(shown.len(), usize::from(height));
        }
    }

    #[test]
    fn heights_are_honest() {
        assert_eq!(heights(&[0.0, 0.5, 1.0], Format::Percent), [1, 5, 8]);
        assert_eq!(heights(&[0.5, 0.5], Format::Percent), [5, 5]);
        assert_eq!(heights(&[-3.0, 7.0], Format::Number), [1, 8]);
        assert_eq!(heights(&[2.0, 2.0], Format::Number), [4, 4]);
    }
}

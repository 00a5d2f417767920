//! How a product is cut up for several threads.

use super::MANY_ROWS;
use super::panels::BLOCK;

/// Tasks that a parallel product is cut into per thread, so that a thread that is held up loses little.
const TASKS_PER_THREAD: usize = 4;

/// A task's columns are a multiple of this, the width of a panel.
const TASK_COLUMNS: usize = 16;

/// A rectangle of the output, which holds zeros at first.
pub(super) struct Part<'a> {
    pub(super) first_row: usize,
    pub(super) first_column: usize,
    /// The rectangle's columns of each of its rows.
    pub(super) rows: Vec<&'a mut [f32]>,
}

impl Part<'_> {
    pub(super) fn columns(&self) -> usize {
        self.rows.first().map_or(0, |row| row.len())
    }

    /// Puts the bias, if there is one, into every row.
    pub(super) fn start(&mut self, bias: Option<&[f32]>) {
        let columns = self.first_column..self.first_column + self.columns();
        if let Some(bias) = bias {
            for row in &mut self.rows {
                row.copy_from_slice(&bias[columns.clone()]);
            }
        }
    }
}

/// Rows and columns of a task's rectangle.
///
/// With many rows each task takes some of them, all columns wide, and reads x once. With fewer it takes some columns, so
/// that the matrix is read, and copied to panels, once; rows are cut too where the columns do not give enough tasks.
fn shares(rows: usize, width: usize, threads: usize) -> (usize, usize) {
    if threads == 1 {
        return (rows, width);
    }
    let tasks = TASKS_PER_THREAD * threads;
    if rows >= tasks * BLOCK {
        return (rows.div_ceil(tasks), width);
    }
    let columns = width.div_ceil(tasks).next_multiple_of(TASK_COLUMNS);
    let across = width.div_ceil(columns);
    let down = tasks.div_ceil(across).min(rows.div_ceil(MANY_ROWS)).max(1);
    (rows.div_ceil(down), columns)
}

/// Cuts `out`, `[rows, width]`, into rectangles for so many threads.
pub(super) fn cut(out: &mut [f32], width: usize, threads: usize) -> Vec<Part<'_>> {
    let (row_share, column_share) = shares(out.len() / width, width, threads);
    let mut parts = Vec::new();
    for (number, rows) in out.chunks_mut(row_share * width).enumerate() {
        let start = parts.len();
        let firsts = (0..width).step_by(column_share);
        parts.extend(firsts.map(|first_column| Part {
            first_row: number * row_share,
            first_column,
            rows: Vec::with_capacity(row_share),
        }));
        for row in rows.chunks_exact_mut(width) {
            for (part, columns) in parts[start..].iter_mut().zip(row.chunks_mut(column_share)) {
                part.rows.push(columns);
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_belongs_to_one_part() {
        for (rows, width) in [(1, 1), (3, 40), (50, 16), (200, 16), (4000, 40), (7, 300)] {
            for threads in [1, 2, 5] {
                let mut out = vec![0.0; rows * width];
                for part in cut(&mut out, width, threads) {
                    for (r, row) in (part.first_row..).zip(part.rows) {
                        for (c, value) in (part.first_column..).zip(row) {
                            *value += (r * width + c + 1) as f32;
                        }
                    }
                }
                let expected: Vec<f32> = (1..=rows * width).map(|n| n as f32).collect();
                assert_eq!(out, expected, "{rows} × {width} on {threads}");
            }
        }
    }
}

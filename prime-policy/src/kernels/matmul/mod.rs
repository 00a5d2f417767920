//! Products of a matrix of activations with a matrix of weights.
//!
//! Few rows (decoding one token at a time) are bound by reading the weights, so these are read once, in the order in
//! which they lie in memory, for all rows together ([`streams`], [`dots`]). Many rows (training) are bound by
//! arithmetic, so that the weights are copied in panels to where they are quick to read ([`panels`]). All cores share
//! the output columns. Every output is summed in an order that does not depend on the number of threads; for weights
//! stored by depth, not on the number of rows either.

mod dots;
mod op;
mod panels;
mod streams;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};

pub(crate) use op::linear;

/// A weight matrix as it lies in memory, `depth · width` elements.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Weights<'a> {
    /// `[depth, width]`: a linear layer.
    ByDepth(&'a [f32]),
    /// `[width, depth]`: an embedding that serves as the output head.
    ByWidth(&'a [f32]),
}

/// Multiplications below which waking another thread costs more than it saves (some 30 µs of work).
const PARALLEL: usize = 1 << 20;

/// Tasks that a parallel product is cut into per thread, so that a thread that is held up loses little.
const TASKS_PER_THREAD: usize = 4;

/// A task's columns are a multiple of this, the width of a panel.
const TASK_COLUMNS: usize = 16;

/// Rows from which on computing takes longer than reading the weights.
const MANY_ROWS: usize = 24;

/// Elements of x that the caches hold while rows of a matrix stored by width pass by.
const CACHED: usize = 1 << 18;

/// `x · w (+ bias)`: `x` is `[rows, depth]`, `bias` has `width` elements, the result is `[rows, width]`. No size is 0.
pub(crate) fn product(
    x: &[f32],
    depth: usize,
    w: Weights<'_>,
    width: usize,
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let rows = x.len() / depth;
    let mut out = vec![0.0; rows * width];
    let threads = if rows * depth * width < PARALLEL {
        1
    } else {
        rayon::current_num_threads()
    };
    let tasks = if threads == 1 {
        1
    } else {
        TASKS_PER_THREAD * threads
    };
    let share = width.div_ceil(tasks).next_multiple_of(TASK_COLUMNS);
    let mut parts: Vec<Part<'_>> = (0..width)
        .step_by(share)
        .map(|first| Part {
            first,
            rows: Vec::with_capacity(rows),
        })
        .collect();
    for row in out.chunks_exact_mut(width) {
        for (part, columns) in parts.iter_mut().zip(row.chunks_mut(share)) {
            part.rows.push(columns);
        }
    }
    let many = match w {
        Weights::ByDepth(_) => rows >= MANY_ROWS,
        Weights::ByWidth(_) => rows >= MANY_ROWS && x.len() > CACHED,
    };
    let grouped = many.then(|| panels::Grouped::new(x, depth));
    let run = |part: Part<'_>| match (&grouped, w) {
        (Some(x), w) => panels::product(x, w, width, bias, part),
        (None, Weights::ByDepth(w)) => streams::product(x, depth, w, width, bias, part),
        (None, Weights::ByWidth(w)) => dots::product(x, depth, w, bias, part),
    };
    if threads == 1 {
        parts.into_iter().for_each(run);
        return out;
    }
    let queue = Mutex::new(parts.into_iter());
    let work = || {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            match next {
                Some(part) => run(part),
                None => break,
            }
        }
    };
    rayon::in_place_scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|_| work());
        }
        work();
    });
    out
}

/// Columns `first..first + rows[r].len()` of every row of the output, which are zeros at first.
struct Part<'a> {
    first: usize,
    rows: Vec<&'a mut [f32]>,
}

impl Part<'_> {
    fn columns(&self) -> usize {
        self.rows.first().map_or(0, |row| row.len())
    }

    /// Puts the bias, if there is one, into every row.
    fn start(&mut self, bias: Option<&[f32]>) {
        let columns = self.first..self.first + self.columns();
        if let Some(bias) = bias {
            for row in &mut self.rows {
                row.copy_from_slice(&bias[columns.clone()]);
            }
        }
    }
}

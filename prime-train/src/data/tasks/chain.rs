//! `chain`: a running total modulo 10, where one slip spoils the rest.

use std::ops::Range;

use itertools::Itertools;

use super::pupil::Pupil;
use super::{
    Demonstration, PassMark, Problem, Purpose, SEPARATOR, Split, Task, TaskName, mark, stream,
    vocabulary_of,
};
use crate::rng::Stream;

const OPERATIONS: usize = 16;
const MODULUS: u32 = 10;
/// The multipliers are units modulo 10. With them and addition every operation is one-to-one, so a
/// wrong total never becomes right again by luck.
const MULTIPLIERS: [u32; 3] = [3, 7, 9];
const ADDENDS: u32 = 9;
const KINDS: u32 = ADDENDS + MULTIPLIERS.len() as u32;
const FACTS: u32 = MODULUS * KINDS;
/// One fact in ten. All sixteen totals have to be right, so with half of the facts weak, as in the
/// other tasks, the pupil would pass three sheets in a thousand and there would be nothing to
/// learn from; with a tenth it passes about a third.
const WEAK: usize = FACTS as usize / 10;

/// A digit and sixteen operations, `5+7*3…=`, answered by the sixteen running totals modulo 10,
/// the last of them boxed: `2,6,…,\boxed{4}`. Every total has to be right.
///
/// An operation and a total with its separator both take two tokens. A total counts as right if it
/// is the true one: after a slip every later total is wrong, however well it was carried on.
#[derive(Debug, Clone)]
pub struct Chain {
    pupil: Pupil,
}

#[derive(Debug, Clone, Copy)]
struct Operation(u32);

impl Operation {
    fn apply(self, total: u32) -> u32 {
        match MULTIPLIERS.get(self.0.wrapping_sub(ADDENDS) as usize) {
            Some(multiplier) => total * multiplier % MODULUS,
            None => (total + self.0 + 1) % MODULUS,
        }
    }

    fn fact(self, total: u32) -> usize {
        (self.0 * MODULUS + total) as usize
    }

    fn text(self) -> String {
        match MULTIPLIERS.get(self.0.wrapping_sub(ADDENDS) as usize) {
            Some(multiplier) => format!("*{multiplier}"),
            None => format!("+{}", self.0 + 1),
        }
    }
}

struct Sheet {
    start: u32,
    operations: Vec<Operation>,
}

impl Sheet {
    fn draw(stream: &mut Stream) -> Self {
        Sheet {
            start: stream.below(MODULUS),
            operations: (0..OPERATIONS)
                .map(|_| Operation(stream.below(KINDS)))
                .collect(),
        }
    }

    fn prompt(&self) -> String {
        let operations = self.operations.iter().map(|operation| operation.text());
        format!("{}{}=", self.start, operations.format(""))
    }

    /// The totals when each step is taken by `step(operation, total)`.
    fn totals(&self, mut step: impl FnMut(Operation, u32) -> u32) -> Vec<String> {
        let totals = self
            .operations
            .iter()
            .scan(self.start, |total, &operation| {
                *total = step(operation, *total);
                Some(total.to_string())
            });
        totals.collect()
    }
}

fn response(totals: &[String]) -> String {
    match totals.split_last() {
        Some((last, earlier)) => earlier
            .iter()
            .cloned()
            .chain([format!("\\boxed{{{last}}}")])
            .join(SEPARATOR),
        None => String::new(),
    }
}

impl Chain {
    /// The task.
    pub fn new() -> Self {
        Chain {
            pupil: Pupil::new(TaskName::Chain, FACTS as usize, WEAK, |fact| {
                let (operation, total) = (fact as u32 / MODULUS, fact as u32 % MODULUS);
                let right = Operation(operation).apply(total);
                (0..MODULUS).filter(|&wrong| wrong != right).collect()
            }),
        }
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

impl Task for Chain {
    fn name(&self) -> TaskName {
        TaskName::Chain
    }

    fn vocabulary(&self) -> Vec<String> {
        vocabulary_of("0123456789+*=,\\boxed{}")
    }

    fn answers(&self) -> usize {
        OPERATIONS
    }

    fn prompt_tokens(&self) -> usize {
        1 + 1 + 2 * OPERATIONS + 1
    }

    fn response_tokens(&self) -> usize {
        2 * OPERATIONS + "\\boxed{}".len()
    }

    fn pass_mark(&self) -> PassMark {
        PassMark::All
    }

    fn problem(&self, seed: u64, split: Split, index: u64) -> Problem {
        let sheet = Sheet::draw(&mut stream(TaskName::Chain, seed, split.into(), index));
        let answers = sheet.totals(Operation::apply);
        Problem {
            prompt: sheet.prompt(),
            ground_truth: response(&answers),
            answers,
        }
    }

    fn demonstration(&self, seed: u64, index: u64) -> Demonstration {
        let mut stream = stream(TaskName::Chain, seed, Purpose::Demonstration, index);
        let sheet = Sheet::draw(&mut stream);
        let totals = sheet.totals(|operation, total| {
            let right = operation.apply(total);
            self.pupil.answer(operation.fact(total), right, &mut stream)
        });
        Demonstration {
            prompt: sheet.prompt(),
            response: response(&totals),
        }
    }

    /// As for every task; of a boxed piece the range is what is inside the box.
    fn answer_spans(&self, response: &[String]) -> Vec<Range<usize>> {
        let mut spans = mark::pieces(response);
        for span in &mut spans {
            let text = response[span.clone()].concat();
            let boxed = text.starts_with("\\boxed{") && text.ends_with('}');
            // One character a token holds for what the task writes, not for any token it is given.
            if boxed && text.len() == span.len() {
                *span = span.start + "\\boxed{".len()..span.end - 1;
            }
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_one_to_one() {
        for kind in 0..KINDS {
            let images = (0..MODULUS).map(|total| Operation(kind).apply(total));
            assert_eq!(images.unique().count(), MODULUS as usize, "kind {kind}");
        }
        assert_eq!(
            (Operation(6).text(), Operation(6).apply(5)),
            ("+7".into(), 2)
        );
        assert_eq!(
            (Operation(9).text(), Operation(9).apply(2)),
            ("*3".into(), 6)
        );
    }

    #[test]
    fn a_tenth_of_the_facts_is_weak() {
        let ideas = Chain::new().pupil.wrong_ideas().to_vec();
        assert_eq!((ideas.len(), ideas.iter().flatten().count()), (120, 12));
    }

    #[test]
    fn the_box_is_not_part_of_the_answer() {
        let tokens: Vec<String> = "1,\\boxed{2}".chars().map(String::from).collect();
        assert_eq!(Chain::new().answer_spans(&tokens), vec![0..1, 9..10]);
    }
}

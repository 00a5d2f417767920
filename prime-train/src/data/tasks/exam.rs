//! `exam`: twelve sums and products of one-digit numbers, passed with ten right.

use itertools::Itertools;

use super::pupil::Pupil;
use super::{
    Demonstration, PassMark, Problem, Purpose, SEPARATOR, Split, Task, TaskName, stream,
    vocabulary_of,
};
use crate::rng::Stream;

const QUESTIONS: usize = 12;
const LOWEST: u32 = 2;
const OPERANDS: u32 = 8;
/// Two operations on 8 × 8 pairs of digits.
const FACTS: u32 = 2 * OPERANDS * OPERANDS;
const WEAK: usize = FACTS as usize / 2;

/// Twelve facts `a∘b` with a, b in 2…9 and ∘ in `*`, `+`, written without blanks:
/// `7*83+9…=` is answered `56,12,…`, each answer two digits.
///
/// Prompt and response both move three tokens a fact, so the way from a question to its answer is
/// the same for all twelve; models learn the format much faster for it.
#[derive(Debug, Clone)]
pub struct Exam {
    pupil: Pupil,
}

impl Exam {
    /// The task.
    pub fn new() -> Self {
        Exam {
            pupil: Pupil::new(TaskName::Exam, FACTS as usize, WEAK, |fact| {
                Fact::nth(fact as u32).wrong_ideas()
            }),
        }
    }

    fn sheet(stream: &mut Stream) -> Vec<Fact> {
        (0..QUESTIONS)
            .map(|_| Fact::nth(stream.below(FACTS)))
            .collect()
    }
}

impl Default for Exam {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Debug, Clone, Copy)]
struct Fact {
    product: bool,
    a: u32,
    b: u32,
}

impl Fact {
    fn nth(index: u32) -> Self {
        Fact {
            product: index >= OPERANDS * OPERANDS,
            a: LOWEST + index / OPERANDS % OPERANDS,
            b: LOWEST + index % OPERANDS,
        }
    }

    fn index(self) -> usize {
        let pair = (self.a - LOWEST) * OPERANDS + self.b - LOWEST;
        (u32::from(self.product) * OPERANDS * OPERANDS + pair) as usize
    }

    fn answer(self) -> u32 {
        if self.product {
            self.a * self.b
        } else {
            self.a + self.b
        }
    }

    /// The slips a pupil makes: one off, ten off, or the neighbour in the multiplication table.
    fn wrong_ideas(self) -> Vec<u32> {
        let mut offsets = vec![1, 10];
        if self.product {
            offsets.extend([self.a, self.b]);
        }
        let right = self.answer();
        offsets
            .into_iter()
            .flat_map(|offset| [right.checked_sub(offset), Some(right + offset)])
            .flatten()
            .filter(|&wrong| wrong != right && wrong < 100)
            .unique()
            .collect()
    }

    fn text(self) -> String {
        format!(
            "{}{}{}",
            self.a,
            if self.product { '*' } else { '+' },
            self.b
        )
    }
}

fn prompt(sheet: &[Fact]) -> String {
    sheet.iter().map(|fact| fact.text()).join("") + "="
}

impl Task for Exam {
    fn name(&self) -> TaskName {
        TaskName::Exam
    }

    fn vocabulary(&self) -> Vec<String> {
        vocabulary_of("0123456789+*=,")
    }

    fn answers(&self) -> usize {
        QUESTIONS
    }

    fn prompt_tokens(&self) -> usize {
        1 + 3 * QUESTIONS + 1
    }

    fn response_tokens(&self) -> usize {
        3 * QUESTIONS
    }

    fn pass_mark(&self) -> PassMark {
        PassMark::AtLeast(10)
    }

    fn problem(&self, seed: u64, split: Split, index: u64) -> Problem {
        let sheet = Self::sheet(&mut stream(TaskName::Exam, seed, split.into(), index));
        let answers: Vec<String> = sheet
            .iter()
            .map(|fact| format!("{:02}", fact.answer()))
            .collect();
        Problem {
            prompt: prompt(&sheet),
            ground_truth: answers.join(SEPARATOR),
            answers,
        }
    }

    fn demonstration(&self, seed: u64, index: u64) -> Demonstration {
        let mut stream = stream(TaskName::Exam, seed, Purpose::Demonstration, index);
        let sheet = Self::sheet(&mut stream);
        let response = sheet
            .iter()
            .map(|fact| self.pupil.answer(fact.index(), fact.answer(), &mut stream))
            .map(|answer| format!("{answer:02}"))
            .join(SEPARATOR);
        Demonstration {
            prompt: prompt(&sheet),
            response,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_numbered_without_gaps() {
        for index in 0..FACTS {
            assert_eq!(Fact::nth(index).index(), index as usize);
        }
        assert_eq!(FACTS, 128);
        assert_eq!(Fact::nth(127).text(), "9*9");
        assert_eq!(Fact::nth(0).text(), "2+2");
    }

    #[test]
    fn half_the_facts_are_weak_and_their_wrong_ideas_are_plausible() {
        let ideas = Exam::new().pupil.wrong_ideas().to_vec();
        assert_eq!(ideas.iter().flatten().count(), 64);
        for (fact, wrong) in ideas.iter().enumerate() {
            if let Some(wrong) = *wrong {
                let right = Fact::nth(fact as u32).answer();
                assert!(wrong != right && wrong < 100 && wrong.abs_diff(right) <= 10);
            }
        }
    }
}

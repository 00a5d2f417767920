//! `mod3`: sixteen products modulo 3, passed with thirteen right.

use itertools::Itertools;

use super::pupil::Pupil;
use super::{
    Demonstration, PassMark, Problem, Purpose, SEPARATOR, Split, Task, TaskName, stream,
    vocabulary_of,
};
use crate::rng::Stream;

const QUESTIONS: usize = 16;
const DIGITS: u32 = 9;
const FACTS: u32 = DIGITS * DIGITS;
const WEAK: usize = 38;
const MODULUS: u32 = 3;

/// Sixteen products of two digits (1…9) modulo 3: `78…=` is answered `2,…`, as 7·8 = 56 ≡ 2.
///
/// A question is its two digits with nothing between or after, an answer one digit and a
/// separator: both move two tokens a fact. With one token an answer, a token's reward *is* an
/// answer's reward, which makes this the task to look at a reward model with.
#[derive(Debug, Clone)]
pub struct Mod3 {
    pupil: Pupil,
}

/// The digits of a fact.
fn digits(fact: u32) -> (u32, u32) {
    (1 + fact / DIGITS, 1 + fact % DIGITS)
}

fn answer(fact: u32) -> u32 {
    let (a, b) = digits(fact);
    a * b % MODULUS
}

fn sheet(stream: &mut Stream) -> Vec<u32> {
    (0..QUESTIONS).map(|_| stream.below(FACTS)).collect()
}

fn prompt(sheet: &[u32]) -> String {
    let questions = sheet.iter().map(|&fact| digits(fact));
    questions.map(|(a, b)| format!("{a}{b}")).join("") + "="
}

impl Mod3 {
    /// The task.
    pub fn new() -> Self {
        Mod3 {
            pupil: Pupil::new(TaskName::Mod3, FACTS as usize, WEAK, |fact| {
                let right = answer(fact as u32);
                (0..MODULUS).filter(|&wrong| wrong != right).collect()
            }),
        }
    }
}

impl Default for Mod3 {
    fn default() -> Self {
        Self::new()
    }
}

impl Task for Mod3 {
    fn name(&self) -> TaskName {
        TaskName::Mod3
    }

    fn vocabulary(&self) -> Vec<String> {
        vocabulary_of("0123456789=,")
    }

    fn answers(&self) -> usize {
        QUESTIONS
    }

    fn prompt_tokens(&self) -> usize {
        1 + 2 * QUESTIONS + 1
    }

    fn response_tokens(&self) -> usize {
        2 * QUESTIONS
    }

    fn pass_mark(&self) -> PassMark {
        PassMark::AtLeast(13)
    }

    fn problem(&self, seed: u64, split: Split, index: u64) -> Problem {
        let sheet = sheet(&mut stream(TaskName::Mod3, seed, split.into(), index));
        let answers: Vec<String> = sheet.iter().map(|&fact| answer(fact).to_string()).collect();
        Problem {
            prompt: prompt(&sheet),
            ground_truth: answers.join(SEPARATOR),
            answers,
        }
    }

    fn demonstration(&self, seed: u64, index: u64) -> Demonstration {
        let mut stream = stream(TaskName::Mod3, seed, Purpose::Demonstration, index);
        let sheet = sheet(&mut stream);
        let response = sheet
            .iter()
            .map(|&fact| self.pupil.answer(fact as usize, answer(fact), &mut stream))
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
    fn thirty_eight_of_eighty_one_facts_are_weak() {
        let ideas = Mod3::new().pupil.wrong_ideas().to_vec();
        assert_eq!((ideas.len(), ideas.iter().flatten().count()), (81, 38));
        for (fact, wrong) in ideas.iter().enumerate() {
            assert!(wrong.is_none_or(|wrong| wrong < 3 && wrong != answer(fact as u32)));
        }
    }

    #[test]
    fn answers_are_products_modulo_three() {
        assert_eq!((digits(0), answer(0)), ((1, 1), 1));
        assert_eq!((digits(80), answer(80)), ((9, 9), 0));
        let seven_times_eight = 6 * 9 + 7;
        assert_eq!(
            (digits(seven_times_eight), answer(seven_times_eight)),
            ((7, 8), 2)
        );
    }
}

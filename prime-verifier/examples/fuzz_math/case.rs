//! One input: two answers and a response that holds the second.

use std::fmt;

use serde_json::{Value, json};

use crate::generate::Grammar;
use crate::random::Random;
use crate::{hostile, mutate, texts};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub gold: String,
    pub answer: String,
    pub response: String,
}

/// What cases are made from.
pub struct Source {
    pub seed: u64,
    pub grammar: Grammar,
    /// Golds and predictions of a corpus.
    pub pool: Vec<(String, String)>,
}

impl Source {
    /// The case of this number.
    pub fn case(&self, index: u64) -> Case {
        let random = &mut Random::new(self.seed, index);
        let (gold, answer) = self.pair(random);
        let response = texts::response(&answer, &gold, &self.grammar, random);
        Case {
            gold,
            answer,
            response,
        }
    }

    fn pair(&self, random: &mut Random) -> (String, String) {
        let grammar = &self.grammar;
        let base = match random.below(64) {
            0 => hostile::answer(grammar, random),
            1..4 => mutate::soup(random),
            4..24 => return self.mutated_row(random),
            _ => grammar.answer(random),
        };
        let answer = match random.below(8) {
            0..3 => mutate::related(&base, grammar, random),
            3..6 => {
                let other = grammar.answer(random);
                mutate::mutated(&base, &other, grammar, random)
            }
            6 => mutate::related(&mutate::related(&base, grammar, random), grammar, random),
            _ => grammar.answer(random),
        };
        if random.once_in(2) {
            (base, answer)
        } else {
            (answer, base)
        }
    }

    fn mutated_row(&self, random: &mut Random) -> (String, String) {
        if self.pool.is_empty() {
            return (self.grammar.answer(random), self.grammar.answer(random));
        }
        let (gold, answer) = &self.pool[random.below(self.pool.len())];
        let other = &self.pool[random.below(self.pool.len())].1;
        match random.below(4) {
            0 => (
                gold.clone(),
                mutate::mutated(gold, other, &self.grammar, random),
            ),
            1 => (
                mutate::mutated(answer, other, &self.grammar, random),
                answer.clone(),
            ),
            2 => (
                gold.clone(),
                mutate::mutated(answer, other, &self.grammar, random),
            ),
            _ => {
                let both = mutate::mutated(answer, other, &self.grammar, random);
                let again = mutate::mutated(&both, gold, &self.grammar, random);
                (both, again)
            }
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "    {:?} ~ {:?}", self.gold, self.answer)?;
        if !self.response.is_empty() {
            write!(f, "\n    response {:?}", self.response)?;
        }
        Ok(())
    }
}

impl Case {
    pub fn to_json(&self) -> String {
        json!({"gold": self.gold, "answer": self.answer, "response": self.response}).to_string()
    }

    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        let value: Value = serde_json::from_str(text)?;
        let field = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            gold: field("gold"),
            answer: field("answer"),
            response: field("response"),
        })
    }

    pub fn field(&mut self, index: usize) -> &mut String {
        match index {
            0 => &mut self.gold,
            1 => &mut self.answer,
            _ => &mut self.response,
        }
    }
}

//! The sloppy pupil: knows most facts, and has wrong ideas about the weak ones.
//!
//! A wrong idea belongs to its fact, so the errors are systematic: a model of the pupil answers a
//! weak fact wrongly more often than not, also when it decodes greedily. What it learned of the
//! right answer is enough for reinforcement to find it.

use super::{Purpose, TaskName, stream};
use crate::rng::Stream;

/// The weak facts are the same in every run: they belong to the task, not to a run's seed.
const TASK_SEED: u64 = 250_201_456;

/// How often a weak fact is answered by the wrong idea.
pub(super) const SLIP: f64 = 0.6;

#[derive(Debug, Clone)]
pub(super) struct Pupil {
    /// For each fact, the wrong answer the pupil believes in; `None` for the facts it knows.
    wrong_ideas: Vec<Option<u32>>,
}

impl Pupil {
    /// A pupil of `facts` facts of which exactly `weak` are weak; `wrong_ideas(fact)` lists the
    /// plausible wrong answers of a fact, one of which the pupil believes in.
    pub(super) fn new(
        task: TaskName,
        facts: usize,
        weak: usize,
        wrong_ideas: impl Fn(usize) -> Vec<u32>,
    ) -> Self {
        let mut stream = stream(task, TASK_SEED, Purpose::WeakFacts, 0);
        let mut order: Vec<usize> = (0..facts).collect();
        stream.shuffle(&mut order);
        let mut believed = vec![None; facts];
        for &fact in order.iter().take(weak) {
            let ideas = wrong_ideas(fact);
            let chosen = stream.below(ideas.len() as u32) as usize;
            believed[fact] = ideas.get(chosen).copied();
        }
        Pupil {
            wrong_ideas: believed,
        }
    }

    /// What the pupil answers this time.
    pub(super) fn answer(&self, fact: usize, right: u32, stream: &mut Stream) -> u32 {
        match self.wrong_ideas.get(fact) {
            Some(&Some(wrong)) if stream.chance(SLIP) => wrong,
            _ => right,
        }
    }

    #[cfg(test)]
    pub(super) fn wrong_ideas(&self) -> &[Option<u32>] {
        &self.wrong_ideas
    }
}

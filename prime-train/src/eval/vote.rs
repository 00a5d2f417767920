//! Which answer most responses give.
//!
//! Responses vote with the answer that they give, not with their text. Answers that the grader finds equal are one; it is
//! asked about the first of each kind, in the order of sampling. A response without an answer, or one that could not be
//! judged, has no vote. Of answers with as many votes the one that was given first wins.

use prime_verifier::math::{Answer, MathVerifier};

/// An answer that can be held against another.
pub(super) enum Ballot {
    /// Compared as mathematics.
    Maths(Box<Answer>),
    /// Compared as text: the lists of the built-in tasks have one spelling.
    Text(String),
}

impl Ballot {
    pub(super) fn maths(answer: &str) -> Self {
        Self::Maths(Box::new(Answer::read(answer)))
    }

    fn same(&self, other: &Self, grader: Option<&MathVerifier>) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Maths(one), Self::Maths(other)) => match grader {
                Some(grader) => grader.same_answer(one, other),
                None => one.text() == other.text(),
            },
            _ => false,
        }
    }
}

/// For each response the first one that gave the same answer; `None` for those without a vote.
pub(super) fn count(
    ballots: &[Option<Ballot>],
    grader: Option<&MathVerifier>,
) -> Vec<Option<usize>> {
    let mut kinds: Vec<(usize, &Ballot)> = vec![];
    let mut votes = Vec::with_capacity(ballots.len());
    for (at, ballot) in ballots.iter().enumerate() {
        let Some(ballot) = ballot else {
            votes.push(None);
            continue;
        };
        let known = kinds.iter().find(|(_, kind)| kind.same(ballot, grader));
        let first = known.map_or(at, |(first, _)| *first);
        if first == at {
            kinds.push((at, ballot));
        }
        votes.push(Some(first));
    }
    votes
}

/// The first response that gave the answer with most votes; `None` without votes.
pub(super) fn winner(votes: &[Option<usize>]) -> Option<usize> {
    let mut of = vec![0usize; votes.len()];
    for &first in votes.iter().flatten() {
        if let Some(n) = of.get_mut(first) {
            *n += 1;
        }
    }
    let most = of.iter().copied().max().filter(|&most| most > 0)?;
    of.iter().position(|&n| n == most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maths(answers: &[&str]) -> Vec<Option<usize>> {
        let given = |answer: &&str| (!answer.is_empty()).then(|| Ballot::maths(answer));
        let ballots: Vec<_> = answers.iter().map(given).collect();
        count(&ballots, Some(&MathVerifier::default()))
    }

    #[test]
    fn spellings_of_one_answer_are_one_vote_and_silence_is_none() {
        let votes = maths(&["0.25", r"\frac14", "", "3", "1/4", "", "", ""]);
        let (quarter, three) = (Some(0), Some(3));
        assert_eq!(votes[..5], [quarter, quarter, None, three, quarter]);
        assert_eq!(winner(&votes), Some(0), "four say nothing, three say ¼");
        assert_eq!(winner(&maths(&["", ""])), None);
    }

    #[test]
    fn a_tie_goes_to_the_answer_that_was_given_first() {
        assert_eq!(winner(&maths(&["7", "8", "8", "7.0"])), Some(0));
        assert_eq!(winner(&maths(&["7", "8", "8", "9"])), Some(1));
    }

    #[test]
    fn texts_that_cannot_be_read_are_the_same_as_themselves_alone() {
        let votes = maths(&[r"\begin{cases", "2", r"\begin{cases", r"\begin{array"]);
        assert_eq!(votes, [Some(0), Some(1), Some(0), Some(3)]);
    }

    #[test]
    fn lists_of_the_built_in_tasks_are_compared_as_text() {
        let ballots: Vec<_> = ["07,1", "7,1", "07,1"]
            .map(|list| Some(Ballot::Text(list.to_owned())))
            .into();
        assert_eq!(count(&ballots, None), [Some(0), Some(1), Some(0)]);
    }
}

//! Several verdicts as one, and the reward.

use prime_verifier::Verdict;

use super::Scope;
use super::part::{Part, PartVerdict};

/// What is known about a response once it has been judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The outcome, in 0 to 1; or could-not-judge, if any part could not, with the reason.
    pub verdict: Verdict,
    /// What estimators see: the weighted sum of the parts and the overlong penalty. `None` if it could not be judged.
    pub reward: Option<f32>,
    /// What each part gave, as [`Rewards::names`](super::Rewards::names) calls them: 0 to 1 before its weight; the penalty as it
    /// is added. Empty if it could not be judged.
    pub parts: Vec<f32>,
    /// The answer that the verifier read in the response, if it looks for one and there is one.
    pub answer: Option<String>,
    /// What a grader of your own had to say.
    pub details: Vec<String>,
}

/// The verdicts of the parts, the outcome's first, as one.
pub(super) fn sum(
    verdicts: Vec<(&Part, PartVerdict)>,
    penalty: Option<f64>,
    scope: Scope,
    plain: bool,
) -> Judged {
    let mut judged = Judged {
        verdict: Verdict::could_not_judge("nothing was asked"),
        reward: None,
        parts: vec![],
        answer: None,
        details: vec![],
    };
    let (mut total, mut outcome, mut steps) = (0.0, None, None);
    for (part, graded) in verdicts {
        judged.answer = judged.answer.take().or(graded.answer);
        judged.details.extend(
            graded
                .detail
                .map(|detail| format!("{}: {detail}", part.name())),
        );
        match graded.verdict {
            Verdict::Judged(judgement) => {
                let score = judgement.score.get();
                judged.parts.push(score);
                total += part.weight() * f64::from(score);
                steps = steps.or_else(|| judgement.steps.clone());
                outcome.get_or_insert(judgement);
            }
            Verdict::CouldNotJudge { reason } => {
                let reason = match plain {
                    true => reason,
                    false => format!("reward `{}`: {reason}", part.name()),
                };
                judged.verdict = Verdict::could_not_judge(reason);
                judged.parts.clear();
                return judged;
            }
        }
    }
    let Some(mut outcome) = outcome else {
        return judged;
    };
    // Which answers are right is the verifier's to know, whichever part is the outcome.
    outcome.steps = outcome.steps.or(steps);
    judged.reward = Some(match scope {
        Scope::Outcome => outcome.score.get(),
        Scope::All => (total + penalty.unwrap_or(0.0)) as f32,
    });
    judged.parts.extend(penalty.map(|penalty| penalty as f32));
    judged.verdict = Verdict::Judged(outcome);
    judged
}

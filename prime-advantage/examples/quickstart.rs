//! Outcome-only and PRIME advantages of two responses to one prompt.

use prime_advantage::{AdvantageError, AdvantageEstimator, Prime, Response, RewardBatch, Rloo};

fn main() -> Result<(), AdvantageError> {
    // The first response was right, the second wrong; a PRM rewarded every token.
    let (right, wrong) = ([0.3, -0.1], [-0.2, 0.0, -0.4]);
    let batch = RewardBatch::from_responses(vec![vec![
        Response::new(2, 1.0).with_process_rewards(&right),
        Response::new(3, 0.0).with_process_rewards(&wrong),
    ]])?;
    let estimators: [&dyn AdvantageEstimator; 2] = [&Rloo::default(), &Prime::paper()];
    for estimator in estimators {
        for response in estimator.estimate(&batch)?.iter() {
            println!("{:5} {:+.2?}", estimator.name(), response.advantages());
        }
    }
    Ok(())
}

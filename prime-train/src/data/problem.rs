//! One problem, ready to be sampled from.

use std::sync::Arc;

use super::row::Row;

/// A problem ready to be sampled from.
#[derive(Debug, Clone, Default)]
pub struct PreparedProblem {
    /// Its number in its split: the same number is the same problem.
    pub id: u64,
    /// The question as text.
    pub prompt: String,
    /// The question as tokens.
    pub prompt_ids: Vec<u32>,
    /// What the verifier compares with.
    pub ground_truth: String,
    /// Whether judging a response means running it.
    pub is_code: bool,
    /// The row of a data file that it was made from.
    pub row: Option<Arc<Row>>,
}

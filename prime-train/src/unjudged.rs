//! What a run says about responses that could not be judged.

use crate::report::Transcript;

/// What could not be judged in a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Unjudged {
    /// Responses that could not be judged, at least one.
    pub count: usize,
    /// Responses sampled.
    pub of: usize,
    /// Why the first of them could not.
    pub reason: String,
    /// Whether too little was left to learn from: no prompt has two judged responses.
    pub nothing_left: bool,
    /// The responses, for people to read.
    pub transcripts: Vec<Transcript>,
}

impl Unjudged {
    /// The first time that a run says it.
    pub(crate) fn warning(&self, step: u64) -> String {
        let Unjudged {
            count, of, reason, ..
        } = self;
        let learned = match self.nothing_left {
            true => ", and nothing was learned",
            false => "; they are left out",
        };
        format!(
            "warning: step {step}: {count} of {of} responses could not be judged{learned}; the first: {reason} (the metric verifier/could_not_judge counts them)"
        )
    }
}

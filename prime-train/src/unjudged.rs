//! What a run says about responses that could not be judged.

use crate::report::Transcript;

/// Steps in a row without a verdict after which a run says so again.
const MANY: usize = 10;

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

/// Says it once, and again where nothing is judged for long.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    said: bool,
    in_a_row: usize,
}

impl Watch {
    /// Looks at a step that is over; what there is to say about it.
    pub(crate) fn look(&mut self, step: u64, found: Option<&Unjudged>) -> Option<String> {
        let Some(found) = found else {
            self.in_a_row = 0;
            return None;
        };
        let Unjudged {
            count, of, reason, ..
        } = found;
        self.in_a_row = if found.nothing_left {
            self.in_a_row + 1
        } else {
            0
        };
        if self.in_a_row > 0 && self.in_a_row.is_multiple_of(MANY) {
            let steps = self.in_a_row;
            return Some(format!(
                "warning: step {step}: too little could be judged to learn from for {steps} steps in a row; the first reason of this one: {reason}"
            ));
        }
        if std::mem::replace(&mut self.said, true) {
            return None;
        }
        let learned = match found.nothing_left {
            true => ", and nothing was learned",
            false => "; they are left out",
        };
        Some(format!(
            "warning: step {step}: {count} of {of} responses could not be judged{learned}; the first: {reason} (the metric verifier/could_not_judge counts them)"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once_and_again_after_ten_steps_without_any_verdict() {
        let found = |count| Unjudged {
            count,
            of: 4,
            reason: "no grader".to_owned(),
            nothing_left: count == 4,
            transcripts: vec![],
        };
        let mut watch = Watch::default();
        assert_eq!(watch.look(1, None), None);
        let first = watch.look(2, Some(&found(1))).unwrap();
        for part in ["step 2", "1 of 4", "left out", "no grader"] {
            assert!(first.contains(part), "{first}");
        }
        assert_eq!(watch.look(3, Some(&found(2))), None);
        let all = found(4);
        let said: Vec<u64> = (4..=23)
            .filter(|step| watch.look(*step, Some(&all)).is_some())
            .collect();
        assert_eq!(said, [13, 23]);
        assert_eq!(watch.look(24, None), None);
        let said = (25..=33).any(|step| watch.look(step, Some(&all)).is_some());
        assert!(!said);
        assert!(
            watch
                .look(34, Some(&all))
                .unwrap()
                .contains("10 steps in a row")
        );
    }
}

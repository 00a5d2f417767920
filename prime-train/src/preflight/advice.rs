//! What the samples say about the settings, in words.

use std::collections::{BTreeMap, BTreeSet};

use prime_policy::Tokenizer;
use serde::Serialize;

use super::Sample;
use crate::config::Config;
use crate::data::chat::NONE;
use crate::data::problems::Problems;

/// Reasons that are said.
const REASONS: usize = 3;

/// Shares and counts over the samples.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Facts {
    /// Responses.
    pub responses: usize,
    /// Responses that were judged.
    pub judged: usize,
    /// Fully right ones.
    pub right: usize,
    /// The mean outcome of the judged ones.
    pub pass_rate: Option<f64>,
    /// Responses in which an answer was looked for.
    pub looked_for: usize,
    /// Those in which there was one.
    pub with_answer: usize,
    /// Responses cut at `sampling.max_new_tokens`.
    pub truncated: usize,
    /// Responses without text.
    pub empty: usize,
    /// Responses that begin with the question.
    pub repeat_the_prompt: usize,
    /// Different texts.
    pub different: usize,
    /// Mean tokens of a response.
    pub mean_tokens: f64,
    /// Tokens of the longest response.
    pub longest_response: usize,
    /// Mean tokens of a prompt.
    pub mean_prompt_tokens: f64,
    /// Tokens of the longest prompt to train on.
    pub longest_prompt: usize,
    /// Why responses could not be judged, with how many.
    pub could_not_judge: BTreeMap<String, usize>,
    /// `data.extract`.
    pub extract: String,
    /// `sampling.max_new_tokens`.
    pub max_new_tokens: usize,
    /// Whether prompts go through no template though the model has one.
    pub template_unused: bool,
    /// Whether prompts go through no template since the model has none.
    pub no_template: bool,
    /// `filter.accuracy`.
    pub filtered: bool,
}

impl Facts {
    pub(super) fn of(
        samples: &[Sample],
        config: &Config,
        problems: &Problems,
        tokenizer: &Tokenizer,
    ) -> Self {
        let count = |holds: &dyn Fn(&Sample) -> bool| samples.iter().filter(|s| holds(s)).count();
        let n = samples.len().max(1) as f64;
        let mut could_not_judge = BTreeMap::new();
        for reason in samples
            .iter()
            .filter_map(|sample| sample.could_not_judge.clone())
        {
            *could_not_judge.entry(reason).or_default() += 1;
        }
        let outcomes: Vec<f64> = samples
            .iter()
            .filter_map(|sample| sample.outcome.map(f64::from))
            .collect();
        let texts: BTreeSet<&str> = samples
            .iter()
            .map(|sample| sample.response.as_str())
            .collect();
        let rows = problems.task().is_none();
        let has_templates = !tokenizer.chat_templates().is_empty();
        let template = config.data.chat_template.as_str();
        Self {
            responses: samples.len(),
            judged: outcomes.len(),
            right: outcomes.iter().filter(|outcome| **outcome >= 1.0).count(),
            pass_rate: (!outcomes.is_empty())
                .then(|| outcomes.iter().sum::<f64>() / outcomes.len() as f64),
            looked_for: count(&|s| s.looks_for_answer),
            with_answer: count(&|s| s.looks_for_answer && s.answer.is_some()),
            truncated: count(&|s| s.truncated),
            empty: count(&|s| s.response.trim().is_empty()),
            repeat_the_prompt: count(&|s| {
                let question = s.question.trim();
                !question.is_empty() && s.response.trim_start().starts_with(question)
            }),
            different: texts.len(),
            mean_tokens: samples.iter().map(|s| s.tokens as f64).sum::<f64>() / n,
            longest_response: samples.iter().map(|s| s.tokens).max().unwrap_or(0),
            mean_prompt_tokens: samples.iter().map(|s| s.prompt_tokens as f64).sum::<f64>() / n,
            longest_prompt: problems.longest_prompt(),
            could_not_judge,
            extract: config.data.extract.clone(),
            max_new_tokens: config.sampling.max_new_tokens,
            template_unused: rows && has_templates && template == NONE,
            no_template: rows && !has_templates && template == crate::data::chat::AUTO,
            filtered: config.filter.accuracy,
        }
    }

    /// What to change, the most telling first.
    pub fn advice(&self) -> Vec<String> {
        let n = self.responses;
        let mut advice = vec![];
        let unjudged = n - self.judged;
        if unjudged > 0 {
            let mut reasons: Vec<_> = self.could_not_judge.iter().collect();
            reasons.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
            let more = reasons.len().saturating_sub(REASONS);
            let mut reasons: Vec<String> = reasons
                .into_iter()
                .take(REASONS)
                .map(|(reason, times)| format!("{reason} ({times})"))
                .collect();
            if more > 0 {
                reasons.push(format!("and {more} more in preflight.json"));
            }
            advice.push(format!(
                "{unjudged} of {n} responses could not be judged, and are left out of training: {}",
                reasons.join("; ")
            ));
        }
        if self.empty * 4 >= n {
            advice.push(format!(
                "{} of {n} responses are empty: the model ends at once, as one does that is asked in another form than it \
                 learned; look at the prompt above, and at data.chat_template",
                self.empty
            ));
        }
        if self.truncated * 4 >= n {
            advice.push(format!(
                "{} of {n} responses are cut at sampling.max_new_tokens = {}: raise it, ask for shorter answers \
                 (data.prompt_template), or name what ends one (sampling.stop_strings)",
                self.truncated, self.max_new_tokens
            ));
        }
        if self.looked_for > 0 && self.with_answer * 2 < self.looked_for {
            let place = match self.extract.as_str() {
                crate::reward::extraction::AUTO => {
                    "data.extract = auto looks (a box, or where the prompt asks for it)".to_owned()
                }
                place => format!("data.extract = {place} looks"),
            };
            advice.push(format!(
                "{} of {} responses has an answer where {place}: show one by data.example_turns, ask for it by \
                 data.prompt_template, or set data.extract to where the answers stand",
                self.with_answer, self.looked_for
            ));
        }
        if self.repeat_the_prompt * 4 >= n {
            advice.push(format!(
                "{} of {n} responses repeat the question: a base model does; add data.example_turns, or take an instruct model",
                self.repeat_the_prompt
            ));
        }
        if self.different == 1 && n > 1 {
            advice.push(format!(
                "all {n} responses are the same text: there is nothing to choose from; raise sampling.temperature, or see why \
                 the prompts make no difference"
            ));
        }
        let uniform = match self.right {
            _ if self.judged == 0 => None,
            0 if self.pass_rate == Some(0.0) => {
                Some("too hard, or the answers are not found: easier rows, or example turns")
            }
            right if right == self.judged => Some("too easy: harder rows"),
            _ => None,
        };
        if let Some(why) = uniform {
            let consequence = match self.filtered {
                true => {
                    "the filter leaves such prompts out, and a step without others learns nothing"
                }
                false => "where rewards do not differ, there is nothing to learn",
            };
            advice.push(format!(
                "{} of {} responses are right: {consequence}; {why}",
                self.right, self.judged
            ));
        }
        if self.template_unused {
            advice.push(
                "data.chat_template = none, though the model has a template: a model that was trained on chats answers better \
                 through it (data.chat_template = auto)"
                    .to_owned(),
            );
        }
        if self.no_template {
            advice.push(
                "the model has no chat template: the messages of a row are joined by blank lines; for a chat model name its \
                 template by data.chat_template"
                    .to_owned(),
            );
        }
        advice
    }

    /// Why no run can come of it.
    pub(super) fn stop(&self) -> Option<String> {
        if self.judged > 0 {
            return None;
        }
        let most = self.could_not_judge.iter().max_by_key(|(_, times)| **times);
        let reason = most.map_or("there was no response", |(reason, _)| reason.as_str());
        Some(format!(
            "none of {} responses could be judged, so there is nothing to learn from: {reason}; mend the rows or the grader, or \
             set run.preflight=false to train all the same",
            self.responses
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Facts {
        Facts {
            responses: 16,
            judged: 16,
            right: 6,
            pass_rate: Some(6.0 / 16.0),
            looked_for: 16,
            with_answer: 16,
            different: 15,
            extract: "boxed".to_owned(),
            max_new_tokens: 64,
            filtered: true,
            ..Facts::default()
        }
    }

    #[test]
    fn each_fault_has_its_advice_and_a_good_start_has_none() {
        assert_eq!(good().advice(), Vec::<String>::new());
        let reasons = [("the gold is empty".to_owned(), 4)].into();
        let none_right = Facts {
            right: 0,
            pass_rate: Some(0.0),
            ..good()
        };
        let all_right = Facts {
            right: 16,
            pass_rate: Some(1.0),
            ..good()
        };
        for (facts, said) in [
            (
                Facts {
                    with_answer: 1,
                    ..good()
                },
                "1 of 16 responses has an answer where data.extract = boxed looks",
            ),
            (
                Facts {
                    truncated: 12,
                    ..good()
                },
                "12 of 16 responses are cut at sampling.max_new_tokens = 64: raise it",
            ),
            (none_right, "0 of 16 responses are right: the filter"),
            (all_right, "16 of 16 responses are right"),
            (Facts { empty: 5, ..good() }, "5 of 16 responses are empty"),
            (
                Facts {
                    repeat_the_prompt: 9,
                    ..good()
                },
                "9 of 16 responses repeat the question",
            ),
            (
                Facts {
                    different: 1,
                    ..good()
                },
                "all 16 responses are the same text",
            ),
            (
                Facts {
                    judged: 12,
                    could_not_judge: reasons,
                    ..good()
                },
                "4 of 16 responses could not be judged",
            ),
            (
                Facts {
                    template_unused: true,
                    ..good()
                },
                "data.chat_template = none",
            ),
            (
                Facts {
                    no_template: true,
                    ..good()
                },
                "no chat template",
            ),
        ] {
            let advice = facts.advice();
            assert!(
                advice.len() == 1 && advice[0].starts_with(said) || advice[0].contains(said),
                "{said}: {advice:?}"
            );
        }
    }

    #[test]
    fn it_stops_where_nothing_can_be_judged_only() {
        assert_eq!(good().stop(), None);
        let reasons = [("the gold is empty".to_owned(), 16)].into();
        let facts = Facts {
            judged: 0,
            pass_rate: None,
            could_not_judge: reasons,
            ..good()
        };
        let said = facts.stop().unwrap();
        assert!(
            said.contains("the gold is empty") && said.contains("run.preflight=false"),
            "{said}"
        );
    }
}

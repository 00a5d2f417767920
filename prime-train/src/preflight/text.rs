//! The preflight on the console.

use std::fmt;

use super::{Preflight, Sample};

/// Characters of a prompt or response that are shown.
const SHOWN: usize = 1200;

impl fmt::Display for Preflight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, sample) in self.shown().into_iter().enumerate() {
            writeln!(f, "preflight: sample {}", number + 1)?;
            sample.show(f)?;
        }
        let facts = &self.facts;
        let n = facts.responses;
        let row = |f: &mut fmt::Formatter<'_>, name: &str, value: String| {
            writeln!(f, "  | {name:<26} | {value:>24} |")
        };
        writeln!(f, "preflight: {n} responses")?;
        let rate = match facts.pass_rate {
            Some(rate) => format!("{:.0} % ({} right)", 100.0 * rate, facts.right),
            None => "nothing judged".to_owned(),
        };
        row(f, "pass rate", rate)?;
        if facts.looked_for > 0 {
            let found = format!("{} of {}", facts.with_answer, facts.looked_for);
            row(f, "an answer found", found)?;
        }
        row(
            f,
            "cut at max_new_tokens",
            format!("{} of {n}", facts.truncated),
        )?;
        row(
            f,
            "could not be judged",
            format!("{} of {n}", n - facts.judged),
        )?;
        let tokens = format!(
            "{:.0} mean, {} most",
            facts.mean_tokens, facts.longest_response
        );
        row(f, "tokens of a response", tokens)?;
        let tokens = format!(
            "{:.0} mean, {} most",
            facts.mean_prompt_tokens, facts.longest_prompt
        );
        row(f, "tokens of a prompt", tokens)?;
        if let Some(seconds) = self.seconds_per_step {
            row(
                f,
                "seconds a step, estimated",
                format!("{:.1}, up to {:.1}", seconds.step, seconds.most),
            )?;
            writeln!(
                f,
                "  (sampling {:.1}, judging {:.1}, reward model {:.1}, policy {:.1}; the filter is likely to keep {:.0} % of the prompts; the second number is for all)",
                seconds.rollout,
                seconds.verify,
                seconds.prm,
                seconds.policy,
                100.0 * seconds.kept
            )?;
        }
        if let Some(bytes) = self.memory {
            let mib = bytes as f64 / f64::from(1 << 20);
            row(f, "memory of such a step", format!("{mib:.0} MiB"))?;
        }
        for advice in &self.advice {
            writeln!(f, "advice: {advice}")?;
        }
        Ok(())
    }
}

impl Preflight {
    /// Two samples of different prompts; a right one, where there is one, and another.
    fn shown(&self) -> Vec<&Sample> {
        let right = self.samples.iter().find(|s| s.outcome == Some(1.0));
        let Some(first) = right.or(self.samples.first()) else {
            return vec![];
        };
        let other = self
            .samples
            .iter()
            .find(|s| s.prompt != first.prompt && s.outcome != Some(1.0));
        let other = other.or_else(|| self.samples.iter().find(|s| s.prompt != first.prompt));
        std::iter::once(first).chain(other).collect()
    }
}

impl Sample {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  prompt ({} tokens), as the model reads it:",
            self.prompt_tokens
        )?;
        block(f, &self.prompt)?;
        let cut = if self.truncated { ", cut" } else { "" };
        writeln!(f, "  response ({} tokens{cut}):", self.tokens)?;
        block(f, &self.response)?;
        if self.looks_for_answer {
            let answer = self.answer.as_deref().unwrap_or("none found");
            writeln!(f, "  answer: {}", shortened(answer))?;
        }
        writeln!(f, "  gold: {}", shortened(&self.gold))?;
        let verdict = match (self.outcome, &self.could_not_judge) {
            (Some(outcome), _) if outcome >= 1.0 => "right".to_owned(),
            (Some(0.0), _) => "wrong".to_owned(),
            (Some(outcome), _) => format!("partly right, {outcome}"),
            (None, Some(reason)) => format!("could not be judged: {reason}"),
            (None, None) => "could not be judged".to_owned(),
        };
        match self.reward {
            Some(reward) => writeln!(f, "  verdict: {verdict}, reward {reward}\n"),
            None => writeln!(f, "  verdict: {verdict}, no reward\n"),
        }
    }
}

fn block(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let shown = shortened(text);
    if shown.is_empty() {
        return writeln!(f, "    (nothing)");
    }
    shown.lines().try_for_each(|line| writeln!(f, "    {line}"))
}

/// The beginning and the end: the question stands last, and the answer too.
fn shortened(text: &str) -> String {
    let count = text.chars().count();
    if count <= SHOWN {
        return text.to_owned();
    }
    let half = SHOWN / 2;
    let start: String = text.chars().take(half).collect();
    let end: String = text.chars().skip(count - half).collect();
    format!("{start}\n[… {} characters …]\n{end}", count - 2 * half)
}

//! The picture of one response: tokens coloured by their process reward, and what is known of them.

use std::fmt::Write;

use prime_policy::FinishReason;
use prime_verifier::Detail;

use super::scale::significant;
use super::style::escape;
use super::transcripts::Transcript;
use crate::data::tasks;

/// The reward drawn in full colour: few are larger, so that one outlier does not bleach the rest.
pub(super) fn full_color(transcripts: &[Transcript]) -> f32 {
    const QUANTILE: f64 = 0.95;
    let rewards = transcripts.iter().flat_map(|t| &t.process_rewards);
    let mut sizes: Vec<f32> = rewards.map(|r| r.abs()).filter(|&r| r > 0.0).collect();
    sizes.sort_by(f32::total_cmp);
    let at = ((sizes.len() as f64 * QUANTILE) as usize).min(sizes.len().saturating_sub(1));
    sizes.get(at).copied().unwrap_or(1.0)
}

/// How much of a response is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// Tokens of the response.
    pub(super) tokens: usize,
    /// Characters of the prompt, of the answer and of the solution.
    pub(super) characters: usize,
}

/// Shades of a colour: `g1` to `g9` above 0, `r1` to `r9` below, none at 0.
const SHADES: f32 = 9.0;

/// The styles of the shades.
pub(super) fn shades_css() -> String {
    let mut css = String::new();
    for shade in 1..=SHADES as usize {
        let strength = shade as f32 / SHADES * 0.85;
        for (name, color) in [("g", "22,163,74"), ("r", "220,38,38")] {
            let _ = write!(
                css,
                ".response .{name}{shade}{{background:rgba({color},{strength:.2})}}"
            );
        }
    }
    css
}

fn shade(reward: f32, full: f32) -> Option<String> {
    let strength = (reward.abs() / full * SHADES).round().min(SHADES);
    let color = if reward > 0.0 { 'g' } else { 'r' };
    (strength >= 1.0).then(|| format!(" class=\"{color}{strength}\""))
}

fn token(transcript: &Transcript, position: usize, full: f32) -> String {
    let numbers = [
        ("reward", &transcript.process_rewards),
        ("advantage", &transcript.advantages),
        ("log-prob", &transcript.log_probs),
    ];
    let known: Vec<String> = numbers
        .into_iter()
        .filter_map(|(name, stream)| {
            let number = f64::from(*stream.get(position)?);
            Some(format!("{name} {}", significant(number)))
        })
        .collect();
    let reward = transcript.process_rewards.get(position);
    let class = reward.and_then(|reward| shade(*reward, full));
    let title = match known.is_empty() {
        true => String::new(),
        false => format!(" title=\"{}\"", known.join(", ")),
    };
    let text = escape(&transcript.tokens[position]);
    format!("<i{}{title}>{text}</i>", class.unwrap_or_default())
}

fn tick(right: bool) -> &'static str {
    if right {
        "<sup class=\"ok\">✓</sup>"
    } else {
        "<sup class=\"no\">✗</sup>"
    }
}

/// The response with a mark after each answer; marks of missing answers come at the end.
fn response(transcript: &Transcript, full: f32, most: usize) -> String {
    let marks = transcript.answers_right.as_deref().unwrap_or_default();
    let pieces = match marks.is_empty() {
        true => vec![],
        false => tasks::pieces(&transcript.tokens),
    };
    let mut ended = pieces.iter().zip(marks).peekable();
    let mut html = String::new();
    for position in 0..=transcript.tokens.len().min(most) {
        while let Some((_, &right)) = ended.next_if(|(piece, _)| piece.end <= position) {
            html.push_str(tick(right));
        }
        if position < transcript.tokens.len().min(most) {
            html.push_str(&token(transcript, position, full));
        }
    }
    match transcript.tokens.len().checked_sub(most) {
        Some(more) if more > 0 => {
            let _ = write!(html, "<span class=\"meta\"> … {more} more tokens</span>");
        }
        _ => html.extend(marks.iter().skip(pieces.len()).map(|&right| tick(right))),
    }
    html
}

fn badge(outcome: Option<f32>) -> String {
    match outcome {
        Some(outcome) if outcome >= 1.0 => "<span class=\"badge ok\">✓ passed</span>".to_string(),
        Some(outcome) if outcome <= 0.0 => "<span class=\"badge no\">✗ failed</span>".to_string(),
        Some(outcome) => format!(
            "<span class=\"badge\">outcome {}</span>",
            significant(f64::from(outcome))
        ),
        None => "<span class=\"badge\">not judged</span>".to_string(),
    }
}

fn how(detail: &Detail) -> Option<String> {
    match detail {
        Detail::NoAnswer => Some("no answer".to_owned()),
        Detail::Unreadable { why } => Some(format!("the answer cannot be read: {why}")),
        Detail::Undecided { why } => Some(format!("the answer cannot be decided: {why}")),
        Detail::WrongCount { found, expected } => {
            Some(format!("{found} answers where {expected} are wanted"))
        }
        _ => None,
    }
}

fn ended(finish: FinishReason) -> &'static str {
    match finish {
        FinishReason::Stop => "ended by a stop token",
        FinishReason::StopString => "ended by a stop string",
        FinishReason::Length => "cut off at the length limit",
        FinishReason::Cancelled => "cancelled",
    }
}

/// What is known of the whole response, in order of interest.
fn facts(transcript: &Transcript) -> Vec<String> {
    let sum = |stream: &[f32]| significant(stream.iter().map(|&v| f64::from(v)).sum());
    let mut facts = vec![];
    facts.extend(transcript.could_not_judge.iter().cloned());
    facts.extend(transcript.detail.as_ref().and_then(how));
    facts.extend(transcript.answers_right.as_ref().map(|marks| {
        let right = marks.iter().filter(|&&right| right).count();
        format!("{right} of {} answers right", marks.len())
    }));
    facts.extend(
        transcript
            .reward
            .map(|reward| format!("reward {}", significant(f64::from(reward)))),
    );
    for (name, part) in &transcript.rewards {
        facts.push(format!("{name} {}", significant(f64::from(*part))));
    }
    facts.push(match transcript.process_rewards.as_slice() {
        [] => "no process reward".to_owned(),
        rewards => format!("process reward {}", sum(rewards)),
    });
    if transcript.advantages.is_empty() {
        facts.push("not learned from".to_owned());
    }
    if !transcript.log_probs.is_empty() {
        facts.push(format!("log-prob {}", sum(&transcript.log_probs)));
    }
    let tokens = format!("{} tokens", transcript.tokens.len());
    facts.push(match transcript.finish {
        Some(finish) => format!("{tokens}, {}", ended(finish)),
        None => tokens,
    });
    facts.extend(transcript.grader_details.iter().cloned());
    facts
}

/// One response as a picture, and whether something of it was left out; `full` is the reward drawn in full colour.
pub(super) fn html(transcript: &Transcript, full: f32, cut: Cut) -> (String, bool) {
    let mut was_cut = transcript.tokens.len() > cut.tokens;
    let mut short = |text: &str| match text.char_indices().nth(cut.characters) {
        Some((end, _)) => {
            was_cut = true;
            format!("{}<span class=\"meta\"> …</span>", escape(&text[..end]))
        }
        None => escape(text),
    };
    let prompt = short(&transcript.prompt);
    let facts = short(&facts(transcript).join(" · "));
    let solution = short(&transcript.ground_truth);
    let answer = match &transcript.answer {
        Some(answer) => format!("answer: {} · ", short(answer)),
        None => String::new(),
    };
    let html = format!(
        "<div class=\"sheet\"><div>{}<span class=\"meta\">{facts}</span></div>\
         <div class=\"prompt\">{prompt}</div><div class=\"response\">{}</div>\
         <div class=\"meta\">{answer}solution: {solution}</div></div>",
        badge(transcript.outcome),
        response(transcript, full, cut.tokens),
    );
    (html, was_cut)
}

#[cfg(test)]
mod tests {
    use super::super::transcripts::tests::transcript;
    use super::*;

    const WHOLE: Cut = Cut {
        tokens: usize::MAX,
        characters: usize::MAX,
    };

    fn shown(transcript: &Transcript, cut: Cut) -> String {
        html(transcript, 0.4, cut).0
    }

    fn words(html: &str) -> String {
        html.split('<')
            .filter_map(|tag| tag.split_once('>'))
            .map(|t| t.1)
            .collect()
    }

    #[test]
    fn rewards_are_colored_by_sign_and_size_and_every_number_is_there() {
        let html = shown(&transcript(), WHOLE);
        assert!(
            html.contains("<i class=\"g5\" title=\"reward 0.2, advantage 1, log-prob -0.25\">4<"),
            "{html}"
        );
        assert!(
            html.contains("<i class=\"r9\" title=\"reward -0.4, advantage 1, log-prob -2\">1<")
        );
        assert!(html.contains("&lt;eos&gt;") && html.contains("2+2&lt;script&gt;"));
        assert!(!html.contains("<script") && !html.contains("<eos"));
    }

    #[test]
    fn the_verdict_says_how_it_came_about() {
        let text = words(&shown(&transcript(), WHOLE));
        for part in [
            "✓ passed",
            "2 answers where 3 are wanted",
            "reward 1",
            "process reward -0.1",
            "log-prob -2.875",
            "5 tokens, ended by a stop token",
            "answer: 04,1",
            "solution: 04,12,13",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let mut filtered = transcript();
        filtered.advantages.clear();
        filtered.could_not_judge = Some("no interpreter".to_owned());
        filtered.detail = Some(Detail::NoAnswer);
        let text = words(&shown(&filtered, WHOLE));
        assert!(text.contains("no interpreter"), "{text}");
        assert!(
            text.contains("not learned from") && text.contains("no answer"),
            "{text}"
        );
    }

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        let mut long = transcript();
        for (tokens, name) in [(3000, "a"), (2, "b")] {
            long.tokens = vec![name.to_owned(); tokens];
            long.process_rewards = vec![0.1; tokens];
            long.log_probs = vec![-0.1; tokens];
            long.advantages = vec![];
            long.answers_right = None;
            long.prompt = "é".repeat(5000);
            let (html, was_cut) = html(
                &long,
                0.4,
                Cut {
                    tokens: 400,
                    characters: 1000,
                },
            );
            assert!(was_cut);
            assert_eq!(words(&html).contains("2600 more tokens"), tokens == 3000);
            assert_eq!(words(&html).matches('é').count(), 1000);
            assert!(html.len() < 40_000, "{}", html.len());
        }
        assert!(!html(&transcript(), 0.4, WHOLE).1);
    }

    #[test]
    fn marks_follow_their_answers_and_missing_ones_come_last() {
        let text = words(&shown(&transcript(), WHOLE));
        assert!(text.contains("04✓,1✗&lt;eos&gt;✗"), "{text}");
        assert!(text.contains("1 of 3 answers right"), "{text}");
    }

    #[test]
    fn the_scale_ignores_outliers_and_zeros() {
        let mut many = transcript();
        many.process_rewards = (0..100).map(|i| if i == 0 { 50.0 } else { 0.5 }).collect();
        assert_eq!(full_color(&[many]), 0.5);
        let mut none = transcript();
        none.process_rewards = vec![0.0; 5];
        assert_eq!(full_color(&[none]), 1.0);
        assert_eq!(full_color(&[]), 1.0);
    }
}

//! Where in a response the answer stands, as the prompt asks for it.

use super::row::Message;

/// Where in a response the answer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AnswerPlace {
    /// In `\boxed{…}`.
    Boxed,
    /// Behind `####`, as in gsm8k.
    Hashes,
    /// On a line that begins with `Answer:`, as DAPO asks.
    AnswerLine,
    /// Between `<answer>` and `</answer>`, as prompts in the manner of R1 ask.
    AnswerTags,
}

/// How each is written.
const MARKS: [(AnswerPlace, &[&str]); 4] = [
    (AnswerPlace::Boxed, &["\\boxed", "\\fbox"]),
    (AnswerPlace::Hashes, &["####"]),
    (
        AnswerPlace::AnswerLine,
        &["Answer:", "answer:", "ANSWER:", "Answer: "],
    ),
    (
        AnswerPlace::AnswerTags,
        &["</answer>", "<answer> tag", "<answer></answer>"],
    ),
];
/// Words of an instruction about the form of a response. A problem may hold `####` or "Answer:" for reasons of its own.
const CUES: [&str; 18] = [
    "form", "after", "line", "write", "output", "put ", "end ", "begin", "start", "give",
    "respond", "conclude", "finish", "return", "with", "place", "provide", "state",
];
/// Bytes on either side of a mark in which a cue counts.
const REACH: usize = 120;

impl AnswerPlace {
    /// What a conversation asks for: the last instruction counts, and what the turns of the assistant show by example.
    pub fn asked_by(messages: &[Message]) -> Option<Self> {
        messages
            .iter()
            .rev()
            .find_map(|message| Self::in_text(&message.content, message.role == "assistant"))
    }

    fn in_text(text: &str, by_example: bool) -> Option<Self> {
        let last = |(place, marks): &(Self, &[&str])| {
            let at = marks.iter().filter_map(|mark| {
                let found = text.rmatch_indices(mark).map(|(at, _)| at);
                let mut asking = found.filter(|at| {
                    by_example || place.needs_no_cue() || is_instruction(text, *at, mark.len())
                });
                asking.next()
            });
            at.max().map(|at| (at, *place))
        };
        let (_, place) = MARKS.iter().filter_map(last).max_by_key(|(at, _)| *at)?;
        Some(place)
    }

    fn needs_no_cue(self) -> bool {
        matches!(self, Self::Boxed | Self::AnswerTags)
    }
}

fn is_instruction(text: &str, at: usize, length: usize) -> bool {
    let mut start = at.saturating_sub(REACH);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let mut end = (at + length + REACH).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let line_start = text[start..at]
        .rfind('\n')
        .map_or(start, |nl| start + nl + 1);
    let line_end = text[at..end].find('\n').map_or(end, |nl| at + nl);
    let around = text[line_start..line_end].to_lowercase();
    let mark = &text[at..at + length];
    let says_answer = mark != "####" || around.contains("answer") || around.contains("result");
    says_answer && CUES.iter().any(|cue| around.contains(cue))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(turns: &[(&str, &str)]) -> Option<AnswerPlace> {
        let messages: Vec<Message> = turns.iter().map(|(r, c)| Message::new(*r, *c)).collect();
        AnswerPlace::asked_by(&messages)
    }

    #[test]
    fn instructions_are_recognised() {
        use AnswerPlace::*;
        let cases = [
            (
                "1+1? Think, and write the final answer after \"####\".",
                Some(Hashes),
            ),
            ("Let us go. End with: #### <answer>", Some(Hashes)),
            ("1+1? Put it within \\boxed{}.", Some(Boxed)),
            (
                "The last line should be of the form Answer: $Answer\n\n1+1?\n\nPut it after \"Answer:\".",
                Some(AnswerLine),
            ),
            (
                "Reason in <think> </think>, answer in <answer> </answer> tags. 1+1?",
                Some(AnswerTags),
            ),
            ("1+1?", None),
            // Headings and questions of a problem's own.
            ("#### Problem 3\nHow many are there?", None),
            ("Q: 1+1?\nAnswer: ", None),
        ];
        for (text, place) in cases {
            assert_eq!(asked(&[("user", text)]), place, "{text}");
        }
    }

    #[test]
    fn the_last_instruction_counts_and_examples_do() {
        let system = ("system", "Use <answer> tags.");
        assert_eq!(
            asked(&[system, ("user", "2?")]),
            Some(AnswerPlace::AnswerTags)
        );
        let boxed = ("user", "2? Use \\boxed{}.");
        assert_eq!(asked(&[system, boxed]), Some(AnswerPlace::Boxed));
        let shown = [
            ("user", "1+1?"),
            ("assistant", "Two.\n#### 2"),
            ("user", "1+2?"),
        ];
        assert_eq!(asked(&shown), Some(AnswerPlace::Hashes));
    }
}

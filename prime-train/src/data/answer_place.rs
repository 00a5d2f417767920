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

const ANSWER: &[u8] = b"answer";
/// The tags as they are mentioned.
const TAGS: [&[u8]; 3] = [b"</answer>", b"<answer> tag", b"<answer></answer>"];
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

    /// One pass from the end: the last mark that asks for an answer.
    fn in_text(text: &str, by_example: bool) -> Option<Self> {
        let bytes = text.as_bytes();
        let asks = |at, length| by_example || is_instruction(text, at, length);
        (0..bytes.len()).rev().find_map(|at| {
            let rest = bytes.get(at..)?;
            match rest.first()? {
                b'\\' if rest.starts_with(b"\\boxed") || rest.starts_with(b"\\fbox") => {
                    Some(Self::Boxed)
                }
                b'#' if rest.starts_with(b"####") && asks(at, 4) => Some(Self::Hashes),
                b':' => {
                    let start = at.checked_sub(ANSWER.len())?;
                    let word = bytes.get(start..at)?;
                    let is_mark = word.eq_ignore_ascii_case(ANSWER) && asks(start, ANSWER.len());
                    is_mark.then_some(Self::AnswerLine)
                }
                b'<' => TAGS
                    .iter()
                    .any(|tag| rest.starts_with(tag))
                    .then_some(Self::AnswerTags),
                _ => None,
            }
        })
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
    let says_answer =
        length == ANSWER.len() || around.contains("answer") || around.contains("result");
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

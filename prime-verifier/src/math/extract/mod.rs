//! Finding the answer in a response.
//!
//! Every search is one or two passes over the end of the text; nothing backtracks. What is found is a piece of the text
//! and the place it comes from, so that a log can show why a response was graded as it was.

mod boxed;
mod hedge;
mod mark;
mod phrase;
mod prose;
mod span;

use std::borrow::Cow;
use std::ops::Range;

use serde::{Deserialize, Serialize};

pub use boxed::{Boxed, last_boxed};

/// Where in a response an answer may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Source {
    /// The last `\boxed{…}` or `\fbox{…}`, with the boxes joined to it by commas, "and" or "or".
    Boxed,
    /// Behind the last "final answer is" or "final answer:".
    FinalAnswer,
    /// Behind the last "answer is", "answer:" or "solution is".
    Answer,
    /// The whole response, if it is an answer and nothing else.
    Whole,
    /// The last passage in `**bold**`.
    Bold,
    /// The last `$…$`, `\(…\)`, `\[…\]`, with the ones joined to it.
    MathSpan,
    /// The last number of the prose, or the last choice letter if the ground truth is one.
    LastValue,
    /// Behind the last `####`, on its line, as in the solutions of gsm8k.
    Hash,
    /// Between the last `<answer>` and `</answer>`.
    AnswerTag,
    /// On the last line that begins with `Answer:`.
    AnswerLine,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Boxed,
        Self::FinalAnswer,
        Self::Answer,
        Self::Whole,
        Self::Bold,
        Self::MathSpan,
        Self::LastValue,
        Self::Hash,
        Self::AnswerTag,
        Self::AnswerLine,
    ];

    /// Where answers stand in texts whose form nobody laid down, the surest first. The others are marks of a layout, and
    /// mean something else where it was not asked for: `####` is a heading in Markdown.
    pub const ANYWHERE: [Self; 7] = [
        Self::Boxed,
        Self::FinalAnswer,
        Self::Answer,
        Self::Whole,
        Self::Bold,
        Self::MathSpan,
        Self::LastValue,
    ];

    /// The name that files and command lines carry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boxed => "boxed",
            Self::FinalAnswer => "final_answer",
            Self::Answer => "answer",
            Self::Whole => "whole",
            Self::Bold => "bold",
            Self::MathSpan => "math_span",
            Self::LastValue => "last_value",
            Self::Hash => "hash",
            Self::AnswerTag => "answer_tag",
            Self::AnswerLine => "answer_line",
        }
    }

    /// The source of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }
}

/// How to find the answer in a response.
///
/// ```
/// use prime_verifier::math::{Extraction, Source};
///
/// let text = "<think>Maybe 3?</think> The answer is $4$.";
/// let found = Extraction::anywhere().find(text).expect("an answer is there");
/// assert_eq!((&*found.text, found.source), ("4", Source::Answer));
/// assert!(Extraction::boxed().find(text).is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Extraction {
    /// Where to look, the first that has an answer winning. A phrase behind the last box is later, and wins.
    pub sources: Vec<Source>,
    /// Whether what stands before the last closing tag of a thought is passed over, and all of a thought that is not
    /// closed. The whole response is looked through for the tags, whatever `tail` is.
    pub strip_thinking: bool,
    /// Whether a response without a closing tag has no answer: for templates that open the thought in the prompt, so that
    /// a response which never closes it is nothing but thought.
    pub require_closed_thinking: bool,
    /// What opens and closes a thought.
    pub thinking_tags: Vec<[Cow<'static, str>; 2]>,
    /// Bytes at the end of the response that are searched.
    pub tail: usize,
}

impl Default for Extraction {
    /// [`Extraction::boxed`].
    fn default() -> Self {
        Self::boxed()
    }
}

/// An answer and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found<'t> {
    /// The answer, trimmed; put together if it stood in several boxes.
    pub text: Cow<'t, str>,
    /// The kind of place.
    pub source: Source,
    /// Bytes of the response, from the first through the last of the answer.
    pub span: Range<usize>,
}

impl Extraction {
    /// Boxes only: what a reward should accept, or a policy learns to hint at answers.
    pub fn boxed() -> Self {
        Self {
            sources: vec![Source::Boxed],
            strip_thinking: true,
            require_closed_thinking: false,
            thinking_tags: THINKING_TAGS.map(|tags| tags.map(Cow::Borrowed)).to_vec(),
            tail: 1 << 16,
        }
    }

    /// [`Source::ANYWHERE`]: for texts of models that were not told how to answer.
    pub fn anywhere() -> Self {
        Self {
            sources: Source::ANYWHERE.to_vec(),
            ..Self::boxed()
        }
    }

    /// Looks in these places only, in this order.
    #[must_use]
    pub fn with_sources(mut self, sources: impl IntoIterator<Item = Source>) -> Self {
        self.sources = sources.into_iter().collect();
        self
    }

    /// The answer in `response`; `None` if there is none, or it is blank.
    pub fn find<'t>(&self, response: &'t str) -> Option<Found<'t>> {
        self.find_for(response, false)
    }

    /// Like [`Self::find`]; `choice` says that a letter is wanted where prose has to be searched.
    pub(super) fn find_for<'t>(&self, response: &'t str, choice: bool) -> Option<Found<'t>> {
        let (start, text) = self.searched(response);
        let boxes = if self.sources.contains(&Source::Boxed) {
            boxed::boxes(text)
        } else {
            vec![]
        };
        let last_box = boxes.last().map(|last| last.span.end);
        // A boxed answer is final unless a phrase behind it says otherwise.
        if let Some(end) = last_box
            && self.sources.contains(&Source::FinalAnswer)
            && let Some(found) = phrase::final_answer(text)
            && found.start > end
        {
            return self.at(
                start,
                text,
                stated(text, found, choice),
                Source::FinalAnswer,
            );
        }
        let unclosed = if self.sources.contains(&Source::Boxed) && last_box.is_none() {
            boxed::unclosed(text)
        } else {
            None
        };
        for source in &self.sources {
            let range = match source {
                Source::Boxed => {
                    if let Some(found) = joined_boxes(text, &boxes) {
                        return Some(Found {
                            span: found.span.start + start..found.span.end + start,
                            ..found
                        });
                    }
                    // A box that says nothing is an answer that says nothing.
                    if last_box.is_some() {
                        return None;
                    }
                    None
                }
                Source::FinalAnswer => {
                    phrase::final_answer(text).map(|range| stated(text, range, choice))
                }
                Source::Answer => phrase::answer(text).map(|range| stated(text, range, choice)),
                Source::Whole => whole(text),
                Source::Bold => span::last_bold(text),
                // A number in a later sentence is the later answer.
                Source::MathSpan => span::last_math(text).filter(|math| {
                    let later = prose::last_number(text)
                        .filter(|_| !choice && self.sources.contains(&Source::LastValue));
                    !later.is_some_and(|number| {
                        span::sentence_ends_between(text, math.end - 1, number.start)
                    })
                }),
                Source::LastValue if choice => prose::last_choice(text),
                Source::LastValue => prose::last_number(text),
                Source::Hash => mark::hash(text).map(|range| stated(text, range, choice)),
                Source::AnswerTag => {
                    mark::answer_tag(text).map(|range| stated(text, range, choice))
                }
                Source::AnswerLine => {
                    mark::answer_line(text).map(|range| stated(text, range, choice))
                }
            };
            if let Some(range) = range
                && let Some(found) = self.at(start, text, range.clone(), *source)
            {
                // A box that the end cuts off may miss digits, and "not 5" or "at least 5" is no answer.
                let cut_off = unclosed.is_some_and(|open| range.end > open);
                let said = !matches!(source, Source::Whole | Source::Bold);
                if cut_off || said && hedge::is_hedged(text, &range) {
                    return None;
                }
                return Some(found);
            }
        }
        None
    }

    fn at<'t>(
        &self,
        offset: usize,
        text: &'t str,
        range: Range<usize>,
        source: Source,
    ) -> Option<Found<'t>> {
        let content = text.get(range.clone())?.trim();
        (!content.is_empty()).then(|| Found {
            text: Cow::Borrowed(content),
            source,
            span: range.start + offset..range.end + offset,
        })
    }

    /// The end of the response that is searched, and where it begins.
    fn searched<'t>(&self, response: &'t str) -> (usize, &'t str) {
        let (mut start, mut text) = (0, response);
        if self.strip_thinking {
            let closed = self
                .thinking_tags
                .iter()
                .filter_map(|[_, close]| Some(text.rfind(&**close)? + close.len()))
                .max();
            match closed {
                Some(end) => (start, text) = (end, &text[end..]),
                None if self.require_closed_thinking => return (response.len(), ""),
                None => {}
            }
            for [open, _] in &self.thinking_tags {
                if let Some(at) = text.find(&**open) {
                    text = &text[..at];
                }
            }
        }
        let mut cut = text.len().saturating_sub(self.tail);
        while !text.is_char_boundary(cut) {
            cut += 1;
        }
        (start, text) = (start + cut, &text[cut..]);
        (start, text)
    }
}

/// What the thoughts of known models stand between.
const THINKING_TAGS: [[&str; 2]; 6] = [
    ["<think>", "</think>"],
    ["<thinking>", "</thinking>"],
    ["<reasoning>", "</reasoning>"],
    ["<|begin_of_thought|>", "<|end_of_thought|>"],
    ["◁think▷", "◁/think▷"],
    [
        "<|channel|>analysis<|message|>",
        "<|channel|>final<|message|>",
    ],
];

/// Longest sentence that is read as an answer, in bytes.
const MAX_SENTENCE: usize = 1000;

fn reads(text: &str) -> bool {
    text.len() <= MAX_SENTENCE && super::parser::parse(text).is_ok()
}

/// The response, if all of it is one answer other than words.
fn whole(text: &str) -> Option<Range<usize>> {
    let trimmed = text.trim();
    if trimmed.len() > MAX_SENTENCE {
        return None;
    }
    let is_answer = match super::parser::parse(trimmed) {
        Ok(super::expr::Expr::Text(_)) => false,
        Ok(answer) => !answer.any(&mut |part| matches!(part, super::expr::Expr::Text(_))),
        Err(_) => false,
    };
    let start = text.len() - text.trim_start().len();
    is_answer.then(|| start..start + trimmed.len())
}

/// What a sentence behind "the answer is" states: all of it if that is an answer, else what its last "is" introduces,
/// its last passage of maths, its last number.
fn stated(text: &str, sentence: Range<usize>, choice: bool) -> Range<usize> {
    let Some(content) = text.get(sentence.clone()) else {
        return sentence;
    };
    if reads(content) {
        return sentence;
    }
    let offset = |range: Range<usize>| range.start + sentence.start..range.end + sentence.start;
    let behind_verb = [" is ", " are ", " = "]
        .iter()
        .filter_map(|verb| Some(content.rfind(verb)? + verb.len()))
        .max()
        .map(|at| at..content.len())
        .filter(|range| content.get(range.clone()).is_some_and(reads));
    let found = behind_verb
        .or_else(|| span::last_math(content))
        .or_else(|| {
            if choice {
                prose::last_choice(content)
            } else {
                prose::last_number(content)
            }
        });
    found.map_or(sentence.clone(), offset)
}

/// Most boxes that make one answer.
const MAX_JOINED: usize = 64;

/// The last box with its neighbours.
fn joined_boxes<'t>(text: &'t str, boxes: &[Boxed<'t>]) -> Option<Found<'t>> {
    let last = boxes.last()?;
    let mut first = boxes.len() - 1;
    while first > 0 && boxes.len() - first < MAX_JOINED {
        let (Some(before), Some(here)) = (boxes.get(first - 1), boxes.get(first)) else {
            break;
        };
        let gap = text.get(before.span.end..here.span.start)?;
        if before.content.trim() == here.content.trim() || !span::joins(gap) {
            break;
        }
        first -= 1;
    }
    let group = boxes.get(first..)?;
    let start = group.first()?.span.start;
    let contents: Vec<&str> = group
        .iter()
        .map(|found| found.content.trim())
        .filter(|content| !content.is_empty())
        .collect();
    let text = match contents.as_slice() {
        [] => return None,
        [one] => Cow::Borrowed(*one),
        many => Cow::Owned(many.join(", ")),
    };
    Some(Found {
        text,
        source: Source::Boxed,
        span: start..last.span.end,
    })
}

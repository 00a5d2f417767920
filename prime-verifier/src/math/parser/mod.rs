//! Answer text to [`Expr`].
//!
//! A Pratt parser with the rules of answers rather than of a programming language: juxtaposition multiplies, `7\frac59`
//! is a mixed number, `\sin 2x` takes both factors, `(1,2)` is left open between tuple and interval. What does not fit
//! is an error as a whole: nothing is ever read out of a part of it.

mod big;
mod brackets;
mod date;
mod environment;
mod fold;
mod functions;
mod grouping;
mod lexer;
mod list;
mod number;
mod scalar;
mod side_by_side;
mod symbol;
mod token;
mod unicode;
mod unit;
mod vocabulary;

use token::{Fence, Kind, Token};

use super::expr::Expr;

/// Longest answer that is read, in bytes.
pub(crate) const MAX_BYTES: usize = 8192;

/// Most tokens that are read.
pub(crate) const MAX_TOKENS: usize = 4096;

/// Deepest nesting that is read.
pub(crate) const MAX_DEPTH: usize = 64;

/// Why a text is no answer in the language that is read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxError {
    /// Nothing is there.
    #[error("there is nothing to read")]
    Empty,
    /// Longer than the bound on answers.
    #[error("longer than {MAX_BYTES} bytes or {MAX_TOKENS} tokens")]
    TooLong,
    /// Nested deeper than the bound.
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A LaTeX command that is not known.
    #[error("unknown command \\{name} at byte {at}")]
    Command {
        /// Byte where it stands.
        at: usize,
        /// Its name.
        name: String,
    },
    /// A `\begin` or `\end` that is not whole.
    #[error("broken environment at byte {at}")]
    Environment {
        /// Byte where it stands.
        at: usize,
    },
    /// A character that has no meaning in an answer.
    #[error("unexpected character {character:?} at byte {at}")]
    Character {
        /// Byte where it stands.
        at: usize,
        /// The character.
        character: char,
    },
    /// Something else was needed here.
    #[error("expected {expected} at byte {at}")]
    Expected {
        /// Byte where it stands.
        at: usize,
        /// What was needed.
        expected: &'static str,
    },
}

/// Reads an answer.
pub(crate) fn parse(text: &str) -> Result<Expr, SyntaxError> {
    let text = &*fold::folded(text);
    let tokens = lexer::tokens(text)?;
    if tokens.is_empty() {
        return Err(SyntaxError::Empty);
    }
    let mut parser = Parser {
        text,
        tokens,
        at: 0,
        depth: 0,
        open_bars: 0,
        context: Context::default(),
        split: vec![],
    };
    if let Some(date) = parser.date() {
        return Ok(date);
    }
    let answer = parser.answer()?;
    match parser.peek() {
        None => Ok(answer),
        Some(_) => Err(parser.expected("the end of the answer")),
    }
}

/// What the surroundings make of ambiguous signs.
#[derive(Debug, Clone, Copy, Default)]
struct Context {
    /// Before the condition of `{x : …}`: `:` and `|` end the expression.
    builder_head: bool,
    /// In `P(A|B)`: `|` relates.
    given: bool,
    /// Inside `[…`: a `[` closes, as in `[0,1[`.
    square: bool,
    /// Under an integral sign: `dx` ends the expression.
    integrand: bool,
    /// Behind a relation: a wide blank may end the equation and begin the next.
    after_relation: bool,
    /// In brackets under an integral sign: `dx` is a factor, as in `\int \frac{dx}{x}`.
    inner_integrand: bool,
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token<'t>>,
    at: usize,
    depth: usize,
    /// `|` that wait for their other half.
    open_bars: usize,
    context: Context,
    /// Numbers that gave a digit away, as they were.
    split: Vec<(usize, Token<'t>)>,
}

type Parsed = Result<Expr, SyntaxError>;

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<Kind<'t>> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Option<Kind<'t>> {
        self.tokens.get(self.at + ahead).map(|token| token.kind)
    }

    fn peek_token(&self) -> Option<Token<'t>> {
        self.tokens.get(self.at).copied()
    }

    fn advance(&mut self) {
        self.at += 1;
    }

    fn take(&mut self, kind: Kind<'static>) -> bool {
        let is_it = self.peek() == Some(kind);
        if is_it {
            self.at += 1;
        }
        is_it
    }

    fn need(&mut self, kind: Kind<'static>, expected: &'static str) -> Result<(), SyntaxError> {
        if self.take(kind) {
            Ok(())
        } else {
            Err(self.expected(expected))
        }
    }

    fn expected(&self, expected: &'static str) -> SyntaxError {
        let at = self
            .peek_token()
            .map_or(self.text.len(), |token| token.start);
        SyntaxError::Expected { at, expected }
    }

    /// Source between two tokens' indices.
    fn source(&self, from: usize, to: usize) -> &'t str {
        let start = self.tokens.get(from).map_or(0, |token| token.start);
        let end = to
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
            .map_or(start, |token| token.end);
        self.text.get(start..end).unwrap_or("")
    }

    /// Runs `parse` one level deeper, in another context, and comes back to this one.
    fn nested<T>(
        &mut self,
        context: Context,
        parse: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        if self.depth >= MAX_DEPTH {
            return Err(SyntaxError::TooDeep);
        }
        let before = (self.context, self.open_bars);
        self.depth += 1;
        self.context = context;
        self.open_bars = 0;
        let result = parse(self);
        self.depth -= 1;
        (self.context, self.open_bars) = before;
        result
    }

    /// Goes back to where `attempt` began if it fails.
    fn attempt<T>(
        &mut self,
        attempt: impl FnOnce(&mut Self) -> Result<T, SyntaxError>,
    ) -> Option<T> {
        let before = (self.at, self.split.len());
        match attempt(self) {
            Ok(value) => Some(value),
            Err(_) => {
                self.at = before.0;
                while self.split.len() > before.1 {
                    if let Some((index, whole)) = self.split.pop()
                        && let Some(token) = self.tokens.get_mut(index)
                    {
                        *token = whole;
                    }
                }
                None
            }
        }
    }

    /// Index behind the group that opens at `from`, by matching braces.
    fn group_end(&self, from: usize) -> Option<usize> {
        let mut depth = 0usize;
        for (index, token) in self.tokens.iter().enumerate().skip(from) {
            match token.kind {
                Kind::Open(Fence::Group) => depth += 1,
                Kind::Close(Fence::Group) => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(index + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

//! How large a template and its text may be.
//!
//! The engine walks expressions recursively, counts lines and columns in 16 bits, and knows no bound on text that it has
//! fuel for. These bounds keep all of it within a stack of 2 MiB, and far above every published template: those have less
//! than 64 KiB, a few dozen operators to an expression, and a conversation has less than 4 million tokens.

/// Bytes of a template.
pub(super) const MAX_SOURCE: usize = 256 << 10;

/// Bytes of a line, as the engine gets it.
pub(super) const MAX_LINE: usize = 60_000;

/// `elif` of a template: each nests in the one before.
pub(super) const MAX_BRANCHES: usize = 512;

/// Operators of an expression: each may nest in the one before. From 4000 on the engine would overflow 2 MiB of stack.
const MAX_OPERATORS: usize = 512;

/// Bytes of a rendered conversation.
pub(super) const MAX_TEXT: usize = 16 << 20;

/// Why a template is not compiled.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) line: Option<usize>,
    pub(super) reason: String,
}

impl Refusal {
    pub(super) fn whole(reason: String) -> Self {
        Self { line: None, reason }
    }

    /// On the line of the byte `at` of `text`.
    pub(super) fn at(text: &str, at: usize, reason: String) -> Self {
        let line = text[..at].matches('\n').count() + 1;
        Self {
            line: Some(line),
            reason,
        }
    }
}

/// Counts what an expression may nest by.
#[derive(Default)]
pub(super) struct Chain(usize);

impl Chain {
    pub(super) fn operator(&mut self) -> Result<(), String> {
        self.0 += 1;
        match self.0 > MAX_OPERATORS {
            true => Err(format!(
                "an expression has more than {MAX_OPERATORS} operators; split it"
            )),
            false => Ok(()),
        }
    }

    pub(super) fn word(&mut self, word: &str) -> Result<(), String> {
        match word {
            "and" | "else" | "if" | "in" | "is" | "not" | "or" => self.operator(),
            _ => Ok(()),
        }
    }
}

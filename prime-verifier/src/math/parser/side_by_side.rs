//! Equations beside each other, parted by nothing but a wide blank or a new line: `x = 1 \\quad y = 2`.

use super::Parser;
use super::token::Kind;

/// Layout that parts equations where nothing else does.
const WIDE: [&str; 7] = [
    r"\quad",
    r"\qquad",
    r"\;",
    r"\enspace",
    r"\hspace",
    "\n",
    "$",
];

impl Parser<'_> {
    /// Whether another equation begins here, behind a wide blank.
    pub(super) fn equation_begins(&self) -> bool {
        let Some(before) = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)) else {
            return false;
        };
        let Some(here) = self.peek_token() else {
            return false;
        };
        let gap = self.text.get(before.end..here.start).unwrap_or("");
        if gap.len() < 2 && gap != "\n" || !WIDE.iter().any(|wide| gap.contains(wide)) {
            return false;
        }
        // One `$` is the end of a passage, two are an end and a beginning.
        let marks = gap.matches('$').count();
        if marks == 1 && !WIDE.iter().any(|wide| *wide != "$" && gap.contains(wide)) {
            return false;
        }
        self.holds_relation()
    }

    /// Whether what comes is related to something before a comma or an end does away with it.
    fn holds_relation(&self) -> bool {
        let mut depth = 0usize;
        for token in self.tokens.iter().skip(self.at) {
            match token.kind {
                Kind::Open(_) => depth += 1,
                Kind::Close(_) if depth == 0 => return false,
                Kind::Close(_) => depth -= 1,
                Kind::Relation(_) if depth == 0 => return true,
                Kind::Comma | Kind::Semicolon | Kind::NewRow | Kind::Ampersand | Kind::End(_)
                    if depth == 0 =>
                {
                    return false;
                }
                _ => {}
            }
        }
        false
    }

    /// Whether a row ends here outside any environment, and another equation follows.
    pub(super) fn row_of_equations_ends(&self) -> bool {
        if self.peek() != Some(Kind::NewRow) {
            return false;
        }
        let open = self
            .tokens
            .iter()
            .take(self.at)
            .fold(0i32, |open, token| match token.kind {
                Kind::Begin(_) => open + 1,
                Kind::End(_) => open - 1,
                _ => open,
            });
        open == 0
            && self
                .tokens
                .iter()
                .skip(self.at + 1)
                .any(|token| matches!(token.kind, Kind::Relation(_)))
    }
}

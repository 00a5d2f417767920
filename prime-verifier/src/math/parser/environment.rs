//! Matrices, case distinctions and aligned systems.

use super::token::Kind;
use super::{Parsed, Parser};
use crate::math::expr::{Connective, Expr, Function};

impl<'t> Parser<'t> {
    pub(super) fn environment(&mut self, name: &'t str) -> Parsed {
        match name {
            "matrix" | "pmatrix" | "bmatrix" | "Bmatrix" | "smallmatrix" | "array" | "tabular"
            | "psmallmatrix" | "bsmallmatrix" => self.matrix(name),
            "vmatrix" => {
                let matrix = self.matrix(name)?;
                Ok(Expr::call(Function::Determinant, matrix))
            }
            "cases" | "dcases" | "rcases" => {
                let rows = self.rows(name)?;
                self.cases(rows)
            }
            "aligned" | "align" | "alignedat" | "alignat" | "gathered" | "gather" | "split"
            | "equation" | "eqnarray" | "multline" | "math" | "displaymath" => {
                self.drop_alignment();
                let rows = self.rows(name)?;
                let items: Vec<Expr> = rows.into_iter().flatten().collect();
                Ok(system(items))
            }
            _ => Err(self.expected("a known environment")),
        }
    }

    fn matrix(&mut self, name: &'t str) -> Parsed {
        let rows = self.rows(name)?;
        let width = rows.first().map_or(0, Vec::len);
        // `array` also lays out systems of equations.
        if matches!(name, "array" | "tabular")
            && rows
                .iter()
                .flatten()
                .any(|cell| matches!(cell, Expr::Relation(..)))
        {
            return Ok(system(rows.into_iter().flatten().collect()));
        }
        if width == 0 || rows.iter().any(|row| row.len() != width) {
            return Err(self.expected("rows of one length"));
        }
        Ok(Expr::Matrix(rows))
    }

    /// Rows behind a brace: a system, or values with their conditions.
    pub(super) fn braced_rows(&mut self, name: &'t str) -> Parsed {
        match name {
            "array" | "matrix" | "tabular" => {
                let rows = self.rows(name)?;
                self.cases(rows)
            }
            _ => self.environment(name),
        }
    }

    /// The cells between `\begin` and `\end`.
    fn rows(&mut self, name: &'t str) -> Result<Vec<Vec<Expr>>, super::SyntaxError> {
        self.advance();
        let mut rows = vec![];
        let mut row = vec![];
        loop {
            match self.peek() {
                Some(Kind::End(end)) if end == name => {
                    self.advance();
                    break;
                }
                Some(Kind::NewRow) => {
                    self.advance();
                    if !row.is_empty() {
                        rows.push(std::mem::take(&mut row));
                    }
                }
                Some(Kind::Ampersand) => self.advance(),
                Some(_) => {
                    let cell = self.cell()?;
                    row.push(cell);
                }
                None => return Err(self.expected("the end of the environment")),
            }
        }
        if !row.is_empty() {
            rows.push(row);
        }
        Ok(rows)
    }

    fn cell(&mut self) -> Parsed {
        let cell = self.nested(self.context.inside(), |parser| {
            // `& \text{if } x > 0`, `& \text{otherwise}`
            if let Some(Kind::Text(word)) = parser.peek()
                && matches!(
                    word.to_ascii_lowercase().as_str(),
                    "if" | "for" | "when" | "where"
                )
            {
                parser.advance();
            }
            parser.list()
        })?;
        while matches!(self.peek(), Some(Kind::Comma | Kind::Semicolon)) {
            self.advance();
        }
        match self.peek() {
            Some(Kind::Ampersand | Kind::NewRow | Kind::End(_)) => Ok(cell),
            _ => Err(self.expected("the end of a cell")),
        }
    }

    fn cases(&mut self, rows: Vec<Vec<Expr>>) -> Parsed {
        let conditional = rows
            .iter()
            .any(|row| row.len() == 2 && !matches!(row[0], Expr::Relation(..)));
        if !conditional {
            return Ok(system(rows.into_iter().flatten().collect()));
        }
        let mut pieces = vec![];
        for row in rows {
            let mut cells = row.into_iter();
            let (Some(value), condition, None) = (cells.next(), cells.next(), cells.next()) else {
                return Err(self.expected("a value and its condition"));
            };
            pieces.push((value, condition));
        }
        Ok(Expr::Piecewise(pieces))
    }

    /// Takes the `&` out of the environment that begins here.
    fn drop_alignment(&mut self) {
        let mut depth = 0usize;
        let mut index = self.at;
        while let Some(token) = self.tokens.get(index) {
            match token.kind {
                Kind::Begin(_) => depth += 1,
                Kind::End(_) => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
                _ => {}
            }
            index += 1;
        }
        let (from, mut at, mut inner) = (self.at, 0usize, 0usize);
        self.tokens.retain(|token| {
            let here = at;
            at += 1;
            if here < from || here > index {
                return true;
            }
            match token.kind {
                Kind::Begin(_) => inner += 1,
                Kind::End(_) => inner = inner.saturating_sub(1),
                Kind::Ampersand => return inner != 1,
                _ => {}
            }
            true
        });
    }
}

fn system(mut items: Vec<Expr>) -> Expr {
    if items.len() == 1
        && let Some(only) = items.pop()
    {
        return only;
    }
    Expr::List {
        connective: Connective::And,
        items,
        decimal: None,
    }
}

//! What is wrong with a row, and of what kind it is.

/// Kinds of what can be wrong with a row. Rows that are left out are counted by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Not JSON, or of no known layout.
    Row,
    /// No prompt, an empty one, or one that is no text.
    Prompt,
    /// No gold answer, or one that is none.
    Answer,
    /// A gold answer that the maths grader cannot read.
    Unreadable,
    /// An `ability` that nothing here can judge.
    Ability,
    /// Tests of code that cannot be run.
    Tests,
    /// A prompt that is too long.
    TooLong,
}

impl Fault {
    /// What `count` rows have that is wrong, as the console says it.
    pub fn counted(self, count: usize) -> String {
        let (one, many) = match self {
            Fault::Row => ("row of no known layout", "rows of no known layout"),
            Fault::Prompt => ("prompt not usable", "prompts not usable"),
            Fault::Answer => ("gold answer not usable", "gold answers not usable"),
            Fault::Unreadable => (
                "gold answer that the maths grader cannot read",
                "gold answers that the maths grader cannot read",
            ),
            Fault::Ability => ("ability unknown", "abilities unknown"),
            Fault::Tests => ("problem with broken tests", "problems with broken tests"),
            Fault::TooLong => ("prompt too long", "prompts too long"),
        };
        format!("{count} {}", if count == 1 { one } else { many })
    }
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The field, dotted; `row` when the row as a whole is meant.
    pub field: String,
    /// What is wrong with it, and the way out.
    pub reason: String,
    /// Of what kind that is.
    pub fault: Fault,
}

impl Broken {
    /// Whether it ends the reading of a file, unless `data.skip_bad_rows` says otherwise. What is not written wrongly, but of no use
    /// here, is left out and counted in any case: published data sets have such rows.
    pub fn is_error(&self) -> bool {
        !matches!(self.fault, Fault::Unreadable | Fault::TooLong)
    }

    pub(crate) fn new(fault: Fault, field: &str, reason: impl Into<String>) -> Self {
        Broken {
            field: field.to_string(),
            reason: reason.into(),
            fault,
        }
    }

    pub(crate) fn row(reason: impl Into<String>) -> Self {
        Self::new(Fault::Row, "row", reason)
    }

    pub(crate) fn row_field(field: &str, reason: impl Into<String>) -> Self {
        Self::new(Fault::Row, field, reason)
    }

    pub(crate) fn prompt(field: &str, reason: impl Into<String>) -> Self {
        Self::new(Fault::Prompt, field, reason)
    }

    pub(crate) fn answer(field: &str, reason: impl Into<String>) -> Self {
        Self::new(Fault::Answer, field, reason)
    }

    pub(crate) fn tests(field: &str, reason: impl Into<String>) -> Self {
        Self::new(Fault::Tests, field, reason)
    }
}

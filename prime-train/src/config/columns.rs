//! `[data.columns]`: which columns of a data file mean what, where the layout does not say it, or says something else.

use serde::{Deserialize, Serialize};

use crate::data::path;

/// `[data.columns]`: the names of columns, or paths such as `extra_info.answer`, `conversations[0].value`; empty = as the
/// layout of the rows says. A column that is named has to be in every row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// The prompt: a text or messages.
    pub prompt: String,
    /// The gold answer, or several, any of which counts (also inside a worked solution); for code the tests.
    pub answer: String,
    /// What judges a response: `math` or `code`.
    pub ability: String,
    /// Where a problem comes from: metrics are also kept by it.
    pub data_source: String,
    /// A system prompt.
    pub system: String,
    /// A whole response, for demonstrations.
    pub response: String,
}

impl Columns {
    /// Whether no layout is needed.
    pub(crate) fn names_all(&self) -> bool {
        !self.prompt.is_empty() && !self.answer.is_empty()
    }

    /// The first key whose value is no path, with what it should be.
    pub fn fault(&self) -> Option<(&'static str, &str, String)> {
        [
            ("data.columns.prompt", &self.prompt),
            ("data.columns.answer", &self.answer),
            ("data.columns.ability", &self.ability),
            ("data.columns.data_source", &self.data_source),
            ("data.columns.system", &self.system),
            ("data.columns.response", &self.response),
        ]
        .into_iter()
        .filter(|(_, path)| !path.is_empty())
        .find_map(|(key, given)| Some((key, given.as_str(), path::fault(given)?)))
    }
}

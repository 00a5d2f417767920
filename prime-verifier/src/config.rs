//! A verifier, as a configuration file names it.

use serde::{Deserialize, Serialize};

#[cfg(feature = "math")]
use crate::{AnswerList, BoxedAnswer, Mark};
use crate::{ExactMatch, Verifier, VerifierError};

/// A verifier chosen by name: `verifier = "answer_list"` and its settings beside it.
///
/// ```
/// # #[cfg(feature = "math")] {
/// use prime_verifier::{Verifier, VerifierConfig};
///
/// let config: VerifierConfig = toml::from_str(
///     r#"
///     verifier = "answer_list"
///     mark = { pass_mark = 2 }
///     "#,
/// )?;
/// assert_eq!(config.build()?.verify("12,07,30", "12,07,81").score(), Some(1.0));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// Variants have braces even when empty: serde checks a unit variant of a tagged enum for unknown keys only so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verifier", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum VerifierConfig {
    /// [`ExactMatch`].
    ExactMatch {},
    /// [`BoxedAnswer`].
    #[cfg(feature = "math")]
    BoxedAnswer {},
    /// [`AnswerList`].
    #[cfg(feature = "math")]
    AnswerList {
        /// What stands between two answers; `,` unless said.
        #[serde(default = "comma")]
        separator: char,
        /// What a response has to get right.
        mark: Mark,
    },
}

#[cfg(feature = "math")]
fn comma() -> char {
    ','
}

impl VerifierConfig {
    /// The verifier this names.
    ///
    /// # Errors
    /// [`VerifierError::BadSeparator`] for a separator that can be part of an answer.
    pub fn build(&self) -> Result<Box<dyn Verifier>, VerifierError> {
        Ok(match self {
            Self::ExactMatch {} => Box::new(ExactMatch),
            #[cfg(feature = "math")]
            Self::BoxedAnswer {} => Box::new(BoxedAnswer),
            #[cfg(feature = "math")]
            Self::AnswerList { separator, mark } => Box::new(AnswerList::new(*separator, *mark)?),
        })
    }
}

//! A verifier, as a configuration file names it.

use serde::{Deserialize, Serialize};

#[cfg(feature = "code")]
use crate::code::{CodeConfig, CodeVerifier};
#[cfg(feature = "math")]
use crate::math::{Extraction, MathPolicy, MathVerifier};
#[cfg(feature = "math")]
use crate::{AnswerList, Mark};
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verifier", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum VerifierConfig {
    /// [`ExactMatch`].
    ExactMatch {},
    /// [`MathVerifier`].
    #[cfg(feature = "math")]
    Math {
        /// A preset's name, or a table of fields that differ from the default policy.
        #[serde(default, deserialize_with = "policy")]
        policy: MathPolicy,
        /// Where the answer stands; boxes unless said.
        #[serde(default)]
        extraction: Extraction,
    },
    /// [`AnswerList`].
    #[cfg(feature = "math")]
    AnswerList {
        /// What stands between two answers; `,` unless said.
        #[serde(default = "comma")]
        separator: char,
        /// What a response has to get right.
        mark: Mark,
    },
    /// [`CodeVerifier`], with its settings beside the name.
    #[cfg(feature = "code")]
    Code(Box<CodeConfig>),
}

/// A policy by its preset's name or as a table.
#[cfg(feature = "math")]
fn policy<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<MathPolicy, D::Error> {
    struct NameOrTable;

    impl<'de> serde::de::Visitor<'de> for NameOrTable {
        type Value = MathPolicy;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(
                f,
                "a table of policy fields or one of the presets {}",
                MathPolicy::NAMES.join(", ")
            )
        }

        fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<MathPolicy, E> {
            MathPolicy::by_name(name).ok_or_else(|| E::unknown_variant(name, &MathPolicy::NAMES))
        }

        fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<MathPolicy, A::Error> {
            MathPolicy::deserialize(serde::de::value::MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_any(NameOrTable)
}

#[cfg(feature = "math")]
fn comma() -> char {
    ','
}

impl VerifierConfig {
    /// The verifier this names.
    ///
    /// # Errors
    /// [`VerifierError::BadSeparator`] for a separator that can be part of an answer; [`VerifierError::Code`] for a grader of
    /// programs that cannot be set up here.
    pub fn build(&self) -> Result<Box<dyn Verifier>, VerifierError> {
        Ok(match self {
            Self::ExactMatch {} => Box::new(ExactMatch),
            #[cfg(feature = "math")]
            Self::Math { policy, extraction } => {
                Box::new(MathVerifier::new(extraction.clone(), policy.clone()))
            }
            #[cfg(feature = "math")]
            Self::AnswerList { separator, mark } => Box::new(AnswerList::new(*separator, *mark)?),
            #[cfg(feature = "code")]
            Self::Code(config) => Box::new(CodeVerifier::new(config)?),
        })
    }
}

//! An estimator selected by name.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::{
    AdvantageError, AdvantageEstimator, Advantages, Gae, Gdpo, Gpg, Grpo, GrpoPassk, Opo,
    OptimalTokenBaseline, Prime, ProcessHalf, Reinforce, ReinforcePlusPlus,
    ReinforcePlusPlusBaseline, Remax, RewardBatch, Rloo, ScoreEstimator, ValueBaseline,
};

macro_rules! terms {
    ($($(#[$doc:meta])* $variant:ident($estimator:ty) = $name:literal $(or $alias:literal)?;)*) => {
        /// One estimator of this crate, [`Prime`] excepted: what PRIME's halves are
        /// made of unless they are types of your own.
        ///
        /// In a config file a name (`outcome = "grpo"`) or a table with its knobs
        /// (`outcome = { estimator = "grpo", epsilon = 1e-4 }`).
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(tag = "estimator", rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Term {
            $($(#[$doc])* $variant($estimator),)*
        }

        impl Term {
            /// The names and aliases that a config file may use.
            pub const NAMES: &'static [&'static str] = &[$($name, $($alias,)?)*];

            /// The estimator under a name, with its default knobs; `None` for an unknown name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name $(| $alias)? => Some(Self::$variant(Default::default())),)*
                    _ => None,
                }
            }

            fn get(&self) -> &dyn AdvantageEstimator {
                match self {
                    $(Self::$variant(estimator) => estimator,)*
                }
            }

            fn into_box(self) -> Box<dyn AdvantageEstimator> {
                match self {
                    $(Self::$variant(estimator) => Box::new(estimator),)*
                }
            }
        }

        /// The derived form, which a name alone does not fit.
        #[derive(Deserialize)]
        #[serde(tag = "estimator", rename_all = "snake_case")]
        enum Table {
            $($(#[serde(alias = $alias)])? $variant($estimator),)*
        }

        impl From<Table> for Term {
            fn from(table: Table) -> Self {
                match table {
                    $(Table::$variant(estimator) => Self::$variant(estimator),)*
                }
            }
        }

        /// Any estimator of this crate, as a config file writes it: the name under
        /// `estimator`, its knobs beside it. Unknown knobs are errors.
        /// [`Registry`](crate::Registry) also knows yours.
        ///
        /// ```
        /// # use prime_advantage::EstimatorConfig;
        /// let config: EstimatorConfig = toml::from_str("estimator = 'grpo'\nnormalize_by_std = false")?;
        /// let estimator = config.build()?;
        /// assert_eq!(estimator.name(), "grpo");
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "estimator", rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum EstimatorConfig {
            $($(#[$doc])* $(#[serde(alias = $alias)])? $variant($estimator),)*
            /// `estimator = "prime"`.
            Prime(Prime),
        }

        impl EstimatorConfig {
            /// The names and aliases that a config file may use.
            pub const NAMES: &'static [&'static str] = &[$($name, $($alias,)?)* "prime"];

            /// Checks the knobs and hands the estimator over.
            ///
            /// # Errors
            /// [`AdvantageError::OutOfRange`] or [`AdvantageError::Conflict`], naming the knob.
            pub fn build(&self) -> Result<Box<dyn AdvantageEstimator>, AdvantageError> {
                let estimator: Box<dyn AdvantageEstimator> = match self.clone() {
                    $(Self::$variant(estimator) => Box::new(estimator),)*
                    Self::Prime(prime) => Box::new(prime),
                };
                estimator.validate()?;
                Ok(estimator)
            }
        }

        $(
            impl From<$estimator> for Term {
                fn from(estimator: $estimator) -> Self {
                    Self::$variant(estimator)
                }
            }

            impl From<$estimator> for EstimatorConfig {
                fn from(estimator: $estimator) -> Self {
                    Self::$variant(estimator)
                }
            }
        )*
    };
}

terms! {
    /// `"reinforce"`.
    Reinforce(Reinforce) = "reinforce";
    /// `"reinforce_plus_plus"`.
    ReinforcePlusPlus(ReinforcePlusPlus) = "reinforce_plus_plus";
    /// `"reinforce_plus_plus_baseline"`.
    ReinforcePlusPlusBaseline(ReinforcePlusPlusBaseline) = "reinforce_plus_plus_baseline";
    /// `"rloo"`; `"loo"`, its name in some trainers, is read too.
    Rloo(Rloo) = "rloo" or "loo";
    /// `"grpo"`.
    Grpo(Grpo) = "grpo";
    /// `"grpo_passk"`.
    GrpoPassk(GrpoPassk) = "grpo_passk";
    /// `"gae"`; `"ppo"`, which names the algorithm around it, is read too.
    Gae(Gae) = "gae" or "ppo";
    /// `"remax"`.
    Remax(Remax) = "remax";
    /// `"opo"`.
    Opo(Opo) = "opo";
    /// `"gpg"`.
    Gpg(Gpg) = "gpg";
    /// `"gdpo"`.
    Gdpo(Gdpo) = "gdpo";
    /// `"optimal_token_baseline"`.
    OptimalTokenBaseline(OptimalTokenBaseline) = "optimal_token_baseline";
    /// `"value_baseline"`.
    ValueBaseline(ValueBaseline) = "value_baseline";
}

impl Default for Term {
    fn default() -> Self {
        Self::Rloo(Rloo::default())
    }
}

impl From<Term> for Box<dyn AdvantageEstimator> {
    fn from(term: Term) -> Self {
        term.into_box()
    }
}

impl From<Prime> for EstimatorConfig {
    fn from(prime: Prime) -> Self {
        Self::Prime(prime)
    }
}

impl Default for EstimatorConfig {
    fn default() -> Self {
        Self::Prime(Prime::default())
    }
}

impl AdvantageEstimator for Term {
    fn name(&self) -> &str {
        self.get().name()
    }

    fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
        self.get().estimate(batch)
    }

    fn validate(&self) -> Result<(), AdvantageError> {
        self.get().validate()
    }

    fn process_half(&self) -> ProcessHalf<'_> {
        self.get().process_half()
    }

    fn as_scores(&self) -> Option<&dyn ScoreEstimator> {
        self.get().as_scores()
    }

    fn uses_values(&self) -> bool {
        self.get().uses_values()
    }
}

impl<'de> Deserialize<'de> for Term {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrTable)
    }
}

struct NameOrTable;

impl<'de> Visitor<'de> for NameOrTable {
    type Value = Term;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an estimator's name or a table with `estimator` and its knobs")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Term, E> {
        Term::from_name(name).ok_or_else(|| E::unknown_variant(name, Term::NAMES))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Term, A::Error> {
        Table::deserialize(MapAccessDeserializer::new(map)).map(Term::from)
    }
}

//! Estimators by name, yours beside ours.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::{AdvantageError, AdvantageEstimator, Prime, Term};

type Build = Box<dyn Fn(Value) -> Result<Box<dyn AdvantageEstimator>, String> + Send + Sync>;

/// Builds estimators from configurations, by name. It knows those of this crate
/// ([`EstimatorConfig`](crate::EstimatorConfig)) and any that are registered; both
/// are selected the same way, alone or as a half of [`Prime`].
///
/// ```
/// use prime_advantage::*;
///
/// /// The reward less a fixed number.
/// #[derive(Debug, Default, serde::Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct Fixed {
///     baseline: f64,
/// }
///
/// impl AdvantageEstimator for Fixed {
///     fn name(&self) -> &str {
///         "fixed"
///     }
///     fn estimate(&self, batch: &RewardBatch<'_>) -> Result<Advantages, AdvantageError> {
///         self.estimate_scores(batch)
///     }
/// }
///
/// impl ScoreEstimator for Fixed {
///     fn maps(&self, scores: &Scores) -> Result<Vec<Affine>, AdvantageError> {
///         Ok(scores.iter().map(|_| Affine::less(self.baseline)).collect())
///     }
/// }
///
/// let registry = Registry::new().with::<Fixed>("fixed")?;
/// let alone = registry.build(toml::Deserializer::parse("estimator = 'fixed'\nbaseline = 0.5")?)?;
/// assert_eq!(alone.name(), "fixed");
/// let half = registry.build(toml::Deserializer::parse("estimator = 'prime'\noutcome = 'fixed'")?)?;
/// assert_eq!(half.name(), "prime");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Registry {
    own: BTreeMap<&'static str, Build>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl Registry {
    /// This crate's estimators.
    pub fn new() -> Self {
        Self {
            own: BTreeMap::new(),
        }
    }

    /// Adds an estimator under a name; its fields are its knobs.
    ///
    /// # Errors
    /// [`AdvantageError::Config`] if the name is taken.
    pub fn with<E>(mut self, name: &'static str) -> Result<Self, AdvantageError>
    where
        E: AdvantageEstimator + DeserializeOwned + 'static,
    {
        if self.names().any(|known| known == name) {
            return Err(config(format!(
                "the estimator name `{name}` is taken; register yours under another one"
            )));
        }
        self.own.insert(
            name,
            Box::new(|knobs| match E::deserialize(knobs) {
                Ok(estimator) => Ok(Box::new(estimator)),
                Err(error) => Err(error.to_string()),
            }),
        );
        Ok(self)
    }

    /// Every name and alias that a configuration may use.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        let ours = crate::EstimatorConfig::NAMES.iter().copied();
        ours.chain(self.own.keys().copied())
    }

    /// Builds the estimator that a configuration describes: a table with the name under
    /// `estimator` and the knobs beside it, or the name alone. The knobs are checked.
    ///
    /// # Errors
    /// [`AdvantageError::Config`] for an unknown name or knob or a value of the wrong
    /// kind; what [`AdvantageEstimator::validate`] says about the knobs.
    pub fn build<'de>(
        &self,
        configuration: impl Deserializer<'de>,
    ) -> Result<Box<dyn AdvantageEstimator>, AdvantageError> {
        let value = Value::deserialize(configuration).map_err(|e| config(e.to_string()))?;
        let estimator = self.resolve(value)?;
        estimator.validate()?;
        Ok(estimator)
    }

    fn resolve(&self, value: Value) -> Result<Box<dyn AdvantageEstimator>, AdvantageError> {
        let (name, knobs) = match value {
            Value::String(name) => (name, Map::new()),
            Value::Object(mut table) => match table.remove("estimator") {
                Some(Value::String(name)) => (name, table),
                _ => {
                    return Err(config(
                        "an estimator's table needs its name: `estimator = \"rloo\"`".to_owned(),
                    ));
                }
            },
            other => {
                return Err(config(format!(
                    "an estimator is a name or a table with `estimator` and its knobs, not {other}"
                )));
            }
        };
        let wrong = |error: &dyn fmt::Display| config(format!("estimator `{name}`: {error}"));
        if name == "prime" {
            return self.prime(knobs).map_err(|error| match error {
                AdvantageError::Config { message } => wrong(&message),
                other => other,
            });
        }
        if let Some(build) = self.own.get(name.as_str()) {
            return build(Value::Object(knobs)).map_err(|error| wrong(&error));
        }
        if Term::from_name(&name).is_none() {
            let known: Vec<_> = self.names().collect();
            return Err(config(format!(
                "there is no estimator `{name}`; known are {}",
                known.join(", ")
            )));
        }
        let mut table = knobs;
        table.insert("estimator".to_owned(), Value::String(name.clone()));
        match Term::deserialize(Value::Object(table)) {
            Ok(term) => Ok(term.into()),
            Err(error) => Err(wrong(&error)),
        }
    }

    /// The halves may be registered ones, so they are taken out and resolved by name; the
    /// preset decides about those that are not given.
    fn prime(
        &self,
        mut knobs: Map<String, Value>,
    ) -> Result<Box<dyn AdvantageEstimator>, AdvantageError> {
        let mut half = |key| {
            let resolved = knobs.remove(key).map(|value| self.resolve(value));
            match resolved.transpose()? {
                Some(half) if half.name() == "prime" => {
                    Err(config(format!("`{key}` cannot be `prime` itself")))
                }
                half => Ok(half),
            }
        };
        let (process, outcome) = (half("process")?, half("outcome")?);
        let rest = Prime::<Term, Term>::deserialize(Value::Object(knobs));
        let rest = rest.map_err(|error| config(error.to_string()))?;
        let process = process.unwrap_or_else(|| rest.process.clone().into());
        let outcome = outcome.unwrap_or_else(|| rest.outcome.clone().into());
        Ok(Box::new(rest.with_process(process).with_outcome(outcome)))
    }
}

fn config(message: String) -> AdvantageError {
    AdvantageError::Config { message }
}

//! Layers chosen by name.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::layers::LinearLayer;
use crate::error::PolicyError;

const ALL_LINEAR: &str = "all-linear";

/// PEFT's `target_modules`: `"all-linear"`, or a list of names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum TargetModules {
    /// Every linear layer but the output head.
    #[default]
    AllLinear,
    /// Layers whose path is one of these names or ends with one after a dot: `q_proj` is every block's,
    /// `layers.0.self_attn.q_proj` the first block's.
    Names(Vec<String>),
}

#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected \"all-linear\" or a list of layer names such as [\"q_proj\", \"v_proj\"]"
)]
enum Written {
    Word(String),
    Names(Vec<String>),
}

impl TryFrom<Written> for TargetModules {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Word(word) if word == ALL_LINEAR => Ok(Self::AllLinear),
            Written::Word(word) => Err(format!(
                "\"{word}\" is no list of layer names; accepted: \"{ALL_LINEAR}\" or a list such as [\"q_proj\", \"v_proj\"]"
            )),
            Written::Names(names) => Ok(Self::Names(names)),
        }
    }
}

impl From<TargetModules> for Written {
    fn from(targets: TargetModules) -> Self {
        match targets {
            TargetModules::AllLinear => Self::Word(ALL_LINEAR.to_owned()),
            TargetModules::Names(names) => Self::Names(names),
        }
    }
}

impl TargetModules {
    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        match self {
            Self::Names(names) if names.is_empty() => Err(PolicyError::Lora(format!(
                "target_modules is an empty list; accepted: \"{ALL_LINEAR}\" or at least one layer name"
            ))),
            _ => Ok(()),
        }
    }

    /// Positions of the chosen layers, or which name chose none and what there is.
    pub(crate) fn choose(&self, layers: &[LinearLayer]) -> Result<Vec<usize>, PolicyError> {
        if layers.is_empty() {
            let reason = "the model has no linear layer besides its head; nothing can be adapted";
            return Err(PolicyError::Lora(reason.to_owned()));
        }
        let Self::Names(names) = self else {
            return Ok((0..layers.len()).collect());
        };
        let mut chosen = BTreeSet::new();
        for name in names {
            let called = |&at: &usize| is_called(&layers[at].name, name);
            let matching: Vec<usize> = (0..layers.len()).filter(called).collect();
            if matching.is_empty() {
                return Err(PolicyError::Lora(format!(
                    "target_modules: no layer is called \"{name}\"; there are {} (or \"{ALL_LINEAR}\")",
                    last_names(layers.iter()).join(", ")
                )));
            }
            chosen.extend(matching);
        }
        Ok(chosen.into_iter().collect())
    }

    /// The list that PEFT reads: names as given, or the last names of all layers.
    pub(super) fn listed(&self, layers: &[LinearLayer]) -> Vec<String> {
        match self {
            Self::AllLinear => last_names(layers.iter()),
            Self::Names(names) => names.clone(),
        }
    }
}

/// Whether a path is `name`, or ends with it at a dot.
fn is_called(path: &str, name: &str) -> bool {
    path.strip_suffix(name)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// Last parts of the layers' paths, each once, sorted.
fn last_names<'a>(layers: impl Iterator<Item = &'a LinearLayer>) -> Vec<String> {
    let last = |layer: &'a LinearLayer| layer.name.rsplit('.').next().unwrap_or(&layer.name);
    let names: BTreeSet<&str> = layers.map(last).collect();
    names.into_iter().map(str::to_owned).collect()
}

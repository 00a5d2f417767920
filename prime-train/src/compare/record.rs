//! `comparison.json`: what a comparison compares, so that an interrupted one goes on and another one is told apart.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::arms::Plan;
use crate::config::Config;
use crate::error::TrainError;
use crate::files::{read_text, write_atomically};

const FILE: &str = "comparison.json";
/// Differences that a refusal shows.
const SHOWN: usize = 5;

/// What a comparison compares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) seeds: Vec<u64>,
    pub(super) arms: Vec<ArmRecord>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ArmRecord {
    pub(super) name: String,
    /// What its runs' folders are called, before the seed.
    pub(super) folder: String,
    /// Every key but the seed.
    pub(super) settings: BTreeMap<String, String>,
}

impl Record {
    /// # Errors
    /// Settings that cannot be written.
    pub(super) fn of(arms: &[(&Plan, Config)], seeds: &[u64]) -> Result<Self, TrainError> {
        let arm = |(plan, config): &(&Plan, Config)| {
            let mut settings = config.flat()?;
            settings.remove("seed");
            Ok(ArmRecord {
                name: plan.name.clone(),
                folder: plan.folder.clone(),
                settings,
            })
        };
        Ok(Self {
            seeds: seeds.to_vec(),
            arms: arms.iter().map(arm).collect::<Result<_, TrainError>>()?,
        })
    }

    /// The record of a folder; `None` if it holds no comparison.
    ///
    /// # Errors
    /// A record that cannot be read.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, TrainError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let read = serde_json::from_str(&read_text(&path)?);
        read.map(Some).map_err(|error| TrainError::Parse {
            path,
            line: error.line(),
            reason: error.to_string(),
        })
    }

    /// # Errors
    /// [`TrainError::Io`].
    pub(super) fn write(&self, folder: &Path) -> Result<(), TrainError> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| TrainError::Encode {
            what: "a comparison",
            reason: error.to_string(),
        })?;
        write_atomically(&folder.join(FILE), &text)
    }

    /// This record with the arms and seeds of another, which may not differ in what both have.
    ///
    /// # Errors
    /// [`TrainError::Usage`] names the arm and its keys that are not what they were.
    pub(super) fn joined(mut self, now: Self, folder: &Path) -> Result<Self, TrainError> {
        for arm in now.arms {
            let Some(known) = self.arms.iter().find(|known| known.folder == arm.folder) else {
                self.arms.push(arm);
                continue;
            };
            let changed = differences(&known.settings, &arm.settings);
            let about = match changed.is_empty() {
                true if known.name == arm.name => continue,
                true => format!("its runs are those of {:?}", known.name),
                false => changed.join("; "),
            };
            return Err(TrainError::Usage(format!(
                "the comparison in {} cannot go on: arm {:?} is not the one that was begun: {about}. Give the settings that it \
                 was begun with, or another --name",
                folder.display(),
                arm.name
            )));
        }
        for seed in now.seeds {
            if !self.seeds.contains(&seed) {
                self.seeds.push(seed);
            }
        }
        Ok(self)
    }
}

/// Keys that differ, with both values.
fn differences(was: &BTreeMap<String, String>, is: &BTreeMap<String, String>) -> Vec<String> {
    let keys: std::collections::BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let value = |of: &BTreeMap<String, String>, key: &str| {
        of.get(key).cloned().unwrap_or_else(|| "nothing".to_owned())
    };
    let mut all: Vec<String> = keys
        .into_iter()
        .filter(|key| was.get(*key) != is.get(*key))
        .map(|key| format!("{key} was {} and is {}", value(was, key), value(is, key)))
        .collect();
    if let Some(more) = all.len().checked_sub(SHOWN).filter(|&more| more > 0) {
        all.truncate(SHOWN);
        all.push(format!("and {more} more"));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::arms::plans;
    use super::*;
    use crate::config::resolve;

    fn record(arms: &[&str], seeds: &[u64]) -> Record {
        let arms: Vec<String> = arms.iter().map(|arm| (*arm).to_owned()).collect();
        let plans = plans(&arms).unwrap();
        let with: Vec<(&Plan, Config)> = plans
            .iter()
            .map(|plan| (plan, resolve(&plan.layers).unwrap()))
            .collect();
        Record::of(&with, seeds).unwrap()
    }

    #[test]
    fn it_survives_and_may_grow_but_not_change() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Record::read(folder.path()).unwrap(), None);
        let begun = record(&["rloo", "prime"], &[1, 2]);
        begun.write(folder.path()).unwrap();
        assert_eq!(Record::read(folder.path()).unwrap(), Some(begun.clone()));

        let more = begun
            .clone()
            .joined(record(&["grpo", "rloo"], &[2, 3]), folder.path());
        let more = more.unwrap();
        let names: Vec<&str> = more.arms.iter().map(|arm| arm.name.as_str()).collect();
        assert_eq!(
            (names, more.seeds),
            (vec!["rloo", "prime", "grpo"], vec![1, 2, 3])
        );

        let mut other = record(&["rloo"], &[1]);
        other.arms[0].settings.insert("rl.lr".into(), "0.5".into());
        let message = begun
            .clone()
            .joined(other, folder.path())
            .unwrap_err()
            .to_string();
        for part in ["\"rloo\"", "rl.lr was", "and is 0.5", "--name"] {
            assert!(message.contains(part), "{part} in {message}");
        }
        let message = begun.joined(record(&["RLOO"], &[1]), folder.path());
        assert!(
            message
                .unwrap_err()
                .to_string()
                .contains("those of \"rloo\"")
        );
    }
}

//! What is compared: arms by name, the settings of each, and the folders of their runs.

use std::collections::BTreeMap;

use crate::config::Layer;
use crate::error::TrainError;

/// What is compared when nothing is named: (arm, preset, settings over the preset).
///
/// Learning rates, PPO epochs and the filter of each arm were chosen over one small grid on seeds that are not used
/// here (`ARCHITECTURE.md`, "Comparing fairly").
const ARMS: [(&str, &str, &[&str]); 10] = [
    ("PRIME (ours)", "prime", &[]),
    ("PRIME (anchored)", "anchored", &[]),
    ("PRIME (paper)", "paper", &[]),
    ("GRPO + PRIME", "grpo_prime", &[]),
    ("RLOO", "rloo", &[]),
    ("RLOO, no filter", "rloo", &["filter.accuracy=false"]),
    ("GRPO", "grpo", &[]),
    ("REINFORCE", "reinforce", &[]),
    ("PPO", "ppo", &[]),
    ("oracle", "oracle", &[]),
];

/// Characters of a folder's name before the seed.
const LONGEST_FOLDER: usize = 120;

/// An arm to run.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) layers: Vec<Layer>,
    /// What its runs' folders are called, before the seed.
    pub(super) folder: String,
}

/// The arms that are named, or all built-in ones.
///
/// # Errors
/// [`TrainError::Usage`] for two arms whose runs would have the same folders; a setting that is none.
pub(super) fn plans(wanted: &[String]) -> Result<Vec<Plan>, TrainError> {
    let plans = match wanted {
        [] => ARMS.iter().map(built_in).collect::<Result<Vec<_>, _>>()?,
        wanted => wanted
            .iter()
            .map(|name| plan(name))
            .collect::<Result<Vec<_>, _>>()?,
    };
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for plan in &plans {
        if plan.folder.is_empty() {
            let message = format!("--arms {:?}: an arm needs the name of a preset", plan.name);
            return Err(TrainError::Usage(message));
        }
        if let Some(other) = taken.insert(&plan.folder, &plan.name) {
            let message = match other == plan.name {
                true => format!("--arms names {other:?} twice"),
                false => format!(
                    "--arms {other:?} and {:?} would both have their runs in {}-SEED: write one of them another way, or \
                     compare them in two comparisons and then their runs (compare RUN RUN …)",
                    plan.name, plan.folder
                ),
            };
            return Err(TrainError::Usage(message));
        }
    }
    Ok(plans)
}

fn built_in(arm: &(&str, &str, &[&str])) -> Result<Plan, TrainError> {
    let (name, preset, sets) = arm;
    let mut layers = vec![Layer::preset(preset)];
    for set in *sets {
        layers.push(Layer::set(set)?);
    }
    Ok(Plan {
        name: (*name).to_owned(),
        layers,
        folder: slug(name),
    })
}

/// A built-in arm by its name, or a preset with settings: `prime+prm.beta=0.1`.
fn plan(wanted: &str) -> Result<Plan, TrainError> {
    if let Some(arm) = ARMS.iter().find(|arm| arm.0 == wanted) {
        return built_in(arm);
    }
    let mut parts = wanted.split('+');
    let mut layers = vec![Layer::preset(parts.next().unwrap_or_default())];
    for set in parts {
        layers.push(Layer::set(set)?);
    }
    Ok(Plan {
        name: wanted.to_owned(),
        layers,
        folder: slug(wanted),
    })
}

/// A name as a folder's: letters and digits, and a number in place of what would be too long.
fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c.is_ascii_alphanumeric() {
            true => out.push(c.to_ascii_lowercase()),
            false if !out.ends_with('-') => out.push('-'),
            false => {}
        }
    }
    let out = out.trim_matches('-');
    if out.len() <= LONGEST_FOLDER {
        return out.to_owned();
    }
    // FNV-1a: two long names that begin alike stay apart.
    let hash = out.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{}-{hash:016x}", &out[..LONGEST_FOLDER])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(arms: &[&str]) -> Result<Vec<Plan>, TrainError> {
        let arms: Vec<String> = arms.iter().map(|arm| (*arm).to_owned()).collect();
        plans(&arms)
    }

    #[test]
    fn every_built_in_arm_resolves() {
        for plan in named(&[]).unwrap() {
            crate::config::resolve(&plan.layers).unwrap();
        }
    }

    #[test]
    fn arms_whose_runs_would_share_a_folder_are_refused() {
        for clash in [
            ["rloo", "RLOO"],
            ["rloo", "rloo"],
            ["prime+prm.beta=0.1", "prime+prm.beta=0-1"],
            ["GRPO + PRIME", "grpo-prime"],
        ] {
            let message = named(&clash).unwrap_err().to_string();
            assert!(message.contains(clash[0]), "{message}");
        }
        assert!(named(&[""]).unwrap_err().to_string().contains("preset"));
        assert!(named(&["rloo", "grpo"]).is_ok());
    }

    #[test]
    fn folders_are_short_and_still_apart() {
        assert_eq!(slug("GRPO + PRIME"), "grpo-prime");
        let long = "prime".to_owned() + &"+rl.lr=1e-4".repeat(30);
        let longer = long.clone() + "+seed=1";
        assert!(slug(&long).len() < 200 && slug(&long) != slug(&longer));
    }
}

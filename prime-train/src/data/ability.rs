//! What a row asks for, and with that, what judges the response. One rule, for training and for `verify`.

use std::fmt;

use super::broken::{Broken, Fault};
use super::json::{kind_of, string};

/// What judges the responses to a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Ability {
    /// The answer is held against gold answers by the maths grader.
    #[default]
    Math,
    /// A program is run against tests.
    Code,
    /// Neither: only a reward that does not ask for the ability can judge it. As it was written.
    Other(String),
}

/// Names for maths in published data sets, in lower case.
const MATH: [&str; 12] = [
    "math",
    "maths",
    "mathematics",
    "math_dapo",
    "math_verify",
    "math-verify",
    "verifiable_math",
    "math_problem_solving",
    "math_reasoning",
    "gsm8k",
    "arithmetic",
    "math500",
];
/// Names for code.
const CODE: [&str; 9] = [
    "code",
    "coding",
    "codegen",
    "code_generation",
    "programming",
    "verifiable_code",
    "prime_rl_code",
    "code_contests",
    "python",
];

impl Ability {
    /// A name, in any case.
    pub fn named(name: &str) -> Self {
        let lower = name.trim().to_lowercase();
        match lower.as_str() {
            math if MATH.contains(&math) => Ability::Math,
            code if CODE.contains(&code) => Ability::Code,
            _ => Ability::Other(name.to_owned()),
        }
    }

    /// The value of a row's field as JSON text; nothing and null are `absent`.
    pub(crate) fn of(json: Option<&str>, field: &str, absent: &Ability) -> Result<Self, Broken> {
        let broken = |reason| Broken::new(Fault::Ability, field, reason);
        match json {
            None | Some("null") => Ok(absent.clone()),
            Some(json) => match string(json) {
                Some(name) if name.trim().is_empty() => Err(broken(
                    "is empty; leave the field out, or write `math` or `code`".to_owned(),
                )),
                Some(name) => Ok(Ability::named(&name)),
                None => Err(broken(format!(
                    "expected a string, found {}",
                    kind_of(json)
                ))),
            },
        }
    }

    /// The same if a grader here knows it.
    pub(crate) fn judged(self, field: &str) -> Result<Self, Broken> {
        match self {
            Ability::Other(name) => Err(Broken::new(
                Fault::Ability,
                field,
                format!(
                    "{name:?} is not something that can be judged here; known are `math` (also {}) and `code` (also {}); write one of these, leave the field out, or name another with data.columns.ability",
                    MATH[1..].join(", "),
                    CODE[1..].join(", ")
                ),
            )),
            known => Ok(known),
        }
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ability::Math => "math",
            Ability::Code => "code",
            Ability::Other(name) => name,
        })
    }
}

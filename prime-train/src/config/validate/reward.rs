//! `[reward]`.

use prime_verifier::external::{GraderError, HttpConfig};

use super::{Checked, ensure, not_negative};
use crate::config::{Config, RewardKind, RewardPart};
use crate::reward::{MEAN, OVERLONG, format};

const PARTS: &str = "reward.parts";
/// Characters of a name.
const LONGEST_NAME: usize = 40;
/// A day.
const MOST_SECONDS: f64 = 86_400.0;

pub(super) fn reward(config: &Config) -> Checked {
    let r = &config.reward;
    let mut names: Vec<&str> = vec![];
    for part in &r.parts {
        one(config, part)?;
        let name = part.name();
        ensure(
            !names.contains(&name),
            PARTS,
            format_args!("a list with `{name}` twice"),
            "a list of parts with a `name` each of its own",
        )?;
        names.push(name);
    }
    ensure(
        r.parts.is_empty() || r.parts.iter().any(|part| part.weight != 0.0),
        PARTS,
        "a list of weights that are all 0",
        "a list with a weight that is not: the reward would be the same for all responses",
    )?;
    let most = config.sampling.max_new_tokens;
    ensure(
        r.overlong_buffer <= most,
        "reward.overlong_buffer",
        r.overlong_buffer,
        format_args!("at most sampling.max_new_tokens ({most})"),
    )?;
    not_negative("reward.overlong_penalty", r.overlong_penalty)
}

fn one(config: &Config, part: &RewardPart) -> Checked {
    let name = part.name();
    let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    let fits = !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(ok);
    let need = |need: &str| format!("{need} (reward `{name}`)");
    ensure(
        fits && ![OVERLONG, MEAN].contains(&name),
        PARTS,
        format_args!("a list with a part named {name:?}"),
        format_args!(
            "a list of parts whose names are up to {LONGEST_NAME} small letters, digits, `_` and `-`, and not {OVERLONG} or {MEAN}"
        ),
    )?;
    ensure(
        part.weight.is_finite(),
        PARTS,
        format_args!("a list with the weight {}", part.weight),
        need("a list of finite weights"),
    )?;
    only_its_own(part)?;
    match part.kind {
        RewardKind::Verifier => Ok(()),
        RewardKind::Format => match format::Format::new(&part.pattern, &part.tags) {
            Ok(_) => Ok(()),
            Err(why) => ensure(
                false,
                PARTS,
                "a list with a format that is none",
                need(&why),
            ),
        },
        RewardKind::Length => {
            let limit = match part.limit_tokens {
                0 => config.sampling.max_new_tokens,
                limit => limit,
            };
            let given = format!(
                "target_tokens {} of limit_tokens {limit}",
                part.target_tokens
            );
            let holds = part.target_tokens >= 1 && part.target_tokens < limit;
            let wanted = "a length with target_tokens of at least 1 and below limit_tokens, which is sampling.max_new_tokens unless said";
            ensure(holds, PARTS, given, need(wanted))
        }
        RewardKind::Command => {
            let holds = part
                .command
                .first()
                .is_some_and(|program| !program.is_empty());
            let wanted = "a list of a program and its arguments, [\"python3\", \"grade.py\"]";
            ensure(
                holds,
                "reward.parts.command",
                format_args!("{:?}", part.command),
                need(wanted),
            )?;
            times(part)
        }
        RewardKind::Http => {
            if let Err(GraderError::Url { reason, .. }) = HttpConfig::new(&part.url).authority() {
                let wanted = format!("the address of a grader, http://host:port/path: {reason}");
                let given = format!("{:?}", part.url);
                return ensure(false, "reward.parts.url", given, need(&wanted));
            }
            times(part)
        }
    }
}

fn times(part: &RewardPart) -> Checked {
    let name = part.name();
    if let Some(deadline) = part.deadline {
        ensure(
            deadline > 0.0 && deadline <= MOST_SECONDS,
            "reward.parts.deadline",
            deadline,
            format_args!("above 0, up to {MOST_SECONDS} seconds (reward `{name}`)"),
        )?;
    }
    if let Some(startup) = part.startup {
        ensure(
            (0.0..=MOST_SECONDS).contains(&startup),
            "reward.parts.startup",
            startup,
            format_args!("from 0 to {MOST_SECONDS} seconds (reward `{name}`)"),
        )?;
    }
    Ok(())
}

/// Keys of another kind have no effect, and whoever wrote them thinks that they have.
fn only_its_own(part: &RewardPart) -> Checked {
    use RewardKind::{Command, Format, Http, Length};
    let given: [(&'static str, bool, &[RewardKind]); 9] = [
        ("reward.parts.pattern", !part.pattern.is_empty(), &[Format]),
        ("reward.parts.tags", !part.tags.is_empty(), &[Format]),
        (
            "reward.parts.target_tokens",
            part.target_tokens > 0,
            &[Length],
        ),
        (
            "reward.parts.limit_tokens",
            part.limit_tokens > 0,
            &[Length],
        ),
        ("reward.parts.command", !part.command.is_empty(), &[Command]),
        ("reward.parts.url", !part.url.is_empty(), &[Http]),
        (
            "reward.parts.deadline",
            part.deadline.is_some(),
            &[Command, Http],
        ),
        ("reward.parts.startup", part.startup.is_some(), &[Command]),
        (
            "reward.parts.retries",
            part.retries.is_some(),
            &[Command, Http],
        ),
    ];
    let (name, kind) = (part.name(), part.kind.as_str());
    for (key, is_given, kinds) in given {
        let kinds_in_words: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        ensure(
            !is_given || kinds.contains(&part.kind),
            key,
            "given",
            format_args!(
                "left out of reward `{name}`: kind = \"{kind}\" does not read it, {} does",
                kinds_in_words.join(" and ")
            ),
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Layer, resolve};
    use crate::error::ConfigError;

    fn with(parts: &str) -> Result<Config, ConfigError> {
        resolve(&[Layer::text("f", &format!("[reward]\nparts = [{parts}]")).unwrap()])
    }

    #[test]
    fn parts_survive_a_round_trip() {
        let config = with(
            r#"{ kind = "command", command = ["python3", "g.py"], deadline = 2.5, weight = 0.75 },
               { kind = "format", name = "tags", tags = ["think", "answer"], weight = 0.1 },
               { kind = "length", target_tokens = 8 },
               { kind = "verifier", weight = 0.0 },
               { kind = "http", url = "http://127.0.0.1:8000/grade", retries = 0 }"#,
        )
        .unwrap();
        assert_eq!(config.reward.parts.len(), 5);
        for text in [config.to_toml().unwrap(), config.to_full_toml().unwrap()] {
            let again = resolve(&[Layer::text("again", &text).unwrap()]).expect(&text);
            assert_eq!(again, config, "{text}");
        }
        assert!(config.reward.asks_verifier());
        assert!(
            !with(r#"{ kind = "length", target_tokens = 8 }"#)
                .unwrap()
                .reward
                .asks_verifier()
        );
    }

    #[test]
    fn faults_are_named() {
        for (parts, words) in [
            (r#"{ weight = 1.0 }"#, &["reward.parts", "kind"][..]),
            (
                r#"{ kind = "judge" }"#,
                &["reward.parts", "judge", "verifier"],
            ),
            (
                r#"{ kind = "verifier", wieght = 1 }"#,
                &["reward.parts", "wieght"],
            ),
            (
                r#"{ kind = "verifier", weight = nan }"#,
                &["NaN", "`verifier`"],
            ),
            (r#"{ kind = "verifier", weight = 0 }"#, &["all 0"]),
            (
                r#"{ kind = "verifier" }, { kind = "verifier" }"#,
                &["`verifier` twice"],
            ),
            (
                r#"{ kind = "verifier", name = "Gold!" }"#,
                &["\"Gold!\"", "small letters"],
            ),
            (r#"{ kind = "verifier", name = "overlong" }"#, &["overlong"]),
            (r#"{ kind = "format" }"#, &["pattern", "tags", "`format`"]),
            (r#"{ kind = "format", pattern = "(" }"#, &["unclosed group"]),
            (
                r#"{ kind = "format", pattern = "a", tags = ["b"] }"#,
                &["not both"],
            ),
            (r#"{ kind = "format", tags = ["a b"] }"#, &["\"a b\""]),
            (r#"{ kind = "length" }"#, &["target_tokens 0", "`length`"]),
            (
                r#"{ kind = "length", target_tokens = 90 }"#,
                &["target_tokens 90 of limit_tokens 40"],
            ),
            (r#"{ kind = "command" }"#, &["reward.parts.command", "[]"]),
            (
                r#"{ kind = "command", command = ["x"], deadline = 0 }"#,
                &["reward.parts.deadline", "0"],
            ),
            (
                r#"{ kind = "http" }"#,
                &["reward.parts.url", "write http://"],
            ),
            (
                r#"{ kind = "http", url = "https://h/g" }"#,
                &["https is not built in"],
            ),
            (
                r#"{ kind = "http", url = "http://h", startup = 1 }"#,
                &["reward.parts.startup", "command does"],
            ),
            (
                r#"{ kind = "verifier", url = "http://h" }"#,
                &["reward.parts.url", "\"verifier\" does not read"],
            ),
        ] {
            let message = with(parts).expect_err(parts).to_string();
            for word in words {
                assert!(message.contains(word), "{parts}: {message}");
            }
        }
        for (setting, word) in [
            ("reward.overlong_buffer=41", "sampling.max_new_tokens (40)"),
            ("reward.overlong_penalty=-1", "reward.overlong_penalty"),
        ] {
            let layers = ["reward.overlong_buffer=8", setting].map(|set| Layer::set(set).unwrap());
            let message = resolve(&layers).unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        }
    }
}

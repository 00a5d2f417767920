//! How long a prompt may be: what the configuration allows, and what leaves room for a response.

use super::broken::Broken;
use crate::config::Config;
use crate::error::{ConfigError, TrainError};

/// The most tokens that a prompt may have, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptLimit {
    tokens: usize,
    why: String,
    note: Option<String>,
}

impl PromptLimit {
    /// The smaller of `data.max_prompt_tokens` and what the model's positions leave beside `sampling.max_new_tokens`.
    /// `positions` is `max_position_embeddings` of the model, where it has any.
    ///
    /// # Errors
    /// [`ConfigError::Range`] if the response alone fills the positions.
    pub fn new(config: &Config, positions: Option<usize>) -> Result<Self, TrainError> {
        let (wanted, new) = (
            config.data.max_prompt_tokens,
            config.sampling.max_new_tokens,
        );
        let by_config = format!("data.max_prompt_tokens is {wanted}");
        let Some(positions) = positions else {
            return Ok(Self {
                tokens: wanted,
                why: by_config,
                note: None,
            });
        };
        let room = positions.saturating_sub(new);
        if room == 0 {
            return Err(TrainError::from(ConfigError::Range {
                key: "sampling.max_new_tokens",
                given: new.to_string(),
                need: format!(
                    "below {positions}, the positions of the model (max_position_embeddings): a prompt has to fit as well"
                ),
            }));
        }
        if wanted <= room {
            return Ok(Self {
                tokens: wanted,
                why: by_config,
                note: None,
            });
        }
        let why = format!(
            "the model has {positions} positions (max_position_embeddings), and sampling.max_new_tokens takes {new} of them"
        );
        let note = format!(
            "data.max_prompt_tokens is {wanted}, but {why}: prompts up to {room} tokens are used"
        );
        Ok(Self {
            tokens: room,
            why,
            note: Some(note),
        })
    }

    /// The most tokens.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// What the user should know: that the model's positions allow less than the configuration does.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Checks the length of a prompt.
    ///
    /// # Errors
    /// A [`Broken`] with both numbers.
    pub fn check(&self, tokens: usize) -> Result<(), Broken> {
        if tokens <= self.tokens {
            return Ok(());
        }
        let reason = format!(
            "has {tokens} tokens, but at most {} are used: {}",
            self.tokens, self.why
        );
        Err(Broken::new(super::broken::Fault::TooLong, "prompt", reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Layer, resolve};

    fn limit(
        max_prompt: usize,
        new: usize,
        positions: Option<usize>,
    ) -> Result<PromptLimit, String> {
        let layers: Vec<Layer> = [
            "model.path=any".to_owned(),
            "data.train_file=any".to_owned(),
            format!("data.max_prompt_tokens={max_prompt}"),
            format!("sampling.max_new_tokens={new}"),
        ]
        .iter()
        .map(|set| Layer::set(set).unwrap())
        .collect();
        let config = resolve(&layers).unwrap();
        PromptLimit::new(&config, positions).map_err(|error| error.to_string())
    }

    #[test]
    fn prompts_leave_room_for_the_response() {
        let free = limit(100, 50, None).unwrap();
        assert_eq!((free.tokens(), free.note()), (100, None));
        let wide = limit(100, 50, Some(150)).unwrap();
        assert_eq!((wide.tokens(), wide.note()), (100, None));
        assert!(wide.check(100).is_ok());
        let said = wide.check(101).unwrap_err().reason;
        assert_eq!(
            said,
            "has 101 tokens, but at most 100 are used: data.max_prompt_tokens is 100"
        );
        let narrow = limit(100, 50, Some(149)).unwrap();
        assert_eq!(narrow.tokens(), 99);
        let note = narrow.note().unwrap();
        for part in [
            "data.max_prompt_tokens is 100",
            "149 positions",
            "takes 50",
            "up to 99 tokens",
        ] {
            assert!(note.contains(part), "{note}");
        }
        assert!(
            narrow
                .check(100)
                .unwrap_err()
                .reason
                .contains("149 positions")
        );
        let none = limit(100, 50, Some(50)).unwrap_err();
        assert!(
            none.contains("`sampling.max_new_tokens` is 50, but must be below 50"),
            "{none}"
        );
    }
}

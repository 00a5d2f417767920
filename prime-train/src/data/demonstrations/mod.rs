//! Demonstrations of one's own: conversations and answered prompts, for supervised training.
//!
//! Each turn of the assistant is an example of its own: the conversation before it, rendered as for sampling, and the turn
//! with its end. So a template that rewrites earlier turns (thoughts that are taken out, say) is followed to the letter.

use std::path::Path;

use prime_policy::Tokenizer;
use rayon::prelude::*;

use crate::config::{Config, Turns};
use crate::data::broken::{Broken, Fault};
use crate::data::chat::PromptFormat;
use crate::data::left_out::LeftOut;
use crate::data::order::{Mix, Order};
use crate::data::reading::RowReading;
use crate::data::row::{Message, Row};
use crate::data::rows::broken_row;
use crate::data::source::{DataFiles, RawRow, RawRows};
use crate::data::store::{Store, StoreWriter};
use crate::error::TrainError;
use crate::sft::Demonstrated;

/// Rows that are checked together, on all cores.
const CHUNK: usize = 4096;
/// Keeps the order of demonstrations apart from that of problems.
const DEMONSTRATIONS: u64 = 0x64_656d_6f73;
const ASSISTANT: &str = "assistant";

/// The demonstrations of `warmup.train_file`, or those of `warmup.eval_file`.
#[derive(Debug)]
pub struct Demonstrations {
    entries: Vec<(Store, Order)>,
    mix: Mix,
    form: Form,
    notes: Vec<String>,
    longest: usize,
}

/// How rows become demonstrations.
#[derive(Debug)]
struct Form {
    reading: RowReading,
    format: PromptFormat,
    turns: Turns,
    examples: usize,
    most: usize,
    why: String,
}

impl Demonstrations {
    /// Reads and checks all rows to learn from.
    ///
    /// # Errors
    /// A file that cannot be read, or of which no row can be used; the first broken row, unless `data.skip_bad_rows`.
    pub fn open(
        config: &Config,
        tokenizer: &Tokenizer,
        positions: Option<usize>,
    ) -> Result<Self, TrainError> {
        let files = &config.warmup.train_file;
        Self::read(config, files, config.seed, tokenizer, positions)
    }

    /// The demonstrations that are not learned from: `warmup.eval_demonstrations` of them, the same whatever the seed of the
    /// run is; and what there is to say of each file.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    pub fn held_out(
        config: &Config,
        tokenizer: &Tokenizer,
        positions: Option<usize>,
    ) -> Result<(Vec<Demonstrated>, Vec<String>), TrainError> {
        let files = &config.warmup.eval_file;
        if files.is_empty() {
            return Ok((vec![], vec![]));
        }
        let all = Self::read(config, files, config.eval.seed, tokenizer, positions)?;
        let used = all.len().min(config.warmup.eval_demonstrations) as u64;
        let demonstrations = (0..used).map(|place| all.get(place, tokenizer));
        Ok((demonstrations.collect::<Result<_, _>>()?, all.notes))
    }

    fn read(
        config: &Config,
        files: &DataFiles,
        seed: u64,
        tokenizer: &Tokenizer,
        positions: Option<usize>,
    ) -> Result<Self, TrainError> {
        let form = Form::new(config, tokenizer, positions)?;
        let (mut entries, mut weights, mut notes, mut longest) = (vec![], vec![], vec![], 0);
        for (number, entry) in files.entries().iter().enumerate() {
            let mut writer = StoreWriter::default();
            let mut of_entry = LeftOut::default();
            for path in entry.files()? {
                let before = writer.len();
                let skip = config.data.skip_bad_rows;
                let left_out = form.read(&path, tokenizer, skip, &mut writer, &mut longest)?;
                notes.push(format!(
                    "{}; {} demonstrations",
                    left_out.describe(&path, writer.rows_since(before)),
                    writer.len() - before
                ));
                of_entry.join(left_out);
            }
            if writer.len() == 0 {
                let too_long = of_entry.count_of(Fault::TooLong);
                return Err(TrainError::NoRows {
                    path: entry.path.clone().into(),
                    skipped: of_entry.count() - too_long,
                    too_long,
                    why: of_entry.to_string(),
                });
            }
            let store = writer.finish()?;
            let rows = u32::try_from(store.len()).unwrap_or(u32::MAX);
            let order = Order::new(seed ^ DEMONSTRATIONS, number, rows);
            entries.push((store, order));
            weights.push(entry.weight);
        }
        Ok(Self {
            entries,
            mix: Mix::new(seed ^ DEMONSTRATIONS, &weights),
            form,
            notes,
            longest,
        })
    }

    /// Turns that are learned from.
    pub fn len(&self) -> usize {
        self.entries.iter().map(|(store, _)| store.len()).sum()
    }

    /// Whether there are none; then there was nothing to read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What there is to say of each file.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Tokens of the longest demonstration.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// The demonstration at a place in the order of training: each once an epoch, in a fresh order.
    ///
    /// # Errors
    /// [`TrainError::Io`] and [`TrainError::DataFile`] for a file that is not as it was; [`TrainError::Row`].
    pub fn get(&self, place: u64, tokenizer: &Tokenizer) -> Result<Demonstrated, TrainError> {
        let (entry, place) = self.mix.entry(place);
        let drawn = self
            .entries
            .get(entry)
            .and_then(|(store, order)| Some((store, order.row(place)?)));
        let stored = match drawn {
            Some((store, row)) => store.row(row)?,
            None => None,
        };
        let stored = stored.ok_or_else(|| {
            TrainError::Usage("warmup.train_file holds no demonstration".to_owned())
        })?;
        // The store's number of a demonstration is that of its turn.
        let turn = stored.id as usize;
        let row = self.form.reading.parse(&stored.json);
        let made = row.and_then(|row| {
            let turns = self.form.turns(&row);
            let missing = || Broken::row("has changed");
            let (before, response) = turns.into_iter().nth(turn).ok_or_else(missing)?;
            self.form.tokens(&before, &response, tokenizer)
        });
        made.map_err(|broken| broken_row(stored.path, stored.number, broken))
    }
}

impl Form {
    fn new(
        config: &Config,
        tokenizer: &Tokenizer,
        positions: Option<usize>,
    ) -> Result<Self, TrainError> {
        let reading = RowReading::new(config)?.without_gold();
        let wanted = config.warmup.max_tokens;
        let (most, why) = match positions {
            Some(positions) if positions < wanted => (
                positions,
                format!("the model has {positions} positions (max_position_embeddings)"),
            ),
            _ => (wanted, format!("warmup.max_tokens is {wanted}")),
        };
        Ok(Self {
            examples: config
                .data
                .example_turns
                .messages()?
                .iter()
                .filter(|message| message.role == ASSISTANT)
                .count(),
            reading,
            format: PromptFormat::open(config, tokenizer)?,
            turns: config.warmup.turns,
            most,
            why,
        })
    }

    fn read(
        &self,
        path: &Path,
        tokenizer: &Tokenizer,
        skip_bad_rows: bool,
        writer: &mut StoreWriter,
        longest: &mut usize,
    ) -> Result<LeftOut, TrainError> {
        let mut rows = RawRows::open(path)?;
        let mut left_out = LeftOut::default();
        writer.begin(path);
        loop {
            let chunk = rows.by_ref().take(CHUNK).collect::<Result<Vec<_>, _>>()?;
            if chunk.is_empty() {
                return Ok(left_out);
            }
            let checked: Vec<_> = chunk
                .par_iter()
                .map(|raw| self.lengths(raw, tokenizer))
                .collect();
            for (raw, checked) in chunk.iter().zip(checked) {
                let lengths = match checked {
                    Ok(lengths) => lengths,
                    Err(broken) if skip_bad_rows => {
                        left_out.add(raw.number, &broken);
                        continue;
                    }
                    Err(broken) => return Err(broken_row(path, raw.number, broken)),
                };
                let mut used = false;
                for (turn, tokens) in lengths.iter().enumerate() {
                    if *tokens <= self.most {
                        writer.put(raw, turn as u64)?;
                        *longest = (*longest).max(*tokens);
                        used = true;
                    }
                }
                if !used && let Some(tokens) = lengths.iter().min() {
                    let reason = format!(
                        "has {tokens} tokens, but at most {} are used: {}",
                        self.most, self.why
                    );
                    left_out.add(raw.number, &Broken::new(Fault::TooLong, "row", reason));
                }
            }
        }
    }

    /// Tokens of each demonstration in a row, at least one.
    fn lengths(&self, raw: &RawRow, tokenizer: &Tokenizer) -> Result<Vec<usize>, Broken> {
        let row = self.reading.parse(&raw.json)?;
        let turns = self.turns(&row);
        if turns.is_empty() {
            return Err(Broken::row(
                "has no response to learn from: a conversation that ends with the assistant, or a column of responses, which \
                 data.columns.response names",
            ));
        }
        turns
            .iter()
            .map(|(before, response)| {
                let (prompt, response) = self.tokens(before, response, tokenizer)?;
                Ok(prompt.len() + response.len())
            })
            .collect()
    }

    /// What comes before each of the assistant's turns, and the turn.
    fn turns(&self, row: &Row) -> Vec<(Vec<Message>, String)> {
        let mut turns = vec![];
        if self.turns == Turns::All {
            let places = row.prompt.iter().enumerate();
            let assistants = places.filter(|(_, message)| message.role == ASSISTANT);
            // The example turns are there to be seen, not learned.
            for (at, message) in assistants.skip(self.examples) {
                let before = row.prompt.iter().take(at).cloned().collect();
                turns.push((before, message.content.clone()));
            }
        }
        if let Some(reference) = row
            .reference
            .as_ref()
            .filter(|text| !text.trim().is_empty())
        {
            turns.push((row.prompt.clone(), reference.clone()));
        }
        turns
    }

    fn tokens(
        &self,
        before: &[Message],
        response: &str,
        tokenizer: &Tokenizer,
    ) -> Result<Demonstrated, Broken> {
        let written = |error: String| Broken::prompt("row", error);
        let (_, prompt) = self
            .format
            .encode(before, tokenizer)
            .map_err(|error| written(error.to_string()))?;
        let response = tokenizer
            .encode_response(response)
            .map_err(|error| written(error.to_string()))?;
        Ok((prompt, response))
    }
}

#[cfg(test)]
mod tests;

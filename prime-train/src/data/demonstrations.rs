//! Demonstrations of one's own: conversations and answered prompts, for supervised training.
//!
//! Each turn of the assistant is an example of its own: the conversation before it, rendered as for sampling, and the turn
//! with its end. So a template that rewrites earlier turns (thoughts that are taken out, say) is followed to the letter.

use std::path::Path;

use prime_policy::Tokenizer;
use rayon::prelude::*;

use super::broken::{Broken, Fault};
use super::chat::PromptFormat;
use super::left_out::LeftOut;
use super::order::{Mix, Order};
use super::reading::RowReading;
use super::row::{Message, Row};
use super::rows::broken_row;
use super::source::{RawRow, RawRows};
use super::store::{Store, StoreWriter};
use crate::config::{Config, Turns};
use crate::error::TrainError;
use crate::sft::Demonstrated;

/// Rows that are checked together, on all cores.
const CHUNK: usize = 4096;
/// Keeps the order of demonstrations apart from that of problems.
const DEMONSTRATIONS: u64 = 0x64_656d_6f73;
const ASSISTANT: &str = "assistant";

/// The demonstrations of `warmup.train_file`.
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
    /// Reads and checks all rows.
    ///
    /// # Errors
    /// A file that cannot be read, or of which no row can be used; the first broken row, unless `data.skip_bad_rows`.
    pub fn open(
        config: &Config,
        tokenizer: &Tokenizer,
        positions: Option<usize>,
    ) -> Result<Self, TrainError> {
        let form = Form::new(config, tokenizer, positions)?;
        let (mut entries, mut weights, mut notes, mut longest) = (vec![], vec![], vec![], 0);
        for (number, entry) in config.warmup.train_file.entries().iter().enumerate() {
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
            let order = Order::new(config.seed ^ DEMONSTRATIONS, number, rows);
            entries.push((store, order));
            weights.push(entry.weight);
        }
        Ok(Self {
            entries,
            mix: Mix::new(config.seed ^ DEMONSTRATIONS, &weights),
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
mod tests {
    use super::*;
    use crate::config::{Layer, resolve};

    /// A tokenizer of characters with a template that takes thoughts out of earlier turns.
    fn chat(folder: &Path) -> Tokenizer {
        let characters = (' '..='~').chain(['\n']);
        Tokenizer::characters(characters)
            .unwrap()
            .save(folder)
            .unwrap();
        let template = "{% for m in messages %}[{{ m.role }}]{{ m.content.split('#')[-1] }}|{% endfor %}\
             {% if add_generation_prompt %}[assistant]{% endif %}";
        std::fs::write(folder.join("chat_template.jinja"), template).unwrap();
        Tokenizer::from_folder(folder).unwrap()
    }

    fn open(rows: &str, settings: &[&str]) -> Result<(Demonstrations, Tokenizer), TrainError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demos.jsonl");
        std::fs::write(&path, rows).unwrap();
        let tokenizer = chat(folder.path());
        let file = format!("warmup.train_file={}", path.display());
        let fixed = [
            "model.path=m",
            "rl.steps=0",
            "warmup.steps=10",
            "data.skip_bad_rows=false",
            &file,
        ];
        let sets = fixed
            .iter()
            .chain(settings)
            .map(|set| Layer::set(set).unwrap());
        let config = resolve(&sets.collect::<Vec<_>>())?;
        let demonstrations = Demonstrations::open(&config, &tokenizer, Some(200))?;
        Ok((demonstrations, tokenizer))
    }

    /// Prompts and responses of an epoch as text, sorted; the end of a turn is `<eos>`.
    fn epoch(rows: &str, settings: &[&str]) -> Vec<(String, String)> {
        let (demonstrations, tokenizer) = open(rows, settings).unwrap();
        let text = |ids: &[u32]| tokenizer.decode_with_special_tokens(ids).unwrap();
        let mut all: Vec<_> = (0..demonstrations.len() as u64)
            .map(|place| {
                let (prompt, response) = demonstrations.get(place, &tokenizer).unwrap();
                (text(&prompt), text(&response))
            })
            .collect();
        all.sort();
        all
    }

    const TURNS: &str = r#"{"messages":[{"role":"user","content":"a?"},{"role":"assistant","content":"t#b"},{"role":"user","content":"c?"},{"role":"assistant","content":"u#d"}]}"#;

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected
            .iter()
            .map(|&(a, b)| (a.to_owned(), b.to_owned()))
            .collect()
    }

    #[test]
    fn every_turn_is_learned_from_what_the_template_shows_before_it() {
        let all = pairs(&[
            ("[user]a?|[assistant]", "t#b<eos>"),
            ("[user]a?|[assistant]b|[user]c?|[assistant]", "u#d<eos>"),
        ]);
        assert_eq!(epoch(TURNS, &[]), all);
        assert_eq!(epoch(TURNS, &["warmup.turns=last"]), all[1..]);
    }

    #[test]
    fn example_turns_are_seen_and_not_learned() {
        let shown = "data.example_turns=[{ user = \"x\", assistant = \"y\" }]";
        let expected = pairs(&[
            ("[user]x|[assistant]y|[user]a?|[assistant]", "t#b<eos>"),
            (
                "[user]x|[assistant]y|[user]a?|[assistant]b|[user]c?|[assistant]",
                "u#d<eos>",
            ),
        ]);
        assert_eq!(epoch(TURNS, &[shown]), expected);
    }

    #[test]
    fn demonstrations_come_in_the_layouts_that_people_have() {
        let expected = pairs(&[("[user]1+1?|[assistant]", "It is 2<eos>")]);
        for row in [
            r#"{"messages":[{"role":"user","content":"1+1?"},{"role":"assistant","content":"It is 2"}]}"#,
            r#"{"conversations":[{"from":"human","value":"1+1?"},{"from":"gpt","value":"It is 2"}]}"#,
            r#"{"prompt":"1+1?","completion":"It is 2"}"#,
            r#"{"prompt":[{"role":"user","content":"1+1?"}],"completion":[{"role":"assistant","content":"It is 2"}]}"#,
            r#"{"prompt":"1+1?","response":"It is 2"}"#,
            r#"{"instruction":"1+1?","input":"","output":"It is 2"}"#,
            r#"{"problem":"1+1?","solution":"It is 2","answer":"2"}"#,
        ] {
            assert_eq!(epoch(row, &[]), expected, "{row}");
        }
        let own = r#"{"q":"1+1?","a":"It is 2"}"#;
        let named = ["data.columns.prompt=q", "data.columns.response=a"];
        assert_eq!(epoch(own, &named), expected);
    }

    #[test]
    fn rows_without_a_response_and_long_ones_are_named_or_counted() {
        let none = r#"{"messages":[{"role":"user","content":"1+1?"}]}"#;
        let error = open(&format!("{TURNS}\n{none}"), &[])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("demos.jsonl row 2") && error.contains("no response to learn from"),
            "{error}"
        );
        let long = format!(r#"{{"prompt":"1","response":"{}"}}"#, "2".repeat(300));
        let rows = format!("{none}\n{TURNS}\n{long}");
        let (found, _) = open(&rows, &["data.skip_bad_rows=true"]).unwrap();
        assert_eq!(found.len(), 2);
        let note = &found.notes()[0];
        assert!(
            note.contains("3 rows, 2 left out") && note.contains("2 demonstrations"),
            "{note}"
        );
        assert!(note.contains("at most 200 are used"), "{note}");
        let error = open(&long, &[]).unwrap_err().to_string();
        assert!(error.contains("no usable row"), "{error}");
    }

    #[test]
    fn epochs_differ_and_hold_every_demonstration() {
        let rows: String = (0..9)
            .map(|i| format!("{{\"prompt\":\"{i}\",\"response\":\"{i}\"}}\n"))
            .collect();
        let (found, tokenizer) = open(&rows, &[]).unwrap();
        let prompts = |epoch: u64| -> Vec<Vec<u32>> {
            (9 * epoch..9 * epoch + 9)
                .map(|at| found.get(at, &tokenizer).unwrap().0)
                .collect()
        };
        let (mut first, mut second) = (prompts(0), prompts(1));
        assert_ne!(first, second);
        first.sort();
        second.sort();
        assert_eq!(first, second);
    }
}

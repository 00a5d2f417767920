//! From the JSON of one row to what it means, and whether that can be trained on.

use std::borrow::Cow;

use prime_verifier::code::TestCases;

use super::ability::Ability;
use super::answer_place::AnswerPlace;
use super::broken::{Broken, Fault};
use super::conversation::{self, Conversation};
use super::gold;
use super::json::{Object, kind_of, list, string};
use super::layout::{
    ANSWERS, Gold, How, Layout, PROMPTS, Prompt, SURE, WHOLE_ROW, guess, recognise,
};
use super::path::{find, missing};
use super::prompt_shape::PromptShape;
use super::row::{Message, Row};
use super::test_cases;
use crate::config::{Columns, Config};
use crate::error::TrainError;

/// How rows are read: what columns mean, what is added to prompts, and what is asked of a row.
#[derive(Debug, Clone, Default)]
pub struct RowReading {
    columns: Columns,
    /// Of rows that do not say.
    ability: Ability,
    shape: PromptShape,
    /// Whether the graders here judge responses, so that there has to be something they can use.
    needs_gold: bool,
    keep_text: bool,
}

impl RowReading {
    /// As `[data]` says.
    ///
    /// # Errors
    /// [`TrainError::Io`] and [`TrainError::Config`] for a file of example turns that cannot be used.
    pub fn new(config: &Config) -> Result<Self, TrainError> {
        Ok(Self {
            columns: config.data.columns.clone(),
            ability: Ability::named(&config.data.ability),
            shape: PromptShape::new(config)?,
            needs_gold: config.reward.asks_verifier(),
            keep_text: false,
        })
    }

    /// For rewards and demonstrations that need no gold answer: any ability will do, and gold answers are what can be
    /// found.
    #[must_use]
    pub fn without_gold(self) -> Self {
        Self {
            needs_gold: false,
            ..self
        }
    }

    /// Keeps the text of every row in [`Row::text`].
    #[must_use]
    pub fn keep_text(self) -> Self {
        Self {
            keep_text: true,
            ..self
        }
    }

    /// What is added to every prompt.
    pub fn shape(&self) -> &PromptShape {
        &self.shape
    }

    /// Reads one row and checks that it can be used.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(&self, json: &[u8]) -> Result<Row, Broken> {
        let text = std::str::from_utf8(json)
            .map_err(|error| Broken::row(format!("not UTF-8 text: {error}")))?;
        let row = object(text)?;
        let layout = recognise(&row);
        let (prompt, prompt_field) = self.prompt(&row, layout)?;
        let (ability, ability_field) = self.ability(&row, layout)?;
        let (ability, golds, only_words) = if self.needs_gold {
            let ability = ability.judged(&ability_field)?;
            let (golds, field) = self.golds(&row, layout, &ability)?;
            let only_words = check(&ability, &golds, &field)?;
            (ability, golds, only_words)
        } else {
            let golds = self.golds(&row, layout, &ability);
            (
                ability,
                golds.map(|(golds, _)| golds).unwrap_or_default(),
                false,
            )
        };
        let Conversation {
            messages,
            reference,
        } = prompt;
        conversation::not_empty(&messages, &prompt_field)?;
        let messages = self.shape.apply(self.with_system(&row, messages)?);
        Ok(Row {
            extract: AnswerPlace::asked_by(&messages),
            prompt: messages,
            ability,
            golds,
            only_words,
            data_source: self.data_source(&row)?,
            extra_info: extra_info(&row).map(str::to_owned),
            reference: match self.columns.response.as_str() {
                "" => reference.or_else(|| reference_of(&row, layout)),
                path => Some(response(&value(&row, path, Fault::Prompt)?, path)?),
            },
            layout: match layout {
                _ if self.columns.names_all() => "data.columns",
                Some(layout) => layout.name,
                None => "a prompt, an answer",
            },
            text: self.keep_text.then(|| text.trim().to_owned()),
        })
    }

    fn prompt(
        &self,
        row: &Object<'_>,
        layout: Option<&Layout>,
    ) -> Result<(Conversation, String), Broken> {
        let named = self.columns.prompt.as_str();
        let at = |path: &str, fault| {
            let json = value(row, path, fault)?;
            Ok((conversation::read(&json, path)?, path.to_owned()))
        };
        if !named.is_empty() {
            return at(named, Fault::Prompt);
        }
        match layout.map(|layout| layout.prompt) {
            Some(Prompt::At(path)) => at(path, Fault::Prompt),
            Some(Prompt::Made(make)) => {
                let read = Conversation {
                    messages: make(row)?,
                    reference: None,
                };
                Ok((read, "prompt".to_owned()))
            }
            None => {
                let known = PROMPTS.into_iter().find(|name| row.has(name));
                let answer = !self.columns.answer.is_empty()
                    || !self.needs_gold
                    || SURE.iter().any(|name| row.has(name));
                match known {
                    Some(path) if answer => at(path, Fault::Prompt),
                    known => Err(guess(row, known.is_some())),
                }
            }
        }
    }

    fn ability(
        &self,
        row: &Object<'_>,
        layout: Option<&Layout>,
    ) -> Result<(Ability, String), Broken> {
        let named = self.columns.ability.as_str();
        let implied = layout.filter(|_| !self.columns.names_all());
        let absent = implied
            .and_then(|layout| layout.implied.as_ref())
            .unwrap_or(&self.ability);
        let field = match implied.map_or("", |layout| layout.ability) {
            _ if !named.is_empty() => named,
            other if !other.is_empty() && !row.has("ability") => other,
            _ => "ability",
        };
        let json = match named.is_empty() {
            true => find(row, field),
            false => Some(value(row, field, Fault::Ability)?),
        };
        let first = json
            .as_deref()
            .and_then(list)
            .filter(|names| names.len() == 1);
        let json = match &first {
            Some(names) => names.first().copied(),
            None => json.as_deref(),
        };
        // What stands in place of an ability that is none of the names is said where it is written.
        let field = match json {
            None if named.is_empty() => "data.ability",
            _ => field,
        };
        Ok((Ability::of(json, field, absent)?, field.to_owned()))
    }

    fn golds(
        &self,
        row: &Object<'_>,
        layout: Option<&Layout>,
        ability: &Ability,
    ) -> Result<(Vec<String>, String), Broken> {
        let named = self.columns.answer.as_str();
        let read = |path: &str, json: &str, how| {
            let golds = match (ability, how) {
                (Ability::Code, _) => vec![test_cases::read(json, path, None)?],
                (Ability::Other(_), _) => vec![string(json).unwrap_or_else(|| json.to_owned())],
                (Ability::Math, How::Exact) => gold::to_the_letter(json, path)?,
                (Ability::Math, How::Answer) => gold::answers(json, path)?,
                (Ability::Math, How::Solution) => gold::in_solution(json, path)?,
            };
            Ok((golds, path.to_owned()))
        };
        let at = |path: &str, how| {
            let fault = match ability {
                Ability::Code => Fault::Tests,
                _ => Fault::Answer,
            };
            read(path, &value(row, path, fault)?, how)
        };
        if !named.is_empty() {
            return at(named, How::Answer);
        }
        match layout.map(|layout| layout.gold) {
            Some(Gold::At(paths, how)) => {
                let there = paths
                    .iter()
                    .find_map(|path| Some((*path, find(row, path)?)));
                let path = there.as_ref().map_or(paths.first(), |(path, _)| Some(path));
                let path = path.copied().unwrap_or_default();
                let (golds, field) = match &there {
                    Some((path, json)) => read(path, json, how)?,
                    None => at(path, how)?,
                };
                self.no_rival(row, path, &golds, ability)?;
                Ok((golds, field))
            }
            Some(Gold::Made(make)) => Ok((make(row)?, "answer".to_owned())),
            Some(Gold::Tests(make)) => Ok((vec![make(row)?], "tests".to_owned())),
            Some(Gold::Missing(why)) => Err(Broken::row(why)),
            None => {
                let known = SURE.into_iter().chain(ANSWERS).find(|name| row.has(name));
                let path = known.ok_or_else(|| guess(row, true))?;
                let how = match path {
                    "solution" | "Solution" | "response" | "output" => How::Solution,
                    _ => How::Answer,
                };
                let (golds, field) = at(path, how)?;
                self.no_rival(row, path, &golds, ability)?;
                Ok((golds, field))
            }
        }
    }

    /// Two columns that could be the gold answer and say different things are one too many.
    fn no_rival(
        &self,
        row: &Object<'_>,
        path: &str,
        golds: &[String],
        ability: &Ability,
    ) -> Result<(), Broken> {
        const RIVALS: [&str; 5] = [
            "ground_truth",
            "expected_answer",
            "final_answer",
            "answer",
            "Answer",
        ];
        if *ability != Ability::Math || !RIVALS.contains(&path) {
            return Ok(());
        }
        for rival in RIVALS
            .into_iter()
            .filter(|rival| *rival != path && row.has(rival))
        {
            let other = gold::answers(row.get(rival).unwrap_or("null"), rival);
            if !other.is_ok_and(|other| other == golds) {
                return Err(Broken::answer(
                    rival,
                    format!(
                        "could be the gold answer, and so could `{path}`, which says something else; name the one that is \
                         with data.columns.answer = {path:?}"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// The system prompt of a column of its own.
    fn with_system(
        &self,
        row: &Object<'_>,
        mut messages: Vec<Message>,
    ) -> Result<Vec<Message>, Broken> {
        let (field, json) = match self.columns.system.as_str() {
            "" if messages.iter().any(|message| message.role == "system") => return Ok(messages),
            "" => match ["system", "system_prompt"]
                .into_iter()
                .find(|name| row.has(name))
            {
                Some(name) => (name, row.get(name).map(Cow::Borrowed)),
                None => return Ok(messages),
            },
            path => (path, Some(value(row, path, Fault::Prompt)?)),
        };
        let json = json.unwrap_or(Cow::Borrowed("null"));
        match string(&json) {
            Some(text) if text.trim().is_empty() => {}
            Some(text) => {
                messages.retain(|message| message.role != "system");
                messages.insert(0, Message::new("system", text));
            }
            None if json == "null" => {}
            None => {
                let reason = format!("expected a string, found {}", kind_of(&json));
                return Err(Broken::prompt(field, reason));
            }
        }
        Ok(messages)
    }

    fn data_source(&self, row: &Object<'_>) -> Result<Option<String>, Broken> {
        let named = self.columns.data_source.as_str();
        if !named.is_empty() {
            let json = value(row, named, Fault::Row)?;
            return Ok(Some(string(&json).unwrap_or_else(|| json.into_owned())));
        }
        Ok(["data_source", "source", "dataset"]
            .into_iter()
            .find_map(|name| {
                let json = row.get(name)?;
                let first = list(json).and_then(|names| names.first().copied());
                string(first.unwrap_or(json)).filter(|name| !name.is_empty())
            }))
    }
}

fn extra_info<'l>(row: &Object<'l>) -> Option<&'l str> {
    let there = ["extra_info", "info"]
        .into_iter()
        .find(|name| row.has(name))?;
    row.get(there)
}

/// The fields of a row. A row may be the list of the turns of a conversation.
fn object(text: &str) -> Result<Object<'_>, Broken> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text)
            .map_err(|error| Broken::row(format!("not JSON: {error}")));
    }
    match serde_json::from_str::<&serde_json::value::RawValue>(text) {
        Err(error) => Err(Broken::row(format!("not JSON: {error}"))),
        Ok(turns) => match list(turns.get()) {
            Some(entries)
                if !entries.is_empty() && entries.iter().all(|entry| entry.starts_with('{')) =>
            {
                Ok(Object(vec![(Cow::Borrowed(WHOLE_ROW), turns)]))
            }
            _ => Err(Broken::row(format!(
                "expected an object, found {}",
                kind_of(turns.get())
            ))),
        },
    }
}

/// The value at a path, or an error that says how far the path goes.
fn value<'l>(row: &Object<'l>, path: &str, fault: Fault) -> Result<Cow<'l, str>, Broken> {
    find(row, path).ok_or_else(|| {
        let (field, reason) = missing(row, path);
        Broken::new(fault, &field, reason)
    })
}

/// Whether a grader can use the golds.
fn check(ability: &Ability, golds: &[String], field: &str) -> Result<bool, Broken> {
    match (ability, golds.first()) {
        (Ability::Code, Some(tests)) => {
            let parsed = TestCases::parse(tests);
            parsed.map_err(|error| Broken::tests(field, error.to_string()))?;
            Ok(false)
        }
        (Ability::Math, _) => gold::check(golds, field),
        _ => Ok(false),
    }
}

/// A whole response from another column.
fn reference_of(row: &Object<'_>, layout: Option<&Layout>) -> Option<String> {
    const USUAL: &[&str] = &["completion", "response", "output", "solution"];
    let columns = layout.map_or(USUAL, |layout| layout.reference);
    let column = columns.iter().find(|name| row.has(name))?;
    response(row.get(column)?, column).ok()
}

/// A text, or a list of messages that ends with the assistant's.
fn response(json: &str, field: &str) -> Result<String, Broken> {
    if !json.starts_with('[') {
        return conversation::text_of(json, field);
    }
    conversation::read(json, field)?
        .reference
        .ok_or_else(|| Broken::prompt(field, "has no turn of the assistant at its end"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::config::{Layer, resolve};

    /// A reading with settings such as `data.ability=code`.
    pub(crate) fn reading(settings: &[&str]) -> RowReading {
        try_reading(settings).unwrap()
    }

    pub(crate) fn try_reading(settings: &[&str]) -> Result<RowReading, TrainError> {
        let layers: Vec<Layer> = ["data.task=jsonl", "model.path=any", "data.train_file=any"]
            .iter()
            .chain(settings)
            .map(|set| Layer::set(set).unwrap())
            .collect();
        RowReading::new(&resolve(&layers)?)
    }
}

//! Data rows in the schema of Eurus-2-RL-Data and verl, one JSON object a line.
//!
//! ```json
//! {"data_source": "numina_olympiads", "prompt": [{"role": "user", "content": "1+1?"}],
//!  "ability": "math", "reward_model": {"style": "rule", "ground_truth": "2"}, "extra_info": {"index": 0}}
//! ```
//!
//! For `code` the ground truth is the tests, as an object or its text; rows whose tests cannot be read are broken. Other columns are ignored; `extra_info` may be missing. Blank lines are no rows, but count as lines.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use prime_verifier::code::TestCases;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::TrainError;
use crate::files::create_parent;

/// One message of a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// The text.
    pub content: String,
}

/// What a verifier compares a response with.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum GroundTruth {
    /// A text: for `math` the answer; for `code` usually the JSON of the test cases.
    Text(String),
    /// The test cases as an object, as it was written: `inputs`, `outputs` and perhaps `fn_name`. Read as numbers, some of the
    /// numbers in it would become others.
    Object(Box<RawValue>),
}

impl GroundTruth {
    /// The text, or the object as JSON text.
    pub fn to_text(&self) -> String {
        self.as_str().to_owned()
    }

    fn as_str(&self) -> &str {
        match self {
            GroundTruth::Text(text) => text,
            GroundTruth::Object(object) => object.get(),
        }
    }
}

impl PartialEq for GroundTruth {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
            && self.as_str() == other.as_str()
    }
}

impl<'de> Deserialize<'de> for GroundTruth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('{') {
            return Ok(GroundTruth::Object(raw));
        }
        let text = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
        Ok(GroundTruth::Text(text))
    }
}

/// How a response is rewarded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RewardModel {
    /// `rule` in every published data set.
    pub style: String,
    /// The solution.
    pub ground_truth: GroundTruth,
}

/// One prompt with its solution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Where the problem comes from.
    pub data_source: String,
    /// The messages, at least one.
    pub prompt: Vec<Message>,
    /// `math` or `code`.
    pub ability: String,
    /// The solution.
    pub reward_model: RewardModel,
    /// Anything else; null when missing.
    #[serde(default)]
    pub extra_info: Value,
}

/// What is wrong with a row.
#[derive(Debug)]
pub(crate) struct Broken {
    /// The field, dotted; `row` when the line as a whole is meant.
    pub(crate) field: String,
    /// What is wrong with it.
    pub(crate) reason: String,
}

impl Broken {
    pub(crate) fn new(field: &str, reason: impl Into<String>) -> Self {
        Broken {
            field: field.to_string(),
            reason: reason.into(),
        }
    }
}

/// What JSON calls this value, for messages.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

pub(crate) fn text(value: Option<&Value>, field: &str) -> Result<String, Broken> {
    match value {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Err(Broken::new(
            field,
            format!("expected a string, found {}", kind(other)),
        )),
        None => Err(Broken::new(field, "is missing")),
    }
}

fn name(value: Option<&Value>, field: &str) -> Result<String, Broken> {
    match text(value, field)? {
        empty if empty.is_empty() => Err(Broken::new(field, "is empty")),
        name => Ok(name),
    }
}

fn messages(value: Option<&Value>) -> Result<Vec<Message>, Broken> {
    let list = match value {
        Some(Value::Array(list)) if !list.is_empty() => list,
        Some(Value::Array(_)) => return Err(Broken::new("prompt", "has no message")),
        Some(other) => {
            let reason = format!("expected a list of messages, found {}", kind(other));
            return Err(Broken::new("prompt", reason));
        }
        None => return Err(Broken::new("prompt", "is missing")),
    };
    let message = |(i, item): (usize, &Value)| {
        if !item.is_object() {
            let reason = format!("expected {{role, content}}, found {}", kind(item));
            return Err(Broken::new(&format!("prompt[{i}]"), reason));
        }
        Ok(Message {
            role: name(item.get("role"), &format!("prompt[{i}].role"))?,
            content: text(item.get("content"), &format!("prompt[{i}].content"))?,
        })
    };
    list.iter().enumerate().map(message).collect()
}

fn parse(line: &[u8]) -> Result<Row, Broken> {
    let row: Value =
        serde_json::from_slice(line).map_err(|e| Broken::new("row", format!("not JSON: {e}")))?;
    if !row.is_object() {
        let reason = format!("expected an object, found {}", kind(&row));
        return Err(Broken::new("row", reason));
    }
    let reward_model = match row.get("reward_model") {
        Some(object @ Value::Object(_)) => object,
        Some(other) => {
            let reason = format!("expected an object, found {}", kind(other));
            return Err(Broken::new("reward_model", reason));
        }
        None => return Err(Broken::new("reward_model", "is missing")),
    };
    let field = "reward_model.ground_truth";
    let ground_truth = match reward_model.get("ground_truth") {
        Some(Value::Object(_)) => GroundTruth::Object(raw_ground_truth(line)?),
        other => GroundTruth::Text(name(other, field)?),
    };
    let ability = name(row.get("ability"), "ability")?;
    if ability == "code" {
        TestCases::parse(ground_truth.as_str())
            .map_err(|error| Broken::new(field, error.to_string()))?;
    }
    Ok(Row {
        data_source: name(row.get("data_source"), "data_source")?,
        prompt: messages(row.get("prompt"))?,
        ability,
        reward_model: RewardModel {
            style: name(reward_model.get("style"), "reward_model.style")?,
            ground_truth,
        },
        extra_info: row.get("extra_info").cloned().unwrap_or(Value::Null),
    })
}

/// The ground truth of a row that has one, to the letter.
fn raw_ground_truth(line: &[u8]) -> Result<Box<RawValue>, Broken> {
    #[derive(Deserialize)]
    struct Outer {
        reward_model: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        ground_truth: Box<RawValue>,
    }
    let outer: Outer = serde_json::from_slice(line)
        .map_err(|error| Broken::new("reward_model.ground_truth", error.to_string()))?;
    Ok(outer.reward_model.ground_truth)
}

/// Reads rows one at a time, so that a file may be larger than memory.
///
/// Yields an error for each broken row, or counts it when told to skip; and one error at the end if
/// there was no usable row. After an error of the file system it ends.
#[derive(Debug)]
pub struct RowReader {
    path: PathBuf,
    lines: BufReader<File>,
    skip_bad_rows: bool,
    line: usize,
    good: usize,
    broken: usize,
    ended: bool,
}

impl RowReader {
    /// Opens a JSONL file. `skip_bad_rows` counts broken rows instead of reporting them.
    ///
    /// # Errors
    /// [`TrainError::Io`] if the file cannot be opened.
    pub fn open(path: &Path, skip_bad_rows: bool) -> Result<Self, TrainError> {
        let file = File::open(path).map_err(TrainError::io("read", path))?;
        Ok(RowReader {
            path: path.to_path_buf(),
            lines: BufReader::new(file),
            skip_bad_rows,
            line: 0,
            good: 0,
            broken: 0,
            ended: false,
        })
    }

    /// Broken rows skipped so far.
    pub fn skipped(&self) -> usize {
        if self.skip_bad_rows { self.broken } else { 0 }
    }

    /// The line of the row that came last, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    fn end(&mut self) -> Option<Result<Row, TrainError>> {
        self.ended = true;
        // Broken rows that were reported already are errors enough.
        let unreported = self.good == 0 && (self.broken == 0 || self.skip_bad_rows);
        unreported.then(|| {
            Err(TrainError::NoRows {
                path: self.path.clone(),
                skipped: self.broken,
                too_long: 0,
            })
        })
    }
}

impl Iterator for RowReader {
    type Item = Result<Row, TrainError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let mut line = Vec::new();
            match self.lines.read_until(b'\n', &mut line) {
                Ok(0) => return self.end(),
                Ok(_) => self.line += 1,
                Err(source) => {
                    self.ended = true;
                    return Some(Err(TrainError::io("read", &self.path)(source)));
                }
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            match parse(&line) {
                Ok(row) => {
                    self.good += 1;
                    return Some(Ok(row));
                }
                Err(Broken { field, reason }) => {
                    self.broken += 1;
                    if !self.skip_bad_rows {
                        return Some(Err(TrainError::Row {
                            path: self.path.clone(),
                            row: self.line,
                            field,
                            reason,
                        }));
                    }
                }
            }
        }
        None
    }
}

/// All rows of a file, and how many broken ones were skipped.
///
/// # Errors
/// The first error of [`RowReader`].
pub fn read_rows(path: &Path, skip_bad_rows: bool) -> Result<(Vec<Row>, usize), TrainError> {
    let mut reader = RowReader::open(path, skip_bad_rows)?;
    let rows = reader.by_ref().collect::<Result<Vec<_>, _>>()?;
    Ok((rows, reader.skipped()))
}

/// Writes rows as JSONL, replacing the file and creating its folder.
///
/// # Errors
/// [`TrainError::Io`] if the file cannot be written.
pub fn write_rows<'a>(
    path: &Path,
    rows: impl IntoIterator<Item = &'a Row>,
) -> Result<(), TrainError> {
    create_parent(path)?;
    let file = File::create(path).map_err(TrainError::io("write", path))?;
    let mut out = BufWriter::new(file);
    for row in rows {
        let line = serde_json::to_string(row).map_err(|e| TrainError::Encode {
            what: "a data row",
            reason: e.to_string(),
        })?;
        writeln!(out, "{line}").map_err(TrainError::io("write", path))?;
    }
    out.flush().map_err(TrainError::io("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"data_source":"s","prompt":[{"role":"user","content":"1+1?"}],"ability":"math","reward_model":{"style":"rule","ground_truth":"2"},"extra_info":{"index":0}}"#;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn message(text: &str) -> String {
        let (_folder, path) = file(text);
        read_rows(&path, false).unwrap_err().to_string()
    }

    #[test]
    fn rows_survive_a_round_trip() {
        let code = GOOD.replace("math", "code").replace(
            r#""ground_truth":"2""#,
            r#""ground_truth":{"inputs": [[1.50]], "outputs": [12345678901234567890123], "fn_name": "f"}"#,
        );
        let (_folder, path) = file(&format!("{GOOD}\n\n{code}"));
        let (rows, skipped) = read_rows(&path, false).unwrap();
        assert_eq!((rows.len(), skipped), (2, 0));
        assert_eq!(rows[0].reward_model.ground_truth.to_text(), "2");
        let truth = rows[1].reward_model.ground_truth.to_text();
        assert!(
            truth.contains("[[1.50]], \"outputs\": [12345678901234567890123]"),
            "{truth}"
        );

        let copy = path.with_file_name("new/copy.jsonl");
        write_rows(&copy, &rows).unwrap();
        assert_eq!(read_rows(&copy, false).unwrap().0, rows);
    }

    #[test]
    fn errors_name_row_and_field() {
        let broken = GOOD.replace(r#""role":"user""#, r#""role":7"#);
        let error = message(&format!("{GOOD}\n\n{broken}\n"));
        assert!(
            error.contains("rows.jsonl row 3, field `prompt[0].role`"),
            "{error}"
        );
        assert!(error.contains("found a number"), "{error}");
    }

    #[test]
    fn tests_of_code_that_are_none_make_a_broken_row() {
        let code = GOOD.replace("math", "code");
        let error = message(&code);
        for part in ["row 1, field `reward_model.ground_truth`", "the test cases"] {
            assert!(error.contains(part), "{error}");
        }
        let unequal = code.replace(r#""2""#, r#"{"inputs":[],"outputs":["2"]}"#);
        let error = message(&format!("{GOOD}\n{unequal}"));
        for part in ["row 2,", "0 `inputs`, but 1 `outputs`"] {
            assert!(error.contains(part), "{error}");
        }
        let (_folder, path) = file(&format!("{code}\n{GOOD}\n{unequal}"));
        let (rows, skipped) = read_rows(&path, true).unwrap();
        assert_eq!((rows.len(), skipped), (1, 2));
    }

    #[test]
    fn every_required_field_is_checked() {
        let cases = [
            (r#""data_source":"s","#, "", "data_source"),
            (r#"[{"role":"user","content":"1+1?"}]"#, "[]", "prompt"),
            (
                r#"[{"role":"user","content":"1+1?"}]"#,
                "\"1+1?\"",
                "prompt",
            ),
            (r#""ability":"math","#, "", "ability"),
            (
                r#"{"style":"rule","ground_truth":"2"}"#,
                "\"2\"",
                "reward_model",
            ),
            (r#""style":"rule","#, "", "reward_model.style"),
            (
                r#""ground_truth":"2""#,
                r#""ground_truth":2"#,
                "reward_model.ground_truth",
            ),
            (
                r#""ground_truth":"2""#,
                r#""ground_truth":"""#,
                "reward_model.ground_truth",
            ),
            ("\"extra_info\"", "extra_info", "row"),
        ];
        for (from, to, field) in cases {
            assert!(GOOD.contains(from));
            let error = message(&GOOD.replace(from, to));
            assert!(
                error.contains(&format!("row 1, field `{field}`")),
                "{error}"
            );
        }
    }

    #[test]
    fn broken_rows_are_counted_when_skipped() {
        let (_folder, path) = file(&format!("{{\n{GOOD}\n[]\n\u{0}\n"));
        let (rows, skipped) = read_rows(&path, true).unwrap();
        assert_eq!((rows.len(), skipped), (1, 3));
    }

    #[test]
    fn a_file_without_rows_is_an_error() {
        assert!(message("").contains("no usable row (0 skipped"));
        assert!(message("\n\n").contains("no usable row"));
        let (_folder, path) = file("{\n[]\n");
        let error = read_rows(&path, true).unwrap_err().to_string();
        assert!(error.contains("no usable row (2 skipped"), "{error}");
        assert!(matches!(
            RowReader::open(Path::new("no/such.jsonl"), false),
            Err(TrainError::Io { .. })
        ));
    }

    #[test]
    fn reading_goes_on_after_a_broken_row() {
        let (_folder, path) = file(&format!("{{\n{GOOD}\n"));
        let results: Vec<bool> = RowReader::open(&path, false)
            .unwrap()
            .map(|row| row.is_ok())
            .collect();
        assert_eq!(results, [false, true]);
    }
}

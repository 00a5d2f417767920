//! Rows of a data file, read one after the other.

use std::path::{Path, PathBuf};

use super::broken::Broken;
use super::left_out::LeftOut;
use super::reading::RowReading;
pub use super::row::{Message, Row};
use super::source::RawRows;
use crate::error::TrainError;

/// Reads rows one at a time, so that a file may be larger than memory.
///
/// Yields an error for each broken row, or counts it when told to skip; and one error at the end if
/// there was no usable row. After an error of the file system it ends.
pub struct RowReader {
    path: PathBuf,
    rows: RawRows,
    reading: RowReading,
    skip_bad_rows: bool,
    line: usize,
    good: usize,
    broken: usize,
    left_out: LeftOut,
    ended: bool,
}

impl RowReader {
    /// Opens a data file. `skip_bad_rows` counts broken rows instead of reporting them.
    ///
    /// # Errors
    /// Those of [`RawRows::open`].
    pub fn open(
        path: &Path,
        reading: &RowReading,
        skip_bad_rows: bool,
    ) -> Result<Self, TrainError> {
        Ok(RowReader {
            path: path.to_path_buf(),
            rows: RawRows::open(path)?,
            reading: reading.clone(),
            skip_bad_rows,
            line: 0,
            good: 0,
            broken: 0,
            left_out: LeftOut::default(),
            ended: false,
        })
    }

    /// Broken rows skipped so far.
    pub fn skipped(&self) -> usize {
        self.left_out.count()
    }

    /// What was left out, by what is wrong with it.
    pub fn left_out(&mut self) -> &mut LeftOut {
        &mut self.left_out
    }

    /// The number of the row that came last, counted from 1: its line in JSON Lines, its place in a list or a table.
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
                skipped: self.left_out.count(),
                too_long: 0,
                why: self.left_out.to_string(),
            })
        })
    }
}

impl Iterator for RowReader {
    type Item = Result<Row, TrainError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let raw = match self.rows.next() {
                None => return self.end(),
                Some(Ok(raw)) => raw,
                Some(Err(error)) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            };
            self.line = raw.number;
            match self.reading.parse(&raw.json) {
                Ok(row) => {
                    self.good += 1;
                    return Some(Ok(row));
                }
                Err(broken) => {
                    if broken.is_error() {
                        self.broken += 1;
                    }
                    if broken.is_error() && !self.skip_bad_rows {
                        return Some(Err(broken_row(&self.path, self.line, broken)));
                    }
                    self.left_out.add(self.line, &broken);
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
pub fn read_rows(
    path: &Path,
    reading: &RowReading,
    skip_bad_rows: bool,
) -> Result<(Vec<Row>, usize), TrainError> {
    let mut reader = RowReader::open(path, reading, skip_bad_rows)?;
    let rows = reader.by_ref().collect::<Result<Vec<_>, _>>()?;
    Ok((rows, reader.skipped()))
}

/// The error for a broken row of a file.
pub(crate) fn broken_row(path: &Path, row: usize, broken: Broken) -> TrainError {
    TrainError::Row {
        path: path.to_path_buf(),
        row,
        field: broken.field,
        reason: broken.reason,
    }
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

    fn read(path: &Path, skip_bad_rows: bool) -> Result<(Vec<Row>, usize), TrainError> {
        read_rows(
            path,
            &crate::data::reading::tests::reading(&[]),
            skip_bad_rows,
        )
    }

    fn message(text: &str) -> String {
        let (_folder, path) = file(text);
        read(&path, false).unwrap_err().to_string()
    }

    #[test]
    fn golds_and_tests_are_kept_to_the_letter() {
        let code = GOOD.replace("math", "code").replace(
            r#""ground_truth":"2""#,
            r#""ground_truth":{"inputs": [[1.50]], "outputs": [12345678901234567890123], "fn_name": "f"}"#,
        );
        let (_folder, path) = file(&format!("{GOOD}\n\n{code}"));
        let (rows, skipped) = read(&path, false).unwrap();
        assert_eq!((rows.len(), skipped), (2, 0));
        assert_eq!(rows[0].golds, ["2"]);
        assert_eq!(rows[0].extra_info.as_deref(), Some(r#"{"index":0}"#));
        let truth = &rows[1].golds[0];
        assert!(
            truth.contains("[[1.50]], \"outputs\": [12345678901234567890123]"),
            "{truth}"
        );
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
        let (rows, skipped) = read(&path, true).unwrap();
        assert_eq!((rows.len(), skipped), (1, 2));
    }

    #[test]
    fn every_required_field_is_checked() {
        let cases = [
            (r#"[{"role":"user","content":"1+1?"}]"#, "[]", "prompt"),
            (r#"[{"role":"user","content":"1+1?"}]"#, "7", "prompt"),
            (
                r#""prompt":[{"role":"user","content":"1+1?"}],"#,
                "",
                "prompt",
            ),
            (
                r#"{"style":"rule","ground_truth":"2"}"#,
                "\"2\"",
                "reward_model",
            ),
            (
                r#""ground_truth":"2""#,
                r#""ground_truth":true"#,
                "reward_model.ground_truth",
            ),
            (
                r#""ground_truth":"2""#,
                r#""ground_truth":"""#,
                "reward_model.ground_truth",
            ),
            (r#","ground_truth":"2""#, "", "reward_model.ground_truth"),
            ("\"math\"", "\"\"", "ability"),
            ("\"math\"", "\"chess\"", "ability"),
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
    fn broken_rows_are_counted_by_kind_when_skipped() {
        let unreadable = GOOD.replace("\"2\"", r#""\\frac{2""#);
        let (_folder, path) = file(&format!("{{\n{GOOD}\n[]\n\u{0}\n{unreadable}\n"));
        let (rows, skipped) = read(&path, true).unwrap();
        assert_eq!((rows.len(), skipped), (1, 4));
        let reading = crate::data::reading::tests::reading(&[]);
        let mut reader = RowReader::open(&path, &reading, true).unwrap();
        assert_eq!(reader.by_ref().count(), 1);
        let said = reader.left_out().describe(&path, 1);
        for part in [
            "rows.jsonl: 5 rows, 4 left out: 3 rows of no known layout (the first: row 1: ",
            "; 1 gold answer that the maths grader cannot read (the first: row 5: `reward_model.ground_truth`",
        ] {
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn golds_that_the_grader_cannot_read_are_left_out_and_said() {
        let unreadable = GOOD.replace("\"2\"", r#""\\frac{2""#);
        let (_folder, path) = file(&format!("{GOOD}\n{unreadable}\n"));
        let (rows, left_out) = read(&path, false).unwrap();
        assert_eq!((rows.len(), left_out), (1, 1));
        let error = message(&unreadable);
        for part in [
            "no usable row (1 skipped",
            "row 1: `reward_model.ground_truth`",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_file_without_rows_is_an_error() {
        assert!(message("").contains("no usable row (0 skipped"));
        assert!(message("\n\n").contains("no usable row"));
        let (_folder, path) = file("{\n[]\n");
        let error = read(&path, true).unwrap_err().to_string();
        assert!(error.contains("no usable row (2 skipped"), "{error}");
        assert!(error.contains("row 1: `row` not JSON"), "{error}");
        assert!(matches!(
            read(Path::new("no/such.jsonl"), false),
            Err(TrainError::Io { .. })
        ));
    }

    #[test]
    fn reading_goes_on_after_a_broken_row() {
        let (_folder, path) = file(&format!("{{\n{GOOD}\n"));
        let reading = crate::data::reading::tests::reading(&[]);
        let results: Vec<bool> = RowReader::open(&path, &reading, false)
            .unwrap()
            .map(|row| row.is_ok())
            .collect();
        assert_eq!(results, [false, true]);
    }
}

//! Rows that were left out, counted by what is wrong with them, and said on the console.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::broken::{Broken, Fault};
use super::row::Row;

/// What was left out of a file, and what is odd about what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    faults: BTreeMap<Fault, (usize, String)>,
    only_words: usize,
    first_words: Option<String>,
}

impl LeftOut {
    /// Counts a row that is left out; `row` is its number, counted from 1.
    pub fn add(&mut self, row: usize, broken: &Broken) {
        let first = || format!("row {row}: `{}` {}", broken.field, broken.reason);
        let (count, _) = self
            .faults
            .entry(broken.fault)
            .or_insert_with(|| (0, first()));
        *count += 1;
    }

    /// Looks at a row that is used.
    pub fn used(&mut self, row: usize, used: &Row) {
        if used.only_words {
            self.only_words += 1;
            self.first_words.get_or_insert_with(|| {
                let gold = used.golds.first().map_or("", String::as_str);
                format!("row {row}: {}", super::gold::shortened(gold))
            });
        }
    }

    /// Joins the counts of another part of the same file, one that comes later in it.
    pub fn join(&mut self, later: LeftOut) {
        for (fault, (count, first)) in later.faults {
            self.faults.entry(fault).or_insert((0, first)).0 += count;
        }
        self.only_words += later.only_words;
        self.first_words = self.first_words.take().or(later.first_words);
    }

    /// Rows left out.
    pub fn count(&self) -> usize {
        self.faults.values().map(|(count, _)| count).sum()
    }

    /// Rows left out for this.
    pub fn count_of(&self, fault: Fault) -> usize {
        self.faults.get(&fault).map_or(0, |(count, _)| *count)
    }

    /// What the console says about a file of which `used` rows are used: `train.jsonl: 1,203 rows, 2 left out: …`.
    pub fn describe(&self, path: &Path, used: usize) -> String {
        let name = path.file_name().unwrap_or(path.as_os_str());
        let total = grouped(used + self.count());
        format!("{}: {total} rows{self}", name.to_string_lossy())
    }
}

/// Begins with what goes behind "1,203 rows"; empty if there is nothing to say.
impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count() > 0 {
            let kinds = self.faults.iter().map(|(fault, (count, first))| {
                format!("{} (the first: {first})", fault.counted(*count))
            });
            let kinds: Vec<String> = kinds.collect();
            write!(
                f,
                ", {} left out: {}",
                grouped(self.count()),
                kinds.join("; ")
            )?;
        }
        if let Some(first) = &self.first_words {
            write!(
                f,
                "; {} with a gold answer of words, which only the same words equal (the first: {first})",
                grouped(self.only_words)
            )?;
        }
        Ok(())
    }
}

/// A number with commas between its thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

//! `cargo xtask sums FOLDER`: a data set for a first run on a real model.
//!
//! Sums of two numbers as rows of `question` and `answer`. Every answer from 5 to 36 is there equally often, so that a model
//! that always says the same number scores 1/32 and no more. A sum is in one of the two files only: what is held out was not
//! trained on.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

const ANSWERS: RangeInclusive<u32> = 5..=36;
/// One in so many sums of each answer is held out.
const PARTS: u32 = 4;
/// Rows to train on for each answer, and rows held out.
const TRAIN: u32 = 50;
const HELD_OUT: u32 = 8;

/// Writes `train.jsonl` and `heldout.jsonl` into a folder, which is made if need be; returns the paths.
pub(crate) fn write(folder: &Path) -> io::Result<[PathBuf; 2]> {
    fs::create_dir_all(folder)?;
    let paths = ["train.jsonl", "heldout.jsonl"].map(|name| folder.join(name));
    let [train, held_out] = &paths;
    fs::write(train, rows(false, TRAIN))?;
    fs::write(held_out, rows(true, HELD_OUT))?;
    Ok(paths)
}

/// Rows with each answer `each` times, in a random order that is always the same.
fn rows(held_out: bool, each: u32) -> String {
    let mut random = Random(u64::from(held_out));
    let mut sums: Vec<[u32; 2]> = vec![];
    for answer in ANSWERS {
        // Of four numbers in a row one has the remainder that is held out; the smallest answer has four sums.
        let of_part = |first: &u32| (first % PARTS == answer % PARTS) == held_out;
        let firsts: Vec<u32> = (1..answer).filter(of_part).collect();
        for _ in 0..each {
            let first = firsts[random.below(firsts.len())];
            sums.push([first, answer - first]);
        }
    }
    for at in (1..sums.len()).rev() {
        sums.swap(at, random.below(at + 1));
    }
    let mut text = String::new();
    for [first, second] in sums {
        let answer = first + second;
        let _ = writeln!(
            text,
            r#"{{"question": "What is {first} + {second}?", "answer": "{answer}"}}"#
        );
    }
    text
}

/// SplitMix64: good enough to mix rows, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^= word >> 31;
        (word % bound as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// Questions and answers.
    fn read(text: &str) -> Vec<(String, u32)> {
        text.lines()
            .map(|line| {
                let parts: Vec<&str> = line.split('"').collect();
                (parts[3].to_owned(), parts[7].parse().unwrap())
            })
            .collect()
    }

    #[test]
    fn every_answer_is_there_equally_often_and_is_right() {
        for (held_out, each) in [(false, TRAIN), (true, HELD_OUT)] {
            let mut counts = BTreeMap::new();
            for (question, answer) in read(&rows(held_out, each)) {
                let numbers: Vec<u32> = question
                    .trim_end_matches('?')
                    .split_whitespace()
                    .filter_map(|word| word.parse().ok())
                    .collect();
                assert_eq!(numbers.iter().sum::<u32>(), answer, "{question}");
                assert_eq!(numbers.len(), 2, "{question}");
                *counts.entry(answer).or_insert(0) += 1;
            }
            assert_eq!(
                counts.keys().copied().collect::<Vec<_>>(),
                ANSWERS.collect::<Vec<_>>()
            );
            assert!(counts.values().all(|count| *count == each), "{counts:?}");
        }
    }

    #[test]
    fn no_sum_is_in_both_files_and_rows_are_mixed_alike_every_time() {
        let train: BTreeSet<_> = read(&rows(false, TRAIN)).into_iter().collect();
        let held_out = read(&rows(true, HELD_OUT));
        assert_eq!(held_out.len(), 256);
        assert!(held_out.iter().all(|row| !train.contains(row)));
        assert!(!held_out.is_sorted_by_key(|(_, answer)| *answer));
        assert_eq!(rows(true, HELD_OUT), rows(true, HELD_OUT));
    }
}

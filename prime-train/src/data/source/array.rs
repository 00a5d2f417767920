//! One JSON list with a row an element, read an element at a time.
//!
//! Only brackets and strings are looked at; whether an element is JSON is found out by whoever reads it.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::RawRow;
use crate::error::TrainError;

/// Follows brackets and strings.
#[derive(Debug, Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    fn step(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// Where the list or object that `text` starts with ends; `None` if it goes on behind it.
pub(super) fn end_of_value(text: &[u8]) -> Option<usize> {
    let mut scan = Scan::default();
    for (at, &byte) in text.iter().enumerate() {
        scan.step(byte);
        if scan.depth == 0 && !scan.in_string {
            return Some(at + 1);
        }
    }
    None
}

/// The elements of a list.
pub(super) struct Elements<R: BufRead> {
    bytes: std::io::Bytes<R>,
    path: PathBuf,
    number: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    BeforeList,
    InList,
    Ended,
}

impl<R: BufRead> Elements<R> {
    pub(super) fn new(text: R, path: &Path) -> Self {
        Self {
            bytes: text.bytes(),
            path: path.to_owned(),
            number: 0,
            state: State::BeforeList,
        }
    }

    /// The text up to the comma or bracket behind the next element; `None` at the end of the list.
    fn element(&mut self) -> Result<Option<Vec<u8>>, TrainError> {
        let mut json = vec![];
        let mut scan = Scan::default();
        loop {
            let byte = match self.bytes.next() {
                Some(byte) => byte.map_err(TrainError::io("read", &self.path))?,
                None => return Err(self.cut_short()),
            };
            let outside = scan.depth == 0 && !scan.in_string;
            if self.state == State::BeforeList {
                if byte == b'[' {
                    self.state = State::InList;
                }
                continue;
            }
            if outside && (byte == b',' || byte == b']') {
                let last = byte == b']';
                if last {
                    self.state = State::Ended;
                }
                let blank = json.trim_ascii().is_empty();
                return match (last, blank) {
                    // An empty list, or a comma behind the last element.
                    (true, true) => Ok(None),
                    (false, true) => Err(TrainError::DataFile {
                        path: self.path.clone(),
                        reason: format!(
                            "has nothing where element {} of its list should be",
                            self.number + 1
                        ),
                    }),
                    (_, false) => Ok(Some(json)),
                };
            }
            scan.step(byte);
            json.push(byte);
        }
    }

    fn cut_short(&self) -> TrainError {
        TrainError::DataFile {
            path: self.path.clone(),
            reason: format!(
                "ends in the middle of its list, behind element {}: the file is not whole; download or write it again",
                self.number
            ),
        }
    }
}

impl<R: BufRead> Iterator for Elements<R> {
    type Item = Result<RawRow, TrainError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Ended {
            return None;
        }
        match self.element() {
            Ok(None) => None,
            Ok(Some(json)) => {
                self.number += 1;
                Some(Ok(RawRow {
                    number: self.number,
                    json: json.trim_ascii().to_vec(),
                    offset: None,
                }))
            }
            Err(error) => {
                self.state = State::Ended;
                Some(Err(error))
            }
        }
    }
}

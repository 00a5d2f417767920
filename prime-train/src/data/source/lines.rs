//! JSON Lines: a value a line. Blank lines are no rows, but count as lines.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::RawRow;
use crate::error::TrainError;

/// The rows of a text, one a line.
pub(super) struct Lines<R> {
    text: R,
    path: PathBuf,
    line: usize,
    offset: u64,
    /// Whether offsets in the text are offsets in the file.
    in_place: bool,
    ended: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(text: R, path: &Path, in_place: bool) -> Self {
        Self {
            text,
            path: path.to_owned(),
            line: 0,
            offset: 0,
            in_place,
            ended: false,
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<RawRow, TrainError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let mut json = vec![];
            match self.text.read_until(b'\n', &mut json) {
                Ok(0) => break,
                Ok(_) => self.line += 1,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(TrainError::io("read", &self.path)(error)));
                }
            }
            let mut start = self.offset;
            self.offset += json.len() as u64;
            if self.line == 1 && json.starts_with(b"\xef\xbb\xbf") {
                json.drain(..3);
                start += 3;
            }
            if json.trim_ascii().is_empty() {
                continue;
            }
            return Some(Ok(RawRow {
                number: self.line,
                json,
                offset: self.in_place.then_some(start),
            }));
        }
        self.ended = true;
        None
    }
}

//! The files that rows come from: a stream of JSON objects with their places, whatever they are written in.
//!
//! JSON Lines, one list of rows, either of them behind gzip, and Parquet are read; whatever else a data file may be is named
//! for what it is, with the way to something that is read. The content decides, then the name. A row is the text of one JSON
//! value, to the letter where the file is JSON.

mod array;
mod content;
mod files;
mod lines;
mod table;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

pub use files::{DataEntry, DataFiles, FilePattern};

use self::array::Elements;
use self::content::{Content, of_start};
use self::lines::Lines;
use self::table::Table;
use crate::error::TrainError;

/// Bytes at the start of a file that decide what it is.
const START: usize = 64 << 10;

/// A row as it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRow {
    /// Its number in the file, counted from 1: the line of JSON Lines, the place in a list or a table.
    pub number: usize,
    /// The text of one JSON value.
    pub json: Vec<u8>,
    /// Where `json` starts in the file, if it stands there as it is.
    pub offset: Option<u64>,
}

/// The rows of a file, in order. After an error of the file there are no more.
pub struct RawRows {
    rows: Box<dyn Iterator<Item = Result<RawRow, TrainError>> + Send>,
    total: Option<usize>,
    plain: bool,
}

impl RawRows {
    /// Opens a data file and finds out what it is.
    ///
    /// # Errors
    /// [`TrainError::Io`] for a file that cannot be opened; [`TrainError::DataFile`] for what is not read, with the way out.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let mut file = open_file(path)?;
        let start = start_of(&mut file).map_err(TrainError::io("read", path))?;
        let refused = |reason: String| TrainError::DataFile {
            path: path.to_owned(),
            reason,
        };
        match of_start(&start, path, false).map_err(refused)? {
            Content::Gzip => {
                let unpacked = MultiGzDecoder::new(BufReader::new(file));
                let mut text = BufReader::with_capacity(START, unpacked);
                let start = text.fill_buf().map_err(TrainError::io("unpack", path))?;
                // What is behind the first packet is not looked at: a guess from less is still a guess from the start.
                let content = of_start(start, path, true).map_err(refused)?;
                Ok(Self::of_text(text, content, path, false))
            }
            Content::Parquet => {
                let table = Table::open(file, path)?;
                Ok(Self {
                    total: Some(table.len()),
                    plain: false,
                    rows: Box::new(table),
                })
            }
            content => Ok(Self::of_text(BufReader::new(file), content, path, true)),
        }
    }

    fn of_text(
        text: impl BufRead + Send + 'static,
        content: Content,
        path: &Path,
        in_place: bool,
    ) -> Self {
        let plain = in_place && content != Content::List;
        let rows: Box<dyn Iterator<Item = Result<RawRow, TrainError>> + Send> = match content {
            Content::List => Box::new(Elements::new(text, path)),
            _ => Box::new(Lines::new(text, path, in_place)),
        };
        Self {
            rows,
            total: None,
            plain,
        }
    }

    /// Whether the rows stand in the file as text, so that their bytes say how far reading has come.
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// How many rows there are, where that is known before they are read.
    pub fn total(&self) -> Option<usize> {
        self.total
    }
}

impl Iterator for RawRows {
    type Item = Result<RawRow, TrainError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}

fn open_file(path: &Path) -> Result<File, TrainError> {
    let refused = |reason: String| TrainError::DataFile {
        path: path.to_owned(),
        reason,
    };
    if path.is_dir() {
        return Err(refused(files::in_folder(path)));
    }
    File::open(path).map_err(|error| {
        let dangling = error.kind() == std::io::ErrorKind::NotFound && path.is_symlink();
        if dangling {
            let target = std::fs::read_link(path).unwrap_or_else(|_| PathBuf::new());
            return refused(format!(
                "is a link to {}, which is not there: download the file again",
                target.display()
            ));
        }
        if let Some(reason) = files::not_there(path, &error) {
            return refused(reason);
        }
        TrainError::io("read", path)(error)
    })
}

/// The first bytes of a file, which stands at its start again.
fn start_of(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(START);
    file.by_ref().take(START as u64).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(start)
}

//! Where rows come from and go to: files, or the standard streams.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal as _, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::data::source::RawRows;
use crate::error::TrainError;
use crate::files::NewFile;

/// Rows in a chunk at most; enough to keep all cores at work.
const CHUNK_ROWS: usize = 4096;
/// Bytes that make a chunk full, however few rows they are.
const CHUNK_BYTES: usize = 16 << 20;

/// Whether a path means standard input or output: `-`.
pub fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Rows of a stretch of the input.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
    /// The number of each row's line, and where it is in `bytes`.
    rows: Vec<(u64, Range<usize>)>,
}

impl Chunk {
    /// Rows with the numbers of their lines, counted from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let line =
            |(number, at): &(u64, Range<usize>)| Some((*number, self.bytes.get(at.clone())?));
        self.rows.iter().filter_map(line)
    }

    /// Bytes of the rows, blank lines among them where the input is no file.
    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }
}

/// Rows of a data file, or lines of standard input, a pipe or a device.
pub(super) struct Input {
    /// For messages.
    name: PathBuf,
    rows: Rows,
    bytes: Option<u64>,
}

enum Rows {
    Lines { lines: Box<dyn BufRead>, line: u64 },
    File(RawRows),
}

impl Input {
    pub(super) fn open(path: &Path) -> Result<Self, TrainError> {
        if is_standard(path) {
            let lines = Box::new(io::stdin().lock());
            return Ok(Self::of_lines("standard input".into(), lines));
        }
        let about = fs::metadata(path);
        if about
            .as_ref()
            .is_ok_and(|about| !about.is_file() && !about.is_dir())
        {
            let file = File::open(path).map_err(TrainError::io("read", path))?;
            return Ok(Self::of_lines(
                path.to_path_buf(),
                Box::new(BufReader::new(file)),
            ));
        }
        let rows = RawRows::open(path)?;
        Ok(Self {
            name: path.to_path_buf(),
            bytes: about
                .ok()
                .filter(|_| rows.is_plain())
                .map(|about| about.len()),
            rows: Rows::File(rows),
        })
    }

    fn of_lines(name: PathBuf, lines: Box<dyn BufRead>) -> Self {
        Self {
            name,
            rows: Rows::Lines { lines, line: 0 },
            bytes: None,
        }
    }

    pub(super) fn name(&self) -> &Path {
        &self.name
    }

    /// How long the input is, where that is known.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// Fills `chunk` with the next rows, blank lines left out; false at the end of the input.
    pub(super) fn read(&mut self, chunk: &mut Chunk) -> Result<bool, TrainError> {
        chunk.bytes.clear();
        chunk.rows.clear();
        while chunk.rows.len() < CHUNK_ROWS && chunk.bytes.len() < CHUNK_BYTES {
            let start = chunk.bytes.len();
            let number = match &mut self.rows {
                Rows::Lines { lines, line } => {
                    let read = lines.read_until(b'\n', &mut chunk.bytes);
                    if read.map_err(TrainError::io("read", &self.name))? == 0 {
                        break;
                    }
                    *line += 1;
                    *line
                }
                Rows::File(rows) => {
                    let Some(row) = rows.next().transpose()? else {
                        break;
                    };
                    chunk.bytes.extend_from_slice(&row.json);
                    row.number as u64
                }
            };
            let row = start..chunk.bytes.len();
            if !chunk.bytes[row.clone()].trim_ascii().is_empty() {
                chunk.rows.push((number, row));
            }
        }
        Ok(!chunk.bytes.is_empty())
    }
}

/// A new file, or something that is written to as it is: standard output, a pipe, a device.
pub(super) struct Output {
    /// For messages.
    path: PathBuf,
    to: To,
}

enum To {
    Standard(BufWriter<io::StdoutLock<'static>>),
    New(NewFile),
    Special(BufWriter<File>),
}

impl Output {
    pub(super) fn open(path: &Path) -> Result<Self, TrainError> {
        let (path, to) = if is_standard(path) {
            let out = BufWriter::new(io::stdout().lock());
            ("standard output".into(), To::Standard(out))
        } else if fs::metadata(path).is_ok_and(|existing| !existing.is_file()) {
            // Renaming a file to /dev/null would not do.
            let file = OpenOptions::new().write(true).open(path);
            let file = file.map_err(TrainError::io("write", path))?;
            (path.to_path_buf(), To::Special(BufWriter::new(file)))
        } else {
            (path.to_path_buf(), To::New(NewFile::create(path)?))
        };
        Ok(Self { path, to })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether rows appear where a progress bar would.
    pub(super) fn is_terminal(&self) -> bool {
        matches!(&self.to, To::Standard(out) if out.get_ref().is_terminal())
    }

    /// All rows are written; a new file takes its place.
    pub(super) fn finish(self) -> Result<(), TrainError> {
        match self.to {
            To::New(file) => file.finish(),
            // Flushed after every chunk.
            To::Standard(_) | To::Special(_) => Ok(()),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            To::Standard(out) => out.write(bytes),
            To::New(out) => out.write(bytes),
            To::Special(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::Standard(out) => out.flush(),
            To::New(out) => out.flush(),
            To::Special(out) => out.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_end_at_their_limits_and_lose_no_line() {
        let long = "x".repeat(CHUNK_BYTES / 2);
        let text = format!("{}\n{long}\n{long}\nlast", "a\n".repeat(CHUNK_ROWS - 1));
        let mut input = Input::of_lines("text".into(), Box::new(io::Cursor::new(text)));
        let mut chunk = Chunk::default();
        let mut seen = vec![];
        while input.read(&mut chunk).unwrap() {
            let lines: Vec<_> = chunk.lines().map(|(n, line)| (n, line.len())).collect();
            seen.push((lines.len(), lines[0], *lines.last().unwrap()));
        }
        let (rows, half) = (CHUNK_ROWS as u64, CHUNK_BYTES / 2 + 1);
        let expected = [
            (CHUNK_ROWS, (1, 2), (rows + 1, half)),
            (2, (rows + 2, half), (rows + 3, 4)),
        ];
        assert_eq!(seen, expected, "line {rows} is blank");
    }

    #[test]
    fn a_list_and_packed_lines_are_the_rows_of_plain_lines() {
        use flate2::Compression;
        use flate2::write::GzEncoder;

        let folder = tempfile::tempdir().unwrap();
        let lines = "{\"a\": 1.50}\n\n{\"b\": \"]\"}\n";
        let mut packed = GzEncoder::new(vec![], Compression::fast());
        packed.write_all(lines.as_bytes()).unwrap();
        let list = b"[{\"a\": 1.50}, {\"b\": \"]\"}]";
        let files: [(&str, &[u8], [u64; 2]); 3] = [
            ("plain.jsonl", lines.as_bytes(), [1, 3]),
            ("packed.jsonl.gz", &packed.finish().unwrap(), [1, 3]),
            ("list.json", list, [1, 2]),
        ];
        for (name, bytes, numbers) in files {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            let mut input = Input::open(&path).unwrap();
            let plain = name == "plain.jsonl";
            assert_eq!(input.bytes(), plain.then_some(bytes.len() as u64), "{name}");
            let mut chunk = Chunk::default();
            assert!(input.read(&mut chunk).unwrap());
            let rows: Vec<(u64, &[u8])> = chunk
                .lines()
                .map(|(number, row)| (number, row.trim_ascii()))
                .collect();
            let expected: [&[u8]; 2] = [b"{\"a\": 1.50}", b"{\"b\": \"]\"}"];
            assert_eq!(
                rows,
                [(numbers[0], expected[0]), (numbers[1], expected[1])],
                "{name}"
            );
            assert!(!input.read(&mut chunk).unwrap(), "{name}");
        }
        assert!(Input::open(folder.path()).is_err());
    }
}

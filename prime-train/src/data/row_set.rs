//! The rows of one split: read and checked once, kept on disk, drawn from in an order.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use prime_policy::Tokenizer;
use rayon::prelude::*;

use super::ability::Ability;
use super::broken::{Broken, Fault};
use super::form::{Form, Length};
use super::left_out::LeftOut;
use super::order::{Mix, Order};
use super::problem::PreparedProblem;
use super::row::Row;
use super::rows::broken_row;
use super::source::{DataFiles, RawRow, RawRows};
use super::source_names::SourceNames;
use super::store::{Store, StoreWriter};
use crate::error::TrainError;

/// Rows that are checked together, on all cores.
const CHUNK: usize = 4096;
/// Rows whose prompts are counted to the token; of more rows those that are surely short enough are not.
const COUNTED: usize = 20_000;
/// Of the prompts that were not counted, the longest so many are: the memory of a step is planned for them.
const LONGEST: usize = 32;
/// Sources that are counted one by one; a column with more is none that tells rows apart.
const SOURCES: usize = 10_000;
/// How long reading is silent, and then how often it says where it is.
const QUIET: Duration = Duration::from_secs(2);

/// The rows of one split.
#[derive(Debug)]
pub(super) struct RowSet {
    entries: Vec<Entry>,
    mix: Mix,
    longest_prompt: usize,
    has_code: bool,
    sources: BTreeMap<Option<String>, usize>,
}

#[derive(Debug)]
struct Entry {
    store: Store,
    order: Order,
    /// What is added to a row's number, so that no two rows have the same.
    first_id: u64,
}

/// What reading the rows of a split found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Rows left out.
    pub(super) skipped: usize,
    /// What there is to say of each file.
    pub(super) notes: Vec<String>,
}

impl RowSet {
    /// Reads and checks the rows of all files.
    ///
    /// # Errors
    /// A file that cannot be read, or of which no row can be used; the first broken row, unless those are counted.
    pub(super) fn open(
        files: &DataFiles,
        form: &Form,
        tokenizer: &Tokenizer,
        skip_bad_rows: bool,
        seed: u64,
        found: &mut Found,
    ) -> Result<Self, TrainError> {
        let mut loading = Loading {
            form,
            tokenizer,
            skip_bad_rows,
            progress: Said::new(),
            longest: 0,
            uncounted: vec![],
            has_code: false,
            sources: BTreeMap::new(),
            read: 0,
        };
        let (mut entries, mut weights, mut first_id) = (vec![], vec![], 0);
        for (number, entry) in files.entries().iter().enumerate() {
            let mut writer = StoreWriter::default();
            let mut ids = 0;
            let mut of_entry = LeftOut::default();
            for path in entry.files()? {
                let before = writer.len();
                let left_out = loading.file(&path, &mut writer, &mut ids)?;
                found.skipped += left_out.count();
                found
                    .notes
                    .push(left_out.describe(&path, writer.len() - before));
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
            entries.push(Entry {
                store,
                order: Order::new(seed, number, rows),
                first_id,
            });
            weights.push(entry.weight);
            first_id += ids;
        }
        Ok(Self {
            entries,
            mix: Mix::new(seed, &weights),
            longest_prompt: loading.longest()?,
            has_code: loading.has_code,
            sources: loading.sources,
        })
    }

    /// Rows.
    pub(super) fn len(&self) -> usize {
        self.entries.iter().map(|entry| entry.store.len()).sum()
    }

    /// Tokens of the longest prompt; of many rows, of the longest that were counted.
    pub(super) fn longest_prompt(&self) -> usize {
        self.longest_prompt
    }

    /// Whether a row is of code.
    pub(super) fn has_code(&self) -> bool {
        self.has_code
    }

    /// What metrics call the sources of the rows.
    pub(super) fn source_names(&self) -> SourceNames {
        let counts = self.sources.iter();
        SourceNames::counted(counts.map(|(source, rows)| (source.as_deref(), *rows)))
    }

    /// The problem at a place in the order of training; `None` if there are no rows.
    ///
    /// # Errors
    /// [`TrainError::Io`] and [`TrainError::DataFile`] for a file that is not as it was; [`TrainError::Row`].
    pub(super) fn drawn(
        &self,
        place: u64,
        form: &Form,
        tokenizer: &Tokenizer,
    ) -> Result<Option<PreparedProblem>, TrainError> {
        let (number, place) = self.mix.entry(place);
        match self.entries.get(number) {
            Some(entry) => match entry.order.row(place) {
                Some(row) => entry.problem(row, form, tokenizer),
                None => Ok(None),
            },
            None => Ok(None),
        }
    }

    /// The problem of a row, counted from 0 in the order of the files; `None` behind the last.
    ///
    /// # Errors
    /// Those of [`drawn`](Self::drawn).
    pub(super) fn row(
        &self,
        mut at: usize,
        form: &Form,
        tokenizer: &Tokenizer,
    ) -> Result<Option<PreparedProblem>, TrainError> {
        for entry in &self.entries {
            if at < entry.store.len() {
                return entry.problem(at, form, tokenizer);
            }
            at -= entry.store.len();
        }
        Ok(None)
    }
}

impl Entry {
    fn problem(
        &self,
        row: usize,
        form: &Form,
        tokenizer: &Tokenizer,
    ) -> Result<Option<PreparedProblem>, TrainError> {
        let Some(stored) = self.store.row(row)? else {
            return Ok(None);
        };
        let id = self.first_id + stored.id;
        let made = form.reading.parse(&stored.json).and_then(|row| {
            let problem = form.problem(id, row, tokenizer)?;
            form.limit.check(problem.prompt_ids.len())?;
            Ok(problem)
        });
        made.map(Some)
            .map_err(|broken| broken_row(stored.path, stored.number, broken))
    }
}

/// What became of a row.
enum Checked {
    Used(Row, Length),
    TooLong(Broken),
    Broken(Broken),
}

struct Loading<'a> {
    form: &'a Form,
    tokenizer: &'a Tokenizer,
    skip_bad_rows: bool,
    progress: Said,
    longest: usize,
    /// Bounds and messages of the longest prompts that were not counted.
    uncounted: Vec<(usize, Row)>,
    has_code: bool,
    sources: BTreeMap<Option<String>, usize>,
    read: usize,
}

impl Loading<'_> {
    fn file(
        &mut self,
        path: &Path,
        writer: &mut StoreWriter,
        ids: &mut u64,
    ) -> Result<LeftOut, TrainError> {
        let mut rows = RawRows::open(path)?;
        let total = rows.total();
        let mut left_out = LeftOut::default();
        let mut in_file = 0;
        writer.begin(path);
        loop {
            let chunk = rows.by_ref().take(CHUNK).collect::<Result<Vec<_>, _>>()?;
            if chunk.is_empty() {
                return Ok(left_out);
            }
            let counted = self.read < COUNTED;
            let check = |row: &RawRow| self.check(row, !counted);
            let checked: Vec<Checked> = chunk.par_iter().map(check).collect();
            for (raw, checked) in chunk.iter().zip(checked) {
                match checked {
                    Checked::Used(row, length) => {
                        left_out.used(raw.number, &row);
                        writer.put(raw, *ids)?;
                        *ids += 1;
                        self.used(row, length);
                    }
                    Checked::TooLong(broken) => {
                        *ids += 1;
                        left_out.add(raw.number, &broken);
                    }
                    Checked::Broken(broken) if self.skip_bad_rows => {
                        left_out.add(raw.number, &broken);
                    }
                    Checked::Broken(broken) => return Err(broken_row(path, raw.number, broken)),
                }
            }
            self.read += chunk.len();
            in_file += chunk.len();
            self.progress.say(path, in_file, total);
        }
    }

    fn check(&self, raw: &RawRow, bound_will_do: bool) -> Checked {
        let row = match self.form.reading.parse(&raw.json) {
            Ok(row) => row,
            Err(broken) => return Checked::Broken(broken),
        };
        match self.form.length(&row, self.tokenizer, bound_will_do) {
            Err(broken) => Checked::Broken(broken),
            Ok(Err(broken)) => Checked::TooLong(broken),
            Ok(Ok(length)) => Checked::Used(row, length),
        }
    }

    fn used(&mut self, row: Row, length: Length) {
        self.has_code |= row.ability == Ability::Code;
        if let Some(rows) = self.sources.get_mut(&row.data_source) {
            *rows += 1;
        } else {
            let counted = self.sources.len() < SOURCES;
            let source = row.data_source.clone().filter(|_| counted);
            *self.sources.entry(source).or_default() += 1;
        }
        match length {
            Length::Tokens(tokens) => self.longest = self.longest.max(tokens),
            Length::Below(bytes) => {
                let shortest = self.uncounted.last().map_or(0, |(bytes, _)| *bytes);
                if self.uncounted.len() < LONGEST || bytes > shortest {
                    let at = self.uncounted.partition_point(|(other, _)| *other >= bytes);
                    self.uncounted.insert(at, (bytes, row));
                    self.uncounted.truncate(LONGEST);
                }
            }
        }
    }

    fn longest(&self) -> Result<usize, TrainError> {
        let mut longest = self.longest;
        for (_, row) in &self.uncounted {
            let (_, ids) = self.form.format.encode(&row.prompt, self.tokenizer)?;
            longest = longest.max(ids.len());
        }
        Ok(longest)
    }
}

/// Where reading has got to, said now and then when it takes long.
struct Said {
    last: Instant,
}

impl Said {
    fn new() -> Self {
        Self {
            last: Instant::now(),
        }
    }

    fn say(&mut self, path: &Path, rows: usize, total: Option<usize>) {
        if self.last.elapsed() < QUIET {
            return;
        }
        self.last = Instant::now();
        let of = total.map_or_else(String::new, |total| format!(" of {total}"));
        crate::view::say(&format!("reading {}: {rows}{of} rows", path.display()));
    }
}

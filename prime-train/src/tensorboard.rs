//! TensorBoard's event files: the records of `metrics.jsonl` once more, as scalars.
//!
//! An event file is a row of framed protobuf messages: the length, a checksum of it, the message, a checksum of that. The
//! few messages needed are written down here by the numbers of their fields; `prost` encodes them and `crc` sums.
//!
//! A run has one event file. A run that goes on writes a new one with the events of the records that it keeps, to the bit as
//! they were, and removes the old one: no step is in it twice, whatever reads it. The message of a new session at its start tells a
//! TensorBoard that has read the old one to forget what comes again.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crc::{CRC_32_ISCSI, Crc};
use prost::Message;

use crate::error::TrainError;
use crate::files::write_atomically;
use crate::metrics::StepMetrics;

#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    what: Option<What>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    Session(Session),
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    values: Vec<Scalar>,
}

#[derive(Clone, PartialEq, Message)]
struct Scalar {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    value: Option<f32>,
}

#[derive(Clone, PartialEq, Message)]
struct Session {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// `SessionLog.START`.
const START: i32 = 1;
/// From this version on a session's start says which steps are void, instead of a step that is less than the last.
const VERSION: &str = "brain.Event:2";

const CASTAGNOLI: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// The checksum of a frame: one that may itself be part of what is summed.
fn masked_checksum(bytes: &[u8]) -> u32 {
    let sum = CASTAGNOLI.checksum(bytes);
    sum.rotate_right(15).wrapping_add(0xa282_ead8)
}

fn frame(event: &Event) -> Vec<u8> {
    let message = event.encode_to_vec();
    let length = (message.len() as u64).to_le_bytes();
    let mut out = Vec::with_capacity(message.len() + 16);
    out.extend(length);
    out.extend(masked_checksum(&length).to_le_bytes());
    out.extend(&message);
    out.extend(masked_checksum(&message).to_le_bytes());
    out
}

/// The events of a file up to the first frame that is broken or cut short by a crash.
fn events(mut bytes: &[u8]) -> Vec<Event> {
    let mut events = vec![];
    while let Some((event, rest)) = first_event(bytes) {
        events.push(event);
        bytes = rest;
    }
    events
}

fn first_event(bytes: &[u8]) -> Option<(Event, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*sum) != masked_checksum(length) {
        return None;
    }
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (message, rest) = rest.split_at_checked(length)?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*sum) != masked_checksum(message) {
        return None;
    }
    Some((Event::decode(message).ok()?, rest))
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

fn step_number(record: &StepMetrics) -> i64 {
    i64::try_from(record.step()).unwrap_or(i64::MAX)
}

fn event(record: &StepMetrics, wall_time: f64) -> Event {
    let values = record.iter().map(|(name, value)| Scalar {
        tag: name.to_owned(),
        value: Some(value.as_f64() as f32),
    });
    Event {
        wall_time,
        step: step_number(record),
        what: Some(What::Summary(Summary {
            values: values.collect(),
        })),
    }
}

fn has_names_of(event: &Event, record: &StepMetrics) -> bool {
    match &event.what {
        Some(What::Summary(summary)) => summary
            .values
            .iter()
            .map(|scalar| scalar.tag.as_str())
            .eq(record.iter().map(|(name, _)| name)),
        _ => false,
    }
}

/// Appends records to a run's event file.
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    file: File,
}

impl EventWriter {
    /// Starts the event file of a run folder with the records that are there. Their events are those of an event file of
    /// before, which is removed; where it has none, new ones.
    ///
    /// # Errors
    /// [`TrainError::Io`] for a file that cannot be read or written.
    pub fn open(run: &Path, records: &[StepMetrics]) -> Result<Self, TrainError> {
        let old = event_files(run)?;
        let mut before = BTreeMap::new();
        for path in &old {
            let bytes = fs::read(path).map_err(TrainError::io("read", path))?;
            for event in events(&bytes) {
                if matches!(event.what, Some(What::Summary(_))) {
                    before.insert(event.step, event);
                }
            }
        }
        let begun = now();
        let plain = |step, what| Event {
            wall_time: begun,
            step,
            what: Some(what),
        };
        let mut bytes = frame(&plain(0, What::FileVersion(VERSION.to_owned())));
        let session = What::Session(Session { status: START });
        bytes.extend(frame(&plain(0, session)));
        for record in records {
            // A number that was read again from text may differ in its last digit: the old event has it as it was.
            let old = before.remove(&step_number(record));
            let kept = old.filter(|old| has_names_of(old, record));
            bytes.extend(frame(&kept.unwrap_or_else(|| event(record, begun))));
        }
        let path = new_name(run, begun as u64);
        // Not under its own name until it is whole: TensorBoard reads whatever has `tfevents` in its name.
        let beside = run.join("events.new");
        write_atomically(&beside, &bytes)?;
        fs::rename(&beside, &path).map_err(TrainError::io("write", &path))?;
        for path in old {
            fs::remove_file(&path).map_err(TrainError::io("remove", &path))?;
        }
        let file = OpenOptions::new()
            .append(true)
            .open(&path)
            .map_err(TrainError::io("write", &path))?;
        Ok(Self { path, file })
    }

    /// Appends one record.
    ///
    /// # Errors
    /// [`TrainError::Io`] if it cannot be written.
    pub fn write(&mut self, record: &StepMetrics) -> Result<(), TrainError> {
        // One call a record, so that a reader never sees half of one for long.
        self.file
            .write_all(&frame(&event(record, now())))
            .map_err(TrainError::io("write", &self.path))
    }
}

fn is_event_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("events.out.tfevents.")
}

fn event_files(run: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let entries = fs::read_dir(run).map_err(TrainError::io("read", run))?;
    let mut found = vec![];
    for entry in entries {
        let path = entry.map_err(TrainError::io("read", run))?.path();
        if is_event_file(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// A name that comes after those of before: TensorBoard reads files in the order of their names.
fn new_name(run: &Path, seconds: u64) -> PathBuf {
    let name = |n| {
        run.join(format!(
            "events.out.tfevents.{seconds:010}.prime-train.{n:03}"
        ))
    };
    (0u32..)
        .map(name)
        .find(|path| !path.exists())
        .unwrap_or_else(|| name(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(step: u64) -> StepMetrics {
        let mut record = StepMetrics::new(step);
        record.set("acc", 0.0).unwrap();
        record.set("eval/pass@1", 0.25 + step as f64).unwrap();
        record.set_count("rollouts", 32);
        record
    }

    fn read(run: &Path) -> Vec<Event> {
        let files = event_files(run).unwrap();
        assert_eq!(files.len(), 1, "{files:?}");
        events(&fs::read(&files[0]).unwrap())
    }

    fn steps(run: &Path) -> Vec<i64> {
        let summaries = read(run)
            .into_iter()
            .filter(|event| matches!(event.what, Some(What::Summary(_))));
        summaries.map(|event| event.step).collect()
    }

    #[test]
    fn checksums_are_those_of_castagnoli_masked() {
        // RFC 3720 B.4 and the usual check word.
        assert_eq!(CASTAGNOLI.checksum(b"123456789"), 0xe306_9283);
        assert_eq!(CASTAGNOLI.checksum(&[0; 32]), 0x8a91_36aa);
        assert_eq!(CASTAGNOLI.checksum(&[0xff; 32]), 0x62a8_ab43);
        // ((sum >> 15) | (sum << 17)) + 0xa282ead8 of the first.
        assert_eq!(masked_checksum(b"123456789"), 0xc78a_b0e5);
    }

    #[test]
    fn a_frame_is_as_tensorboard_defines_it() {
        let event = Event {
            wall_time: 2.0,
            step: 3,
            what: Some(What::Summary(Summary {
                values: vec![Scalar {
                    tag: "a".into(),
                    value: Some(0.0),
                }],
            })),
        };
        let framed = frame(&event);
        let message = [
            0x09, 0, 0, 0, 0, 0, 0, 0, 0x40, // 1: double 2.0
            0x10, 3, // 2: varint 3
            0x2a, 10, // 5: ten bytes
            0x0a, 8, // 1: eight bytes
            0x0a, 1, b'a', // 1: the tag
            0x15, 0, 0, 0, 0, // 2: float 0.0, written though it is nothing
        ];
        assert_eq!(framed[..8], (message.len() as u64).to_le_bytes());
        assert_eq!(framed[12..framed.len() - 4], message);
        assert_eq!(events(&framed), [event]);
    }

    #[test]
    fn every_record_is_an_event_with_all_its_values() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::open(folder.path(), &[]).unwrap();
        writer.write(&record(0)).unwrap();
        writer.write(&record(1)).unwrap();
        let events = read(folder.path());
        assert_eq!(
            events[0].what,
            Some(What::FileVersion("brain.Event:2".into()))
        );
        assert_eq!(
            events[1].what,
            Some(What::Session(Session { status: START }))
        );
        let Some(What::Summary(last)) = &events[3].what else {
            panic!("{events:?}");
        };
        let values: Vec<(&str, f32)> = last
            .values
            .iter()
            .map(|scalar| (scalar.tag.as_str(), scalar.value.unwrap()))
            .collect();
        assert_eq!(
            values,
            [("acc", 0.0), ("eval/pass@1", 1.25), ("rollouts", 32.0)]
        );
        assert!(events[3].wall_time > 1.7e9);
    }

    #[test]
    fn a_run_that_goes_on_has_each_step_once_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path();
        let mut writer = EventWriter::open(run, &[]).unwrap();
        for step in 0..=5 {
            writer.write(&record(step)).unwrap();
        }
        drop(writer);
        let before = read(run);
        // Killed in the middle of a write, then resumed after step 3.
        let path = &event_files(run).unwrap()[0];
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() - 7]).unwrap();
        // And an earlier resume was killed before it could remove the file of before.
        fs::copy(path, new_name(run, 1)).unwrap();
        let kept: Vec<StepMetrics> = (0..=3).map(record).collect();
        let mut writer = EventWriter::open(run, &kept).unwrap();
        writer.write(&record(4)).unwrap();
        assert_eq!(steps(run), [0, 1, 2, 3, 4]);
        assert_eq!(read(run)[2..6], before[2..6]);
        assert!(
            event_files(run).unwrap()[0] > *path,
            "it is read after the old one"
        );
        assert!(!run.join("events.new").exists());
    }

    #[test]
    fn a_run_without_events_of_before_gets_them_from_its_records() {
        let folder = tempfile::tempdir().unwrap();
        let kept: Vec<StepMetrics> = (0..=3).map(record).collect();
        EventWriter::open(folder.path(), &kept).unwrap();
        assert_eq!(steps(folder.path()), [0, 1, 2, 3]);
    }
}

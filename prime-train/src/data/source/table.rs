//! Parquet tables: each row as the JSON object that JSON Lines would have.
//!
//! Lists, structs and maps become JSON's; bytes are text where they are UTF-8, and null where they are not (images); dates and
//! times are text; what is not a number (NaN, infinity) is null, as JSON has no word for it.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use parquet::basic::{ConvertedType, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use parquet::schema::types::ColumnDescriptor;
use serde_json::Value;

use super::RawRow;
use crate::error::TrainError;

/// The rows of a table.
pub(super) struct Table {
    rows: RowIter<'static>,
    path: PathBuf,
    total: usize,
    number: usize,
    ended: bool,
}

impl Table {
    pub(super) fn open(file: File, path: &Path) -> Result<Self, TrainError> {
        let refused = |reason: String| TrainError::DataFile {
            path: path.to_owned(),
            reason,
        };
        let opened = catch_unwind(|| SerializedFileReader::new(file));
        let reader = opened
            .map_err(|_| refused(broken("its description cannot be followed")))?
            .map_err(|error| refused(unreadable(&error)))?;
        let about = reader.metadata().file_metadata();
        for column in about.schema_descr().columns() {
            if !is_read(column) {
                let name = column.path().string();
                return Err(refused(format!(
                    "has the column `{name}` of type {} {}, which is not read: write the table without it",
                    column.physical_type(),
                    column.converted_type()
                )));
            }
        }
        let total = usize::try_from(about.num_rows()).unwrap_or(0);
        Ok(Self {
            rows: RowIter::from_file_into(Box::new(reader)),
            path: path.to_owned(),
            total,
            number: 0,
            ended: false,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.total
    }

    fn fail(&mut self, reason: String) -> Option<Result<RawRow, TrainError>> {
        self.ended = true;
        Some(Err(TrainError::DataFile {
            path: self.path.clone(),
            reason: format!("row {}: {reason}", self.number + 1),
        }))
    }
}

impl Iterator for Table {
    type Item = Result<RawRow, TrainError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        // The reader trusts the levels in a file, and gives up by panicking where they contradict each other.
        let read = catch_unwind(AssertUnwindSafe(|| self.rows.next()));
        match read {
            Err(_) => self.fail(broken("its parts contradict each other")),
            Ok(Some(Err(error))) => self.fail(unreadable(&error)),
            Ok(None) => {
                self.ended = true;
                None
            }
            Ok(Some(Ok(row))) => {
                self.number += 1;
                Some(Ok(RawRow {
                    number: self.number,
                    json: object(&row).to_string().into_bytes(),
                    offset: None,
                }))
            }
        }
    }
}

fn broken(what: &str) -> String {
    format!("is a broken Parquet file, {what}: download or write it again")
}

fn unreadable(error: &ParquetError) -> String {
    match error {
        ParquetError::NYI(what) => format!(
            "is a Parquet file that uses what is not read here ({what}): write it with snappy, gzip, zstd or lz4, or as JSON \
             Lines"
        ),
        ParquetError::General(what) if what.contains("Disabled feature") => format!(
            "is packed in a way that is not read here ({what}): write it with snappy, gzip, zstd or lz4"
        ),
        other => {
            format!("cannot be read as Parquet: {other}; if it is not whole, download it again")
        }
    }
}

/// Whether rows with this column can be read: the crate has no value for the other pairs, and panics.
fn is_read(column: &ColumnDescriptor) -> bool {
    use ConvertedType as Meant;
    let meant = column.converted_type();
    match column.physical_type() {
        PhysicalType::BOOLEAN
        | PhysicalType::FLOAT
        | PhysicalType::DOUBLE
        | PhysicalType::INT96 => true,
        PhysicalType::INT32 => matches!(
            meant,
            Meant::NONE
                | Meant::INT_8
                | Meant::INT_16
                | Meant::INT_32
                | Meant::UINT_8
                | Meant::UINT_16
                | Meant::UINT_32
                | Meant::DATE
                | Meant::TIME_MILLIS
                | Meant::DECIMAL
        ),
        PhysicalType::INT64 => matches!(
            meant,
            Meant::NONE
                | Meant::INT_64
                | Meant::UINT_64
                | Meant::TIME_MICROS
                | Meant::TIMESTAMP_MILLIS
                | Meant::TIMESTAMP_MICROS
                | Meant::DECIMAL
        ),
        PhysicalType::BYTE_ARRAY => matches!(
            meant,
            Meant::NONE | Meant::UTF8 | Meant::ENUM | Meant::JSON | Meant::BSON | Meant::DECIMAL
        ),
        PhysicalType::FIXED_LEN_BYTE_ARRAY => matches!(meant, Meant::NONE | Meant::DECIMAL),
    }
}

fn object(row: &Row) -> Value {
    let fields = row.get_column_iter();
    Value::Object(
        fields
            .map(|(name, field)| (name.clone(), value(field)))
            .collect(),
    )
}

fn value(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(value) => Value::from(*value),
        Field::Byte(value) => Value::from(*value),
        Field::Short(value) => Value::from(*value),
        Field::Int(value) => Value::from(*value),
        Field::Long(value) => Value::from(*value),
        Field::UByte(value) => Value::from(*value),
        Field::UShort(value) => Value::from(*value),
        Field::UInt(value) => Value::from(*value),
        Field::ULong(value) => Value::from(*value),
        Field::Float16(value) => Value::from(value.to_f32()),
        Field::Float(value) => Value::from(*value),
        Field::Double(value) => Value::from(*value),
        Field::Str(text) => Value::from(text.as_str()),
        Field::Bytes(bytes) => std::str::from_utf8(bytes.data()).map_or(Value::Null, Value::from),
        Field::Decimal(_)
        | Field::Date(_)
        | Field::TimeMillis(_)
        | Field::TimeMicros(_)
        | Field::TimestampMillis(_)
        | Field::TimestampMicros(_) => Value::from(field.to_string()),
        Field::Group(row) => object(row),
        Field::ListInternal(list) => Value::Array(list.elements().iter().map(value).collect()),
        Field::MapInternal(map) => {
            let entries = map.entries().iter().map(|(key, held)| {
                let name = match value(key) {
                    Value::String(name) => name,
                    other => other.to_string(),
                };
                (name, value(held))
            });
            Value::Object(entries.collect())
        }
    }
}

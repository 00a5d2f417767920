//! What a data file is, by its first bytes; and what to do about those that are not read.

use std::path::Path;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A JSON value a line.
    Lines,
    /// One JSON list with a row an element.
    List,
    /// A Parquet table.
    Parquet,
    /// One of the first two, packed.
    Gzip,
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// What starts a file of a kind that is not read, what it is, and the way out.
const REFUSED: [(&[u8], &str, &str); 11] = [
    (
        b"\x28\xb5\x2f\xfd",
        "packed with zstd",
        "unpack it with `zstd -d`, or pack it with gzip",
    ),
    (b"BZh", "packed with bzip2", "unpack it with `bzip2 -d`"),
    (b"\xfd7zXZ\0", "packed with xz", "unpack it with `xz -d`"),
    (
        b"7z\xbc\xaf\x27\x1c",
        "a 7-Zip archive",
        "unpack it and name the files in it",
    ),
    (
        b"PK\x03\x04",
        "a ZIP archive (workbooks of spreadsheets are such)",
        "unpack it and name the files in it, or export the table as JSON Lines",
    ),
    (
        b"ARROW1",
        "an Arrow or Feather file",
        "write it as Parquet: in Python, `pyarrow.parquet.write_table(pyarrow.feather.read_table(\"FILE\"), \"rows.parquet\")`",
    ),
    (
        b"version https://git-lfs",
        "the pointer that Git LFS leaves in place of a file",
        "fetch the file itself with `git lfs pull`",
    ),
    (
        b"SQLite format 3",
        "an SQLite database",
        "export the table as JSON Lines",
    ),
    (
        b"Obj\x01",
        "an Avro file",
        "write it as Parquet or JSON Lines",
    ),
    (b"ORC", "an ORC file", "write it as Parquet or JSON Lines"),
    (
        b"\x89HDF",
        "an HDF5 file",
        "write it as Parquet or JSON Lines",
    ),
];

/// What `start`, the first bytes of a file or of what was packed in it, are the start of; an error says what is not read and
/// what to do.
pub(super) fn of_start(start: &[u8], path: &Path, unpacked: bool) -> Result<Content, String> {
    if start.starts_with(b"PAR1") {
        return match unpacked {
            false => Ok(Content::Parquet),
            true => Err("is a Parquet file packed with gzip: unpack it with `gzip -d`".to_owned()),
        };
    }
    if start.starts_with(b"\x1f\x8b") {
        return match unpacked {
            false => Ok(Content::Gzip),
            true => Err("is packed with gzip twice: unpack it once with `gzip -d`".to_owned()),
        };
    }
    if let Some((_, what, way_out)) = REFUSED
        .iter()
        .find(|(magic, _, _)| start.starts_with(magic))
    {
        return Err(format!("is {what}, which is not read: {way_out}"));
    }
    if start.get(257..262) == Some(b"ustar") {
        return Err(
            "is a tar archive, which is not read: unpack it and name the files in it".to_owned(),
        );
    }
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        return Err("is text in UTF-16: write it in UTF-8 (`iconv -f UTF-16 -t UTF-8`)".to_owned());
    }
    let text = start.strip_prefix(BOM).unwrap_or(start).trim_ascii_start();
    match text.first() {
        Some(b'[') if is_list(text) => Ok(Content::List),
        Some(b'{') => object(text),
        Some(b'<') => Err(
            "is a page of HTML or XML, as a download that failed leaves it: download the file again"
                .to_owned(),
        ),
        Some(_) if text.contains(&0) => {
            Err("is not text, and no kind of data file that is known here".to_owned())
        }
        Some(_) if is_separated(text, path) => Err(
            "is a table in CSV or TSV, which is not read: in Python, `pandas.read_csv(\"FILE\").to_json(\"rows.jsonl\", \
             orient=\"records\", lines=True, force_ascii=False)`"
                .to_owned(),
        ),
        _ => Ok(Content::Lines),
    }
}

/// Whether a text that starts with `[` is one list of rows, rather than a list a line.
fn is_list(text: &[u8]) -> bool {
    let Some(end) = super::array::end_of_value(text) else {
        // It goes on behind what can be seen.
        return true;
    };
    text.get(end..)
        .is_none_or(|rest| rest.trim_ascii().is_empty())
}

/// A text that starts with `{`: one object a line, unless the first line cannot be one or holds a whole table.
fn object(text: &[u8]) -> Result<Content, String> {
    let mut lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let line = lines.next().unwrap_or(text);
    let goes_on = lines
        .find(|line| !line.is_empty())
        .is_some_and(|next| next.starts_with(b"\"") || next.starts_with(b"}"));
    if line == b"{" && goes_on {
        return Err(
            "has objects that go over several lines: write one row a line (`jq -c . FILE`, or `jq -c '.[]'` of a list \
             in it)"
                .to_owned(),
        );
    }
    let field = |name: &str| {
        let quoted = format!("\"{name}\"");
        let rest = line
            .get(1..)?
            .trim_ascii_start()
            .strip_prefix(quoted.as_bytes())?;
        rest.trim_ascii_start()
            .strip_prefix(b":")?
            .trim_ascii_start()
            .strip_prefix(b"[")
    };
    let holds =
        |name: &&&str| field(name).is_some_and(|list| list.trim_ascii_start().starts_with(b"{"));
    match ["data", "rows", "train", "test", "examples", "instances"]
        .iter()
        .find(holds)
    {
        Some(name) => Err(format!(
            "holds its rows in a list `{name}`: write them one a line, `jq -c '.{name}[]' FILE`"
        )),
        None => Ok(Content::Lines),
    }
}

/// Whether a text that is no JSON is a table with separators: its name says so, or its first line names columns.
fn is_separated(text: &[u8], path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    if ending.is_some_and(|ending| ending == "csv" || ending == "tsv") {
        return true;
    }
    let header = text.split(|&byte| byte == b'\n').next().unwrap_or(text);
    let separators = |of: u8| header.iter().filter(|&&byte| byte == of).count();
    let words = header
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-, \t\"\r".contains(byte));
    words
        && header.first().is_some_and(u8::is_ascii_alphabetic)
        && separators(b',') + separators(b'\t') > 0
}

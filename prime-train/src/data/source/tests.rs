use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::basic::Compression as Packed;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::*;

fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(vec![], Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// Numbers and texts of the rows.
fn rows(path: &Path) -> Result<Vec<(usize, String)>, TrainError> {
    RawRows::open(path)?
        .map(|row| {
            row.map(|row| {
                (
                    row.number,
                    String::from_utf8(row.json).unwrap().trim().to_owned(),
                )
            })
        })
        .collect()
}

fn read(name: &str, bytes: &[u8]) -> Vec<(usize, String)> {
    let (_folder, path) = file(name, bytes);
    rows(&path).unwrap()
}

fn refusal(name: &str, bytes: &[u8]) -> String {
    let (_folder, path) = file(name, bytes);
    let error = rows(&path).unwrap_err();
    assert!(matches!(error, TrainError::DataFile { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains(name), "{message}");
    message
}

fn numbered(rows: &[(usize, &str)]) -> Vec<(usize, String)> {
    rows.iter()
        .map(|&(number, json)| (number, json.to_owned()))
        .collect()
}

#[test]
fn lines_and_lists_packed_or_not_are_the_same_rows_to_the_letter() {
    let expected = numbered(&[
        (1, r#"{"a": 1.50}"#),
        (2, r#"{"a": "]},[\" é"}"#),
        (3, "[1]"),
    ]);
    let lines = "{\"a\": 1.50}\r\n{\"a\": \"]},[\\\" é\"}\n[1]\n";
    let list = "\n[ {\"a\": 1.50},\n{\"a\": \"]},[\\\" é\"} , [1]\n]\n";
    for (name, text) in [
        ("rows.jsonl", lines),
        ("rows.json", list),
        ("no_ending", list),
    ] {
        assert_eq!(read(name, text.as_bytes()), expected, "{name}");
        assert_eq!(
            read(name, &gzip(text.as_bytes())),
            expected,
            "{name}, packed"
        );
        let with_mark = format!("\u{feff}{text}");
        assert_eq!(
            read(name, with_mark.as_bytes()),
            expected,
            "{name}, with a byte order mark"
        );
    }
}

#[test]
fn blank_lines_count_as_lines_and_offsets_find_the_row() {
    let text = "\u{feff}\n{\"a\":1}\n\n  {\"b\":2}";
    let (_folder, path) = file("rows.jsonl", text.as_bytes());
    let found: Vec<RawRow> = RawRows::open(&path).unwrap().map(Result::unwrap).collect();
    assert_eq!(
        found.iter().map(|row| row.number).collect::<Vec<_>>(),
        [2, 4]
    );
    for row in &found {
        let start = row.offset.unwrap() as usize;
        assert_eq!(text.as_bytes()[start..start + row.json.len()], row.json[..]);
    }
}

#[test]
fn a_list_a_line_is_lines_and_a_list_of_lists_is_a_list() {
    let turns = r#"[{"from":"human"},{"from":"gpt"}]"#;
    let lines = format!("{turns}\n{turns}\n");
    assert_eq!(
        read("a.jsonl", lines.as_bytes()),
        numbered(&[(1, turns), (2, turns)])
    );
    let list = format!("[{turns},{turns}]");
    assert_eq!(
        read("a.json", list.as_bytes()),
        numbered(&[(1, turns), (2, turns)])
    );
}

#[test]
fn a_list_longer_than_what_is_looked_at_is_read_whole() {
    let element = format!(r#"{{"text":"{}"}}"#, "x".repeat(1000));
    let list = format!("[{}]", vec![element.clone(); 300].join(","));
    assert!(list.len() > 3 * START);
    let found = read("a.json", list.as_bytes());
    assert_eq!((found.len(), &found[299]), (300, &(300, element)));
}

#[test]
fn broken_lists_say_where() {
    let message = refusal("a.json", b"[{\"a\":1},{\"b\":[1,2}");
    assert!(
        message.contains("ends in the middle of its list, behind element 1"),
        "{message}"
    );
    let message = refusal("a.json", b"[{\"a\":1},,{\"b\":1}]");
    assert!(message.contains("element 2"), "{message}");
    assert_eq!(read("a.json", b"[]"), vec![]);
    assert_eq!(
        read("a.json", b"[{\"a\":1},]"),
        numbered(&[(1, r#"{"a":1}"#)])
    );
    let packed = gzip(&b"{\"a\":1}\n".repeat(5000));
    let (_folder, path) = file("cut.jsonl.gz", &packed[..packed.len() - 20]);
    let error = rows(&path).unwrap_err().to_string();
    assert!(error.contains("cut.jsonl.gz"), "{error}");
}

#[test]
fn what_is_not_read_is_named_with_the_way_out() {
    let mut tar = vec![0; 512];
    tar[257..262].copy_from_slice(b"ustar");
    tar[0] = b'a';
    let utf16: Vec<u8> = "\u{feff}{}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let cases: [(&str, &[u8], &str); 16] = [
        ("a.jsonl.zst", b"\x28\xb5\x2f\xfd....", "zstd -d"),
        ("a.jsonl.bz2", b"BZh9....", "bzip2 -d"),
        ("a.jsonl.xz", b"\xfd7zXZ\0....", "xz -d"),
        ("a.zip", b"PK\x03\x04....", "ZIP archive"),
        ("a.arrow", b"ARROW1\0\0", "write it as Parquet"),
        (
            "a.parquet",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n",
            "git lfs pull",
        ),
        ("a.db", b"SQLite format 3\0", "SQLite database"),
        ("a.tar", &tar, "tar archive"),
        ("a.jsonl", &utf16, "UTF-8"),
        (
            "a.html",
            b"<!DOCTYPE html><html>",
            "download the file again",
        ),
        ("a.csv", b"question,answer\n1+1,2\n", "pandas.read_csv"),
        (
            "no_ending",
            b"question\tanswer\n1+1\t2\n",
            "pandas.read_csv",
        ),
        (
            "a.json",
            b"{\n  \"question\": \"1+1\"\n}\n",
            "one row a line",
        ),
        (
            "a.json",
            b"{\"data\": [{\"question\": \"1+1\"}]}",
            "jq -c '.data[]'",
        ),
        ("a.bin", b"\x80\x02\0\0}q\x01", "not text"),
        ("a.gz", &gzip(&gzip(b"{}")), "packed with gzip twice"),
    ];
    for (name, bytes, part) in cases {
        let message = refusal(name, bytes);
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn places_that_hold_no_file_say_what_to_name() {
    let (folder, path) = file("part-0.parquet", b"");
    let message = rows(folder.path()).unwrap_err().to_string();
    assert!(
        message.contains("is a folder") && message.contains("*.parquet"),
        "{message}"
    );
    std::fs::remove_file(&path).unwrap();
    let message = rows(folder.path()).unwrap_err().to_string();
    assert!(message.contains("folder without data files"), "{message}");
    for (name, part) in [
        (
            "openai/gsm8k",
            "hf download openai/gsm8k --repo-type dataset",
        ),
        ("https://example.org/rows.jsonl", "is an address"),
    ] {
        let message = rows(Path::new(name)).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    assert!(matches!(rows(&path), Err(TrainError::Io { .. })));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../blobs/1234", &path).unwrap();
        let message = rows(&path).unwrap_err().to_string();
        assert!(message.contains("link to ../blobs/1234"), "{message}");
    }
}

/// A table with a struct in a list, numbers, text and bytes, as data sets are written.
fn table(packed: Packed) -> Vec<u8> {
    let schema = "message rows {
        optional binary question (UTF8);
        required int64 index;
        optional double rate;
        optional binary picture;
        optional group prompt (LIST) { repeated group list { optional group element {
            optional binary role (UTF8); optional binary content (UTF8); } } }
    }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let settings = Arc::new(WriterProperties::builder().set_compression(packed).build());
    let mut bytes = vec![];
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, settings).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let text = |text: &str| ByteArray::from(text.as_bytes().to_vec());
    let mut at = 0;
    while let Some(mut column) = group.next_column().unwrap() {
        match at {
            0 => column
                .typed::<ByteArrayType>()
                .write_batch(&[text("1+1?")], Some(&[1, 0]), None),
            1 => column
                .typed::<Int64Type>()
                .write_batch(&[9_007_199_254_740_993, -1], None, None),
            2 => column
                .typed::<DoubleType>()
                .write_batch(&[0.25, f64::NAN], Some(&[1, 1]), None),
            3 => column.typed::<ByteArrayType>().write_batch(
                &[text("plain"), ByteArray::from(vec![0xff, 0xd8])],
                Some(&[1, 1]),
                None,
            ),
            _ => column.typed::<ByteArrayType>().write_batch(
                &[
                    text(if at == 4 { "system" } else { "é" }),
                    text(if at == 4 { "user" } else { "2?" }),
                ],
                Some(&[4, 4, 0]),
                Some(&[0, 1, 0]),
            ),
        }
        .unwrap();
        column.close().unwrap();
        at += 1;
    }
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn tables_become_the_objects_that_json_lines_would_have() {
    let codecs = [
        Packed::UNCOMPRESSED,
        Packed::SNAPPY,
        Packed::GZIP(Default::default()),
        Packed::ZSTD(Default::default()),
        Packed::LZ4_RAW,
    ];
    for packed in codecs {
        let found = read("rows.parquet", &table(packed));
        let values: Vec<serde_json::Value> = found
            .iter()
            .map(|(_, json)| serde_json::from_str(json).unwrap())
            .collect();
        let expected = [
            serde_json::json!({"question": "1+1?", "index": 9_007_199_254_740_993_i64, "rate": 0.25, "picture": "plain",
                "prompt": [{"role": "system", "content": "é"}, {"role": "user", "content": "2?"}]}),
            serde_json::json!({"question": null, "index": -1, "rate": null, "picture": null, "prompt": null}),
        ];
        assert_eq!(values, expected, "{packed:?}");
        assert!(found[0].1.contains("9007199254740993"), "{}", found[0].1);
        assert_eq!((found[0].0, found[1].0), (1, 2));
    }
}

#[test]
fn broken_tables_are_errors_and_not_panics() {
    let whole = table(Packed::SNAPPY);
    let message = refusal("cut.parquet", &whole[..whole.len() / 2]);
    assert!(message.contains("download it again"), "{message}");
    // Every byte flipped in turn: rows or an error of this file, and never a panic that gets out.
    for at in 4..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        let (_folder, path) = file("flipped.parquet", &bytes);
        if let Err(error) = rows(&path) {
            assert!(error.to_string().contains("flipped.parquet"), "{error}");
        }
    }
}

#[test]
fn patterns_stand_for_their_files_in_order_of_names() {
    let (folder, _) = file("b.jsonl", b"");
    for name in ["a.jsonl", "c.json", "[x].jsonl"] {
        std::fs::write(folder.path().join(name), b"").unwrap();
    }
    let entry = |pattern: &str| DataEntry {
        path: folder.path().join(pattern).display().to_string(),
        weight: 1.0,
    };
    let names = |pattern: &str| -> Vec<String> {
        let files = entry(pattern).files().unwrap();
        files
            .iter()
            .map(|file| file.file_name().unwrap().to_string_lossy().into_owned())
            .collect()
    };
    assert_eq!(names("[ab].jsonl"), ["a.jsonl", "b.jsonl"]);
    assert_eq!(names("?.json*"), ["a.jsonl", "b.jsonl", "c.json"]);
    assert_eq!(names("[x].jsonl"), ["[x].jsonl"]);
    let message = entry("*.parquet").files().unwrap_err().to_string();
    assert!(message.contains("*.parquet matches no file"), "{message}");
}

#[test]
fn one_path_a_list_and_weights_survive_a_round_trip() {
    #[derive(Debug, PartialEq, Deserialize, Serialize)]
    struct Holder {
        file: DataFiles,
    }
    use serde::{Deserialize, Serialize};
    for text in [
        "file = \"\"\n",
        "file = \"a.jsonl\"\n",
        "file = [\"a.jsonl\", \"b/*.parquet\"]\n",
    ] {
        let holder: Holder = toml::from_str(text).unwrap();
        assert_eq!(toml::to_string(&holder).unwrap(), text);
    }
    let weighted: Holder =
        toml::from_str("file = [\"a.jsonl\", { path = \"b.jsonl\", weight = 2.5 }]").unwrap();
    let weights: Vec<f64> = weighted
        .file
        .entries()
        .iter()
        .map(|entry| entry.weight)
        .collect();
    assert_eq!(weights, [1.0, 2.5]);
    let again: Holder = toml::from_str(&toml::to_string(&weighted).unwrap()).unwrap();
    assert_eq!(again, weighted);
    for wrong in [
        "file = 3",
        "file = [3]",
        "file = [\"\"]",
        "file = [{ weight = 2.0 }]",
    ] {
        let error = toml::from_str::<Holder>(wrong).unwrap_err().to_string();
        assert!(
            error.contains("expected a path, or a list of paths"),
            "{error}"
        );
    }
}

//! Whether a model folder still holds the model that it held.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::index::Index;
use super::lacking;
use super::names::{INDEX, SINGLE};
use crate::error::PolicyError;

/// Size and SHA-256 of the files of a model folder that say what the model computes: `config.json`, `tokenizer.json`, and
/// the weights that are read (`model.safetensors`, or the index with its shards), each hashed from end to end. That takes
/// about as long as reading them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(BTreeMap<String, Mark>);

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    bytes: u64,
    sha256: String,
}

impl Fingerprint {
    /// That of a model folder.
    ///
    /// # Errors
    /// [`PolicyError::Io`] or [`PolicyError::Format`] names a file that cannot be read.
    pub fn of(folder: &Path) -> Result<Self, PolicyError> {
        lacking::check_folder(folder)?;
        let mut names = vec![lacking::CONFIG.to_owned(), lacking::TOKENIZER.to_owned()];
        if folder.join(SINGLE).exists() {
            names.push(SINGLE.to_owned());
        } else if folder.join(INDEX).exists() {
            names.push(INDEX.to_owned());
            names.extend(Index::read(&folder.join(INDEX))?.shards());
        } else {
            return Err(lacking::no_weights(folder));
        }
        let marks = names.into_iter().map(|name| {
            let mark = Mark::of(&folder.join(&name))?;
            Ok((name, mark))
        });
        Ok(Self(marks.collect::<Result<_, PolicyError>>()?))
    }

    /// That of all files under `folder` but those with one of the names in `without`, by their path in it with `/` in between.
    ///
    /// # Errors
    /// [`PolicyError::Io`] names a file that cannot be read.
    pub fn of_tree(folder: &Path, without: &[&str]) -> Result<Self, PolicyError> {
        let mut marks = BTreeMap::new();
        let mut folders = vec![(folder.to_owned(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            let io = PolicyError::io(&folder);
            for entry in std::fs::read_dir(&folder).map_err(&io)? {
                let entry = entry.map_err(&io)?;
                let (path, name) = (entry.path(), entry.file_name().display().to_string());
                let place = format!("{prefix}{name}");
                if path.is_dir() {
                    folders.push((path, format!("{place}/")));
                } else if !without.contains(&name.as_str()) {
                    marks.insert(place, Mark::of(&path)?);
                }
            }
        }
        Ok(Self(marks))
    }

    /// That of some files, by their path as it is given.
    ///
    /// # Errors
    /// [`PolicyError::Io`] names a file that cannot be read.
    pub fn of_files<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<Self, PolicyError> {
        let marks = paths.into_iter().map(|path| {
            let mark = Mark::of(path)?;
            Ok((path.display().to_string(), mark))
        });
        Ok(Self(marks.collect::<Result<_, PolicyError>>()?))
    }

    /// The files' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there is nothing to compare with.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In which files `other` is not this: `config.json: other content`, `model.safetensors: 9 bytes instead of 12`.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = vec![];
        for (name, mark) in &self.0 {
            match other.0.get(name) {
                None => found.push(format!("{name} is not there")),
                Some(now) if now.bytes != mark.bytes => found.push(format!(
                    "{name} has {} bytes instead of {}",
                    now.bytes, mark.bytes
                )),
                Some(now) if now != mark => found.push(format!("{name} has other content")),
                Some(_) => {}
            }
        }
        let added = other.0.keys().filter(|name| !self.0.contains_key(*name));
        found.extend(added.map(|name| format!("{name} was not there")));
        found
    }
}

impl Mark {
    fn of(path: &Path) -> Result<Self, PolicyError> {
        const CHUNK: usize = 1 << 20;
        let io = PolicyError::io(path);
        let mut file = File::open(path).map_err(&io)?;
        let (mut hasher, mut bytes) = (Sha256::new(), 0);
        let mut chunk = vec![0; CHUNK];
        loop {
            match file.read(&mut chunk).map_err(&io)? {
                0 => break,
                read => {
                    hasher.update(&chunk[..read]);
                    bytes += read as u64;
                }
            }
        }
        let sha256 = hex(&hasher.finalize());
        Ok(Self { bytes, sha256 })
    }
}

/// The SHA-256 of `bytes` in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(digest: &[u8]) -> String {
    let mut text = String::new();
    for byte in digest {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_change_of_one_byte_anywhere_is_seen_and_other_files_do_not_count() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path();
        for (name, content) in [
            (lacking::CONFIG, "{}".to_owned()),
            (lacking::TOKENIZER, "abc".to_owned()),
            (SINGLE, "w".repeat(3 << 20)),
        ] {
            fs::write(folder.join(name), content).unwrap();
        }
        let before = Fingerprint::of(folder).unwrap();
        // The digest that the standard gives for "abc".
        let text = serde_json::to_string(&before).unwrap();
        assert!(text.contains("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
        assert_eq!(serde_json::from_str::<Fingerprint>(&text).unwrap(), before);

        fs::write(folder.join("README.md"), "x").unwrap();
        assert_eq!(Fingerprint::of(folder).unwrap(), before);
        let mut weights = vec![b'w'; 3 << 20];
        weights[2_000_000] = b'v';
        fs::write(folder.join(SINGLE), &weights).unwrap();
        fs::write(folder.join(lacking::CONFIG), "{ }").unwrap();
        let now = Fingerprint::of(folder).unwrap();
        assert_eq!(
            before.differences(&now),
            [
                "config.json has 3 bytes instead of 2",
                "model.safetensors has other content"
            ]
        );
        fs::rename(
            folder.join(SINGLE),
            folder.join("model-00001-of-00001.safetensors"),
        )
        .unwrap();
        fs::write(
            folder.join(INDEX),
            r#"{"weight_map": {"w": "model-00001-of-00001.safetensors"}}"#,
        )
        .unwrap();
        let sharded = Fingerprint::of(folder).unwrap();
        let differences = now.differences(&sharded).join(", ");
        assert!(
            differences.contains("model.safetensors is not there"),
            "{differences}"
        );
        assert!(
            differences.contains(&format!("{INDEX} was not there")),
            "{differences}"
        );
        fs::remove_file(folder.join("model-00001-of-00001.safetensors")).unwrap();
        assert!(Fingerprint::of(folder).is_err());
    }
}

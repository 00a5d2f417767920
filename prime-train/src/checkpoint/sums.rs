//! What the files of a checkpoint were when it was written, so that one that has changed since is known by name.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use prime_policy::{BaseReference, Fingerprint};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::TrainError;
use crate::files::{read_text, write_atomically};

/// The file in a checkpoint; its being there says that the checkpoint is whole.
pub(super) const FILE: &str = "sums.json";

/// Files that say where a base model is, and the key that does.
const REFERENCES: [(&str, &str); 2] = [
    (BaseReference::FILE, "path"),
    ("adapter_config.json", "base_model_name_or_path"),
];

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sums {
    files: Fingerprint,
    /// Of each file that refers to a base model, but for the base's path, which the user may set anew.
    #[serde(default)]
    bases: BTreeMap<String, String>,
    /// Of `files` as text: this file can be damaged too.
    own: String,
}

/// Writes size and SHA-256 of every file under `folder`.
pub(super) fn write(folder: &Path) -> Result<(), TrainError> {
    let files = Fingerprint::of_tree(folder, &[FILE, REFERENCES[0].0, REFERENCES[1].0])?;
    let bases = bases(folder)?;
    let own = own(&files, &bases)?;
    let text = serde_json::to_string_pretty(&Sums { files, bases, own }).map_err(encode)?;
    write_atomically(&folder.join(FILE), (text + "\n").as_bytes())
}

/// Compares every file under `folder` with what was written down. A checkpoint of a version that wrote nothing down passes.
pub(super) fn check(folder: &Path) -> Result<(), TrainError> {
    let path = folder.join(FILE);
    if !path.exists() {
        return Ok(());
    }
    let damaged = |what: String| TrainError::Damaged {
        path: folder.to_owned(),
        what,
    };
    let broken = || damaged(format!("{FILE} has other content"));
    let sums: Sums =
        serde_json::from_str(&read_text(&path).map_err(|_| broken())?).map_err(|_| broken())?;
    if own(&sums.files, &sums.bases)? != sums.own {
        return Err(broken());
    }
    let now = Fingerprint::of_tree(folder, &[FILE, REFERENCES[0].0, REFERENCES[1].0])?;
    let mut found = sums.files.differences(&now);
    let bases = bases(folder)?;
    let changed = sums
        .bases
        .iter()
        .filter(|(place, sum)| bases.get(*place) != Some(sum));
    found.extend(changed.map(|(place, _)| format!("{place} has other content")));
    match found[..] {
        [] => Ok(()),
        _ => Err(damaged(found.join(", "))),
    }
}

/// Whether `folder` was written to its end by a version that writes sums.
pub(super) fn is_complete(folder: &Path) -> bool {
    folder.join(FILE).exists()
}

fn own(files: &Fingerprint, bases: &BTreeMap<String, String>) -> Result<String, TrainError> {
    let text = serde_json::to_string(&(files, bases)).map_err(encode)?;
    Ok(prime_policy::sha256(text.as_bytes()))
}

/// What each file that refers to a base says besides where that is, by its place; one that is no JSON says nothing.
fn bases(folder: &Path) -> Result<BTreeMap<String, String>, TrainError> {
    let mut found = BTreeMap::new();
    for within in ["", "adapter", "policy", "prm"] {
        for (name, path) in REFERENCES {
            let place = Path::new(within).join(name);
            let file = folder.join(&place);
            if !file.exists() {
                continue;
            }
            let text = fs::read(&file).map_err(TrainError::io("read", &file))?;
            let said = serde_json::from_slice::<Map<String, Value>>(&text).map(|mut said| {
                said.remove(path);
                prime_policy::sha256(Value::Object(said).to_string().as_bytes())
            });
            found.insert(place.display().to_string(), said.unwrap_or_default());
        }
    }
    Ok(found)
}

fn encode(error: serde_json::Error) -> TrainError {
    TrainError::Encode {
        what: "a checkpoint's sums",
        reason: error.to_string(),
    }
}

/// Brings names in a folder to the disk.
pub(super) fn sync_folder(folder: &Path) -> Result<(), TrainError> {
    #[cfg(unix)]
    fs::File::open(folder)
        .and_then(|handle| handle.sync_all())
        .map_err(TrainError::io("write", folder))?;
    let _ = folder;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_may_be_elsewhere_and_nothing_else_may_change() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path();
        fs::create_dir(folder.join("policy")).unwrap();
        for (file, text, moved, other) in [
            (
                "base.json",
                r#"{"path":"/a","files":{"x":1}}"#,
                r#"{"path":"/bb","files":{"x":1}}"#,
                r#"{"path":"/a","files":{"x":2}}"#,
            ),
            (
                "policy/adapter_config.json",
                r#"{"base_model_name_or_path":"/a","r":2}"#,
                r#"{"base_model_name_or_path":"/b","r":2}"#,
                r#"{"base_model_name_or_path":"/a","r":3}"#,
            ),
        ] {
            fs::write(folder.join(file), text).unwrap();
            write(folder).unwrap();
            fs::write(folder.join(file), moved).unwrap();
            check(folder).unwrap();
            for broken in [other, "{", ""] {
                fs::write(folder.join(file), broken).unwrap();
                let error = check(folder).unwrap_err().to_string();
                assert!(error.contains(file), "{error}");
            }
            fs::remove_file(folder.join(file)).unwrap();
            assert!(check(folder).is_err());
        }
    }

    #[test]
    fn one_flipped_bit_in_any_file_is_seen_by_name() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path();
        fs::create_dir(folder.join("policy")).unwrap();
        for name in ["state.json", "policy/weights", "policy/optimizer.bin"] {
            fs::write(folder.join(name), name.repeat(50)).unwrap();
        }
        write(folder).unwrap();
        check(folder).unwrap();
        assert!(is_complete(folder));
        for name in ["state.json", "policy/weights", "policy/optimizer.bin", FILE] {
            let path = folder.join(name);
            let before = fs::read(&path).unwrap();
            for (at, bit) in [(0, 0), (before.len() / 2, 3), (before.len() - 2, 6)] {
                let mut flipped = before.clone();
                flipped[at] ^= 1 << bit;
                fs::write(&path, &flipped).unwrap();
                let error = check(folder).unwrap_err().to_string();
                assert!(error.contains(name), "{name} {at} {bit}: {error}");
            }
            fs::write(&path, &before).unwrap();
            check(folder).unwrap();
        }
        fs::write(folder.join("policy/more"), "").unwrap();
        let error = check(folder).unwrap_err().to_string();
        assert!(error.contains("policy/more was not there"), "{error}");
        fs::remove_file(folder.join("policy/more")).unwrap();
        fs::remove_file(folder.join("state.json")).unwrap();
        let error = check(folder).unwrap_err().to_string();
        assert!(error.contains("state.json is not there"), "{error}");
    }
}

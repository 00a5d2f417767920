//! What to say of a folder that is not the model folder it should be: what it holds instead, and the way out.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::names::{self, INDEX, SINGLE};
use crate::error::PolicyError;

pub(crate) const CONFIG: &str = "config.json";
pub(crate) const TOKENIZER: &str = "tokenizer.json";
const ADAPTER: &str = "adapter_config.json";

fn format(path: PathBuf, reason: String) -> PolicyError {
    PolicyError::Format { path, reason }
}

/// The names in a folder, sorted; none where it cannot be read.
fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn ending<'a>(names: &'a [String], endings: &[&str]) -> Option<&'a str> {
    let wanted = |name: &&String| endings.iter().any(|ending| name.ends_with(ending));
    names.iter().find(wanted).map(String::as_str)
}

/// The name that a model has on the hub, if `path` is written like one and nothing here begins like it.
pub(crate) fn hub_name(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    let text = ["https://huggingface.co/", "hf.co/", "hf://"]
        .iter()
        .find_map(|start| text.strip_prefix(start))
        .unwrap_or(text);
    let parts: Vec<Component<'_>> = Path::new(text).components().collect();
    let is_word = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    match parts[..] {
        [Component::Normal(owner), Component::Normal(name)] => {
            let (owner, name) = (owner.to_str()?, name.to_str()?);
            let ours = Path::new(owner).exists();
            (is_word(owner) && is_word(name) && !ours).then(|| format!("{owner}/{name}"))
        }
        _ => None,
    }
}

/// What to do about a name on the hub.
pub(crate) fn to_download(name: &str) -> String {
    let folder = name.rsplit('/').next().unwrap_or(name);
    format!(
        "it looks like a model's name on the Hugging Face hub, from which nothing is downloaded here: fetch it first, e.g. \
         `hf download {name} --local-dir {folder}` (`huggingface-cli download` in older versions), and give that folder"
    )
}

/// Checks that there is a folder.
///
/// # Errors
/// [`PolicyError::Format`] says what is there instead.
pub(crate) fn check_folder(folder: &Path) -> Result<(), PolicyError> {
    if folder.is_dir() {
        return Ok(());
    }
    let shown = folder.display();
    if folder.is_file() {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let reason = match name.to_lowercase().ends_with(".gguf") {
            true => format!("is a file; {}", gguf(&name, "its folder")),
            false => {
                let parent = folder.parent().filter(|p| !p.as_os_str().is_empty());
                let parent = parent.unwrap_or(Path::new("."));
                format!(
                    "is a file, where a model folder is wanted; give the folder that holds {CONFIG}, {TOKENIZER} and the \
                     weights ({})",
                    parent.display()
                )
            }
        };
        return Err(format(folder.to_owned(), reason));
    }
    if let Some(name) = hub_name(folder) {
        let reason = format!("there is no such folder; {}", to_download(&name));
        return Err(format(folder.to_owned(), reason));
    }
    let way_out = match folder.starts_with("~") {
        true => "~ is not expanded here, write the path out",
        false => "check the path",
    };
    let reason = format!("there is no folder {shown}; {way_out}");
    Err(format(folder.join(CONFIG), reason))
}

/// Why `folder` has no `config.json`.
pub(crate) fn no_config(folder: &Path) -> PolicyError {
    let found = entries(folder);
    let has = |name: &str| found.iter().any(|found| found == name);
    let reason = if has(ADAPTER) {
        format!(
            "is not there: the folder holds a LoRA adapter ({ADAPTER}) and no whole model; merge it into its base first"
        )
    } else if let Some(inner) = model_within(folder, &found) {
        format!(
            "is not there, but {} holds a model: give that folder",
            inner.display()
        )
    } else if let Some(name) = ending(&found, &[".gguf", ".GGUF"]) {
        format!(
            "is not there; {}",
            gguf(name, &folder.display().to_string())
        )
    } else if has("params.json") || ending(&found, &[".pth"]).is_some() {
        "is not there: the folder is in its makers' own layout; use the one in Hugging Face's layout (often the same name \
         with -hf)"
            .to_owned()
    } else if found.is_empty() {
        "is not there: the folder is empty; check the path".to_owned()
    } else {
        format!(
            "is not there, so this is no model folder: one holds {CONFIG}, {TOKENIZER} and {SINGLE} (or {INDEX} with its \
             shards); check the path, or download what is missing"
        )
    };
    format(folder.join(CONFIG), reason)
}

/// Where below `folder` a model is: the newest checkpoint of a run, the snapshot of a hub cache, or a folder in it.
fn model_within(folder: &Path, found: &[String]) -> Option<PathBuf> {
    let holds = |place: &PathBuf| place.join(CONFIG).is_file() || place.join(ADAPTER).is_file();
    let below = |sub: &str| {
        let mut names = entries(&folder.join(sub));
        names.reverse();
        let places = names.into_iter().map(|name| folder.join(sub).join(name));
        places.collect::<Vec<_>>()
    };
    let checkpoints = [folder.to_owned()]
        .into_iter()
        .chain(below("checkpoints"))
        .map(|place| place.join("policy"));
    let snapshots = below("snapshots");
    let inside = found.iter().map(|name| folder.join(name));
    checkpoints.chain(snapshots).chain(inside).find(holds)
}

/// The words for a model in llama.cpp's format.
fn gguf(name: &str, folder: &str) -> String {
    format!(
        "{name} is in llama.cpp's format, which is not read; use the Hugging Face folder of the same model, or convert it: \
         python -c \"from transformers import AutoModelForCausalLM as M, AutoTokenizer as T; [k.from_pretrained('{folder}', \
         gguf_file='{name}').save_pretrained('converted') for k in (M, T)]\""
    )
}

/// Why `folder` has no `tokenizer.json`.
pub(crate) fn no_tokenizer(folder: &Path) -> PolicyError {
    let found = entries(folder);
    let has = |name: &str| found.iter().any(|found| found == name);
    let shown = folder.display();
    let convert = format!(
        "python -c \"from transformers import AutoTokenizer; \
         AutoTokenizer.from_pretrained('{shown}').save_pretrained('{shown}')\""
    );
    let pieces = ["tokenizer.model", "spiece.model", "sentencepiece.bpe.model"];
    let reason = if has("vocab.json") && has("merges.txt") {
        format!(
            "is not there, but vocab.json and merges.txt are, the older form of the same; transformers writes it from \
             them: {convert}"
        )
    } else if let Some(name) = pieces.into_iter().find(|name| has(name)) {
        format!(
            "is not there, but {name} is, SentencePiece's form; transformers writes it from that (pip install transformers \
             sentencepiece protobuf): {convert}"
        )
    } else if let Some(name) = ending(&found, &["tekken.json", ".model.v3", ".tiktoken"]) {
        format!(
            "is not there, but {name} is, a form that is not read; take {TOKENIZER} from the Hugging Face folder of the \
             same model, or let transformers write it: {convert}"
        )
    } else if has("vocab.json") {
        "is not there, and vocab.json has no merges.txt beside it; download tokenizer.json of the same model".to_owned()
    } else {
        "is not there, and the folder has no other form of it; download it from where the model is from (a fine-tuned \
         model has its base's)"
            .to_owned()
    };
    format(folder.join(TOKENIZER), reason)
}

/// Why `folder` has no weights that are read.
pub(crate) fn no_weights(folder: &Path) -> PolicyError {
    let found = entries(folder);
    let shown = folder.display();
    let shard = found.iter().find(|name| names::is_shard(name));
    let way_out = if let Some(name) = ending(
        &found,
        &["pytorch_model.bin", "pytorch_model.bin.index.json"],
    ) {
        format!(
            "{name} is a pickle, which is not read; load it with transformers and save it again with save_pretrained: \
             python -c \"from transformers import AutoModelForCausalLM; \
             AutoModelForCausalLM.from_pretrained('{shown}').save_pretrained('{shown}')\""
        )
    } else if let Some(name) = shard {
        format!("{name} is a shard, which is found by that index; download the index too")
    } else if let Some(name) = ending(&found, &[".gguf", ".GGUF"]) {
        gguf(name, &shown.to_string())
    } else if let Some(name) = ending(&found, &[".pth", ".h5", ".msgpack", ".onnx", ".bin", ".pt"])
    {
        format!("{name} is in a form that is not read; use the checkpoint in safetensors")
    } else if let Some(name) = ending(&found, &["adapter_model.safetensors"]) {
        format!("{name} is an adapter, and {CONFIG} beside it makes the folder a whole model's")
    } else if let Some(name) = ending(&found, &[".safetensors"]) {
        format!(
            "{name} has a name that is not read; if it is the whole model, rename it to {SINGLE}"
        )
    } else if let Some(name) = ending(
        &found,
        &[".incomplete", ".part", ".crdownload", ".aria2", ".partial"],
    ) {
        format!("{name} is a download that did not end; download it again")
    } else {
        "check the path".to_owned()
    };
    format(
        folder.to_owned(),
        format!("has neither {SINGLE} nor {INDEX}; {way_out}"),
    )
}

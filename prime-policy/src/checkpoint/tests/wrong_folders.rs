//! A folder, file or name that is no model folder is one error that says what it is and what to do.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use safetensors::tensor::{Dtype, TensorView};

use super::{config, decoder};
use crate::checkpoint::names::{INDEX, SINGLE};
use crate::checkpoint::{ModelFolder, SideFiles};
use crate::lora::{AdapterFolder, AdapterUse, LoraConfig, load_adapter, save_adapter};
use crate::tokenizer::Tokenizer;

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 724923\n";

fn whole(folder: &Path) {
    let whole = ModelFolder {
        config: config(false),
        model: decoder(false),
        tokenizer: Tokenizer::characters("01+".chars()).unwrap(),
        side_files: SideFiles::default(),
    };
    whole.save(folder).unwrap();
}

/// The message of loading `folder`, with all of `parts` and no bare words of the system.
fn refused(folder: &Path, parts: &[&str]) {
    let error = ModelFolder::load(folder, &Device::flex())
        .unwrap_err()
        .to_string();
    for part in parts {
        assert!(error.contains(part), "{part:?} is not in {error}");
    }
    assert!(!error.contains("os error"), "{error}");
}

#[test]
fn what_is_no_folder() {
    let place = tempfile::tempdir().unwrap();
    let nowhere = place.path().join("nowhere");
    refused(
        &nowhere,
        &["nowhere/config.json: there is no folder", "check the path"],
    );
    for name in [
        "Qwen/Qwen2.5-0.5B",
        "https://huggingface.co/Qwen/Qwen2.5-0.5B",
    ] {
        refused(
            Path::new(name),
            &[
                "hub",
                "`hf download Qwen/Qwen2.5-0.5B --local-dir Qwen2.5-0.5B`",
            ],
        );
    }
    refused(Path::new("~/models/x"), &["~ is not expanded"]);
    let file = place.path().join("model.safetensors");
    fs::write(&file, "").unwrap();
    refused(
        &file,
        &["is a file", "give the folder that holds", "tokenizer.json"],
    );
    let gguf = place.path().join("tiny-Q4_K_M.gguf");
    fs::write(&gguf, "GGUF").unwrap();
    refused(
        &gguf,
        &["is a file", "llama.cpp's format", "Hugging Face folder"],
    );
}

#[test]
fn a_folder_without_a_config_says_what_it_holds() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    refused(folder, &["config.json: is not there: the folder is empty"]);
    for (name, parts) in [
        ("tiny.gguf", ["llama.cpp's format", "gguf_file='tiny.gguf'"]),
        (
            "params.json",
            ["its makers' own layout", "Hugging Face's layout"],
        ),
        ("consolidated.00.pth", ["its makers' own layout", "-hf"]),
        ("notes.txt", ["is no model folder", "tokenizer.json"]),
        (
            "adapter_config.json",
            ["a LoRA adapter", "merge it into its base"],
        ),
    ] {
        fs::write(folder.join(name), "").unwrap();
        refused(folder, &parts);
        fs::remove_file(folder.join(name)).unwrap();
    }
    for inner in [
        "checkpoints/step-000040/policy",
        "snapshots/0123abc",
        "Qwen2.5-0.5B",
    ] {
        let inside = folder.join(inner);
        fs::create_dir_all(&inside).unwrap();
        fs::write(inside.join("config.json"), "{}").unwrap();
        refused(folder, &[inner, "give that folder"]);
        let first = inner.split('/').next().unwrap();
        fs::remove_dir_all(folder.join(first)).unwrap();
    }
}

#[test]
fn a_config_that_is_none() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("config.json");
    for (text, part) in [
        (POINTER, "config.json: is a Git LFS pointer"),
        ("<!DOCTYPE html>", "config.json: is a web page"),
        ("", "config.json: is empty"),
        ("{\"model_type\": \"lla", "config.json: is cut off"),
        ("model_type: llama", "config.json: is not JSON"),
        ("[]", "config.json: not a JSON object"),
    ] {
        fs::write(&path, text).unwrap();
        refused(place.path(), &[part]);
    }
}

#[test]
fn a_tokenizer_in_another_form() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    whole(folder);
    let path = folder.join("tokenizer.json");
    for (text, parts) in [
        (POINTER, ["is a Git LFS pointer", "git lfs pull"]),
        (
            "{\"version\": ",
            ["not a tokenizer.json", "download it again"],
        ),
        ("", ["not a tokenizer.json", "download it again"]),
    ] {
        fs::write(&path, text).unwrap();
        refused(folder, &["tokenizer.json: ", parts[0], parts[1]]);
    }
    fs::remove_file(&path).unwrap();
    let line = format!(
        "AutoTokenizer.from_pretrained('{0}').save_pretrained('{0}')",
        folder.display()
    );
    for (names, parts) in [
        (&[][..], &["no other form of it", "its base's"][..]),
        (&["vocab.json", "merges.txt"], &["the older form", &line]),
        (
            &["tokenizer.model"],
            &["SentencePiece", "pip install", &line],
        ),
        (&["tekken.json"], &["a form that is not read", &line]),
        (&["qwen.tiktoken"], &["a form that is not read", &line]),
        (&["vocab.json"], &["no merges.txt beside it"]),
    ] {
        for name in names {
            fs::write(folder.join(name), "").unwrap();
        }
        refused(folder, &[&["tokenizer.json: is not there"], parts].concat());
        for name in names {
            fs::remove_file(folder.join(name)).unwrap();
        }
    }
}

/// Replaces the weights of a folder by its own, of which `change` may replace any.
fn change(folder: &Path, change: impl Fn(&str) -> Option<(String, Dtype)>) {
    let bytes = fs::read(folder.join(SINGLE)).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let zeros = vec![0; bytes.len()];
    let views = file
        .tensors()
        .into_iter()
        .map(|(name, view)| match change(&name) {
            None => (name, view),
            Some((name, dtype)) => {
                let shape = view.shape().to_vec();
                let size = shape.iter().product::<usize>() * dtype.bitsize() / 8;
                (name, TensorView::new(dtype, shape, &zeros[..size]).unwrap())
            }
        });
    let bytes = safetensors::serialize(views, None).unwrap();
    fs::write(folder.join(SINGLE), bytes).unwrap();
}

#[test]
fn quantised_weights() {
    for (part, stored, dtype) in [
        ("down_proj.weight", "down_proj.qweight", Dtype::I32),
        ("down_proj.weight", "down_proj.weight_packed", Dtype::I32),
        ("down_proj.weight", "down_proj.weight", Dtype::I8),
        ("down_proj.weight", "down_proj.weight", Dtype::U8),
        ("up_proj.weight", "up_proj.weight", Dtype::F8_E4M3),
    ] {
        let place = tempfile::tempdir().unwrap();
        whole(place.path());
        change(place.path(), |name| {
            name.ends_with(part)
                .then(|| (name.replace(part, stored), dtype))
        });
        refused(
            place.path(),
            &[
                SINGLE,
                "its weights are quantised",
                stored,
                "use the unquantised checkpoint",
            ],
        );
    }
    let place = tempfile::tempdir().unwrap();
    whole(place.path());
    let path = place.path().join("config.json");
    let text = fs::read_to_string(&path).unwrap();
    let with = text.replacen('{', "{\"quantization_config\": {\"bits\": 8},", 1);
    fs::write(&path, with).unwrap();
    refused(
        place.path(),
        &["quantization_config", "use the unquantised checkpoint"],
    );
    // Left over from training on quantised weights: what is stored counts, on request.
    let ignore = ["quantization_config".to_owned()];
    ModelFolder::load_ignoring(place.path(), &Device::flex(), &ignore).unwrap();
}

#[test]
fn weights_that_are_pointers_or_missing() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    whole(folder);
    fs::write(folder.join(SINGLE), POINTER).unwrap();
    refused(folder, &["model.safetensors: is a Git LFS pointer"]);
    fs::remove_file(folder.join(SINGLE)).unwrap();
    fs::write(folder.join("pytorch_model.bin"), "").unwrap();
    refused(
        folder,
        &[
            "pytorch_model.bin is a pickle",
            "AutoModelForCausalLM.from_pretrained(",
        ],
    );
    let shard = "model-00001-of-00001.safetensors";
    let index = format!("{{\"weight_map\": {{\"w\": \"{shard}\"}}}}");
    fs::write(folder.join(INDEX), index).unwrap();
    refused(
        folder,
        &[INDEX, shard, "is missing; download or copy it too"],
    );
    fs::write(folder.join(shard), POINTER).unwrap();
    refused(folder, &[INDEX, shard, "is a Git LFS pointer"]);
    fs::write(folder.join(INDEX), POINTER).unwrap();
    refused(
        folder,
        &["model.safetensors.index.json: is a Git LFS pointer"],
    );
}

#[test]
fn adapters_and_their_bases() {
    let place = tempfile::tempdir().unwrap();
    let (base, folder) = (place.path().join("base"), place.path().join("adapter"));
    whole(&base);
    let lora = LoraConfig::new(2, 4.0);
    let model = lora.attach(decoder(false), 0).unwrap();
    let load = |folder: &Path, parts: &[&str]| {
        let error = AdapterFolder::load(folder, &Device::flex(), AdapterUse::Inference);
        let error = error.unwrap_err().to_string();
        for part in parts {
            assert!(error.contains(part), "{part:?} is not in {error}");
        }
        assert!(!error.contains("os error"), "{error}");
    };
    load(
        &base,
        &[
            "adapter_config.json: is not there",
            "a whole model, where an adapter is wanted",
        ],
    );
    load(&place.path().join("nowhere"), &["there is no folder"]);
    load(place.path(), &["holds no adapter; check the path"]);
    for (named, part) in [
        ("Qwen/Qwen2.5-0.5B", "`hf download Qwen/Qwen2.5-0.5B"),
        (
            "/nowhere/at/all",
            "write the path of the base model's folder there",
        ),
        ("", "write the path of the base model's folder there"),
    ] {
        save_adapter(&model, &lora, named, &folder).unwrap();
        load(&folder, &["base_model_name_or_path", named, part]);
    }
    let named = base.display().to_string();
    save_adapter(&model, &lora, &named, &folder).unwrap();
    let weights = folder.join("adapter_model.safetensors");
    fs::write(&weights, POINTER).unwrap();
    load(
        &folder,
        &["adapter_model.safetensors: is a Git LFS pointer"],
    );
    fs::remove_file(&weights).unwrap();
    load(
        &folder,
        &["adapter_model.safetensors: is not there; download or copy it too"],
    );
    fs::write(folder.join("adapter_model.bin"), "").unwrap();
    load(
        &folder,
        &["adapter_model.bin is a pickle", "safetensors.torch"],
    );
    fs::write(folder.join("adapter_config.json"), POINTER).unwrap();
    load(&folder, &["adapter_config.json: is a Git LFS pointer"]);
    assert!(load_adapter(decoder(false), &folder, AdapterUse::Training).is_err());
}

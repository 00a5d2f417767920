//! Every kind of broken folder is one error that says what is wrong and where.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use safetensors::tensor::{Dtype, TensorView};

use super::{config, decoder};
use crate::checkpoint::names::{INDEX, SINGLE};
use crate::checkpoint::{ModelFolder, SideFiles, WeightFormat, load_weights, save_sharded};
use crate::error::PolicyError;
use crate::tokenizer::Tokenizer;

/// The message of loading a decoder from `path`, without the path that it starts with.
fn message(path: &Path, named: &Path) -> String {
    let error = load_weights(decoder(false), path).unwrap_err().to_string();
    let start = named.display().to_string();
    let rest = error.strip_prefix(&start);
    rest.unwrap_or_else(|| panic!("{error} should start with {start}"))
        .to_owned()
}

/// A file with this header and these many bytes of tensors.
fn file(header: &str, data: usize) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length, header.as_bytes(), &vec![0; data]].concat()
}

#[test]
fn a_file_that_is_no_safetensors_file() {
    let tensor = |shape: &str, from: usize, to: usize| {
        format!(r#"{{"w":{{"dtype":"F32","shape":{shape},"data_offsets":[{from},{to}]}}}}"#)
    };
    let cases = [
        (
            vec![1, 2, 3],
            ": has 3 bytes, too few for a safetensors header; copy or download it again",
        ),
        (
            b"<!DOCTYPE html>".to_vec(),
            ": is a web page, not the file that was to be downloaded; download it again",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n".to_vec(),
            ": is a Git LFS pointer, not the file that it stands for; fetch the files with `git lfs pull` in that folder, \
             or download it again",
        ),
        (
            b"no weights at all".to_vec(),
            ": is not a safetensors file: its header would have 7523097587056930670 bytes, at most 100000000 are allowed",
        ),
        (
            [&100u64.to_le_bytes()[..], b"{}"].concat(),
            ": is truncated: its header has 100 bytes, the whole file 10; copy or download it again",
        ),
        (
            file("{\"w\":}", 0),
            ": has no valid safetensors header: expected value at line 1 column 6",
        ),
        (
            file(&tensor("[2, 2]", 0, 16), 12),
            ": is truncated: its header promises 82 bytes, the file has 78; copy or download it again",
        ),
        (
            file(&tensor("[2, 2]", 0, 16), 17),
            ": has bytes after its last tensor: its header promises 82 bytes, the file has 83",
        ),
        (
            file(&tensor("[2, 3]", 0, 16), 16),
            ": has no valid safetensors header: invalid shape, data type, or offset for tensor",
        ),
        (
            file(&tensor("[2, 2]", 4, 20), 20),
            ": has no valid safetensors header: invalid offset for tensor `w`",
        ),
        (
            file(&tensor("[4294967296, 4294967296]", 0, 16), 16),
            ": has no valid safetensors header: overflow computing buffer size from shape and/or element type",
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    for (bytes, expected) in cases {
        fs::write(&path, bytes).unwrap();
        assert_eq!(message(&path, &path), expected);
    }
    fs::remove_file(&path).unwrap();
    let absent = message(&path, &path);
    assert!(absent.starts_with(": No such file"), "{absent}");
}

#[test]
fn a_folder_without_weights() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert_eq!(
        message(folder, folder),
        ": has neither model.safetensors nor model.safetensors.index.json; check the path"
    );
    fs::write(folder.join("pytorch_model.bin"), "").unwrap();
    assert_eq!(
        message(folder, folder),
        format!(
            ": has neither model.safetensors nor model.safetensors.index.json; pytorch_model.bin is a pickle, which is \
             not read; load it with transformers and save it again with save_pretrained: python -c \"from transformers \
             import AutoModelForCausalLM; AutoModelForCausalLM.from_pretrained('{0}').save_pretrained('{0}')\"",
            folder.display()
        )
    );
    fs::remove_file(folder.join("pytorch_model.bin")).unwrap();
    for (name, parts) in [
        ("model-00001-of-00002.safetensors", ["is a shard", "index"]),
        (
            "tiny-q4_k_m.gguf",
            ["llama.cpp's format", "gguf_file='tiny-q4_k_m.gguf'"],
        ),
        (
            "flax_model.msgpack",
            ["a form that is not read", "safetensors"],
        ),
        (
            "consolidated.safetensors",
            ["rename it to model.safetensors", "consolidated"],
        ),
        (
            "model.safetensors.incomplete",
            ["a download that did not end", "again"],
        ),
    ] {
        fs::write(folder.join(name), "").unwrap();
        let found = message(folder, folder);
        for part in parts {
            assert!(found.contains(part), "{name}: {found}");
        }
        fs::remove_file(folder.join(name)).unwrap();
    }
}

#[test]
fn an_index_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let index = folder.path().join(INDEX);
    for (text, expected) in [
        (
            "weights",
            ": is no index of shards: expected value at line 1 column 1",
        ),
        (
            r#"{"metadata": {}}"#,
            ": is no index of shards: missing field `weight_map` at line 1 column 16",
        ),
        (r#"{"weight_map": {}}"#, ": names no shard"),
        (
            r#"{"weight_map": {"w": "../../w.safetensors"}}"#,
            ": names the shard \"../../w.safetensors\", which is not a file of the same folder",
        ),
    ] {
        fs::write(&index, text).unwrap();
        assert_eq!(message(folder.path(), &index), expected);
    }
}

fn sharded(folder: &Path) {
    let format = WeightFormat {
        max_shard_bytes: 600,
        ..WeightFormat::default()
    };
    save_sharded(&decoder(false), folder, &format).unwrap();
}

#[test]
fn everything_that_is_wrong_with_the_shards_is_in_one_error() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    sharded(folder);
    let count = super::files(folder).len() - 1;
    let name = |number: usize| format!("model-{number:05}-of-{count:05}.safetensors");
    let shard = |number: usize| folder.join(name(number));
    // 1 is absent, 2 is truncated, 4 is a copy of 3 and so lacks its own tensors and repeats those of 3.
    fs::remove_file(shard(1)).unwrap();
    let bytes = fs::read(shard(2)).unwrap();
    fs::write(shard(2), &bytes[..bytes.len() - 4]).unwrap();
    let own = names(&shard(4));
    fs::copy(shard(3), shard(4)).unwrap();
    let repeated = names(&shard(3));
    let [one, two, three, four] = [1, 2, 3, 4].map(name);
    let size = bytes.len();
    let short = size - 4;
    let mut expected = vec![
        format!("shard {one} is missing; download or copy it too"),
        format!(
            "shard {two} is truncated: its header promises {size} bytes, the file has {short}; copy or download it again"
        ),
    ];
    let twice = |tensor: &String| format!("tensor {tensor} is in both {three} and {four}");
    expected.extend(repeated.iter().map(twice));
    let lacking = |tensor: &String| format!("tensor {tensor} is not in {four}, as promised");
    expected.extend(own.iter().map(lacking));
    assert!(!own.is_empty() && !repeated.is_empty());
    let found = message(folder, &folder.join(INDEX));
    assert_eq!(found, format!(": {}", expected.join("; ")));
}

fn names(path: &Path) -> Vec<String> {
    let bytes = fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut names: Vec<String> = file.names().into_iter().map(str::to_owned).collect();
    names.sort();
    names
}

#[test]
fn every_tensor_that_does_not_fit_is_in_one_error_across_shards() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    sharded(folder);
    let index = folder.join(INDEX);
    let mut text: serde_json::Value = serde_json::from_slice(&fs::read(&index).unwrap()).unwrap();
    let map = text["weight_map"].as_object_mut().unwrap();
    let mut replace = |name: &str, with: Option<(&str, Dtype, &[usize])>| {
        let path = folder.join(map[name].as_str().unwrap());
        let bytes = fs::read(&path).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let mut views = file.tensors();
        views.retain(|(other, _)| other != name);
        let zeros = [0; 4096];
        let shard = map.remove(name).unwrap();
        if let Some((name, dtype, shape)) = with {
            let size = shape.iter().product::<usize>() * dtype.bitsize() / 8;
            let view = TensorView::new(dtype, shape.to_vec(), &zeros[..size]).unwrap();
            views.push((name.to_owned(), view));
            map.insert(name.to_owned(), shard);
        }
        fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    };
    let [q, k] = ["q", "k"].map(|p| format!("model.layers.0.self_attn.{p}_proj.weight"));
    let gate = "model.layers.1.mlp.gate_proj.weight";
    let norm = "model.layers.1.input_layernorm.weight";
    replace(
        "lm_head.weight",
        Some(("score.weight", Dtype::F32, &[1, 8])),
    );
    replace("model.norm.weight", None);
    replace(&q, Some((&q, Dtype::I8, &[8, 8])));
    replace(&k, Some((&k, Dtype::F8_E4M3, &[8, 4])));
    replace(gate, Some((gate, Dtype::BF16, &[12, 9])));
    replace(norm, Some((norm, Dtype::F64, &[8])));
    fs::write(&index, text.to_string()).unwrap();
    let accepted = "(accepted: F32, F16, BF16)";
    let expected = format!(
        " does not fit the model: missing tensors [model.norm.weight, lm_head.weight], unexpected tensors \
         [score.weight], other shapes or element types [{q}: element type I8 {accepted}, {k}: found [8, 4], expected \
         [4, 8], {k}: element type F8_E4M3 {accepted}, {gate}: found [12, 9], expected [12, 8], {norm}: element type \
         F64 {accepted}]; check that its config.json belongs to it"
    );
    assert_eq!(message(folder, &index), expected);
}

#[test]
fn a_folder_that_lacks_a_part_names_it() {
    let place = tempfile::tempdir().unwrap();
    let whole = ModelFolder {
        config: config(false),
        model: decoder(false),
        tokenizer: Tokenizer::characters("01+".chars()).unwrap(),
        side_files: SideFiles::default(),
    };
    for part in ["config.json", "tokenizer.json", SINGLE] {
        whole.save(place.path()).unwrap();
        let path = place.path().join(part);
        fs::remove_file(&path).unwrap();
        let error = ModelFolder::load(place.path(), &Device::flex()).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        fs::create_dir(&path).unwrap();
        let error = ModelFolder::load(place.path(), &Device::flex()).unwrap_err();
        assert!(
            matches!(&error, PolicyError::Io { path: named, .. } if *named == path),
            "{error}"
        );
        fs::remove_dir(&path).unwrap();
    }
    whole.save(place.path()).unwrap();
    fs::create_dir(place.path().join("merges.txt")).unwrap();
    let error = ModelFolder::load(place.path(), &Device::flex()).unwrap_err();
    assert!(error.to_string().contains("merges.txt"), "{error}");
}

//! Adapters that `peft` wrote (`fixtures/make_adapter.py`): the same logits here, and folders written back.
#![cfg(feature = "flex")]

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use prime_policy::{
    AdapterFolder, AdapterUse, BaseReference, CausalLm, Decoder, DecoderConfig, ModelFolder,
    PolicyError, SideFiles, TargetModules, Tokenizer, load_adapter, load_weights, save_adapter,
};

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/peft")
        .join(path)
}

fn config() -> DecoderConfig {
    let path = fixture("base/config.json");
    let text = fs::read_to_string(&path).unwrap();
    DecoderConfig::from_json(&text, &path).unwrap()
}

fn base() -> Decoder {
    let model = config().init(&Device::flex()).unwrap();
    load_weights(model, &fixture("base/model.safetensors")).unwrap()
}

fn logits(model: &Decoder, ids: &[Vec<i32>]) -> Vec<f32> {
    let (rows, time) = (ids.len(), ids[0].len());
    let data = TensorData::new(ids.concat(), [rows, time]);
    let hidden = model.hidden(Tensor::<2, Int>::from_data(data, &Device::flex()));
    let hidden = hidden.reshape([rows * time, model.hidden_size()]);
    model.logits(hidden).into_data().iter::<f32>().collect()
}

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (at, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() < 1e-4, "logit {at}: {a} here, {b} there");
    }
}

#[derive(serde::Deserialize)]
struct Expected {
    ids: Vec<Vec<i32>>,
    plain: Vec<f32>,
    rslora: Vec<f32>,
}

fn expected() -> Expected {
    serde_json::from_str(&fs::read_to_string(fixture("expected.json")).unwrap()).unwrap()
}

#[test]
fn adapters_of_peft_give_its_logits() {
    let expected = expected();
    let plain = logits(&base(), &expected.ids);
    for (name, expected_logits, rslora, targets) in [
        ("plain", &expected.plain, false, 14),
        ("rslora", &expected.rslora, true, 2),
    ] {
        let (model, lora) = load_adapter(base(), &fixture(name), AdapterUse::Inference).unwrap();
        assert_eq!(lora.use_rslora, rslora);
        let TargetModules::Names(names) = &lora.target_modules else {
            panic!("PEFT lists names: {:?}", lora.target_modules)
        };
        assert_eq!(names.len(), targets);
        let found = logits(&model, &expected.ids);
        assert_close(&found, expected_logits);
        let furthest = found.iter().zip(&plain).map(|(a, b)| (a - b).abs());
        assert!(
            furthest.fold(0.0, f32::max) > 0.1,
            "the adapter must matter"
        );
        assert_close(
            &logits(&model.materialize(), &expected.ids),
            expected_logits,
        );
    }
}

/// The fixture's base with a tokenizer beside it, which the folder loader asks for.
fn base_folder(at: &Path) {
    let tokenizer = Tokenizer::characters("0123456789+*=,".chars()).unwrap();
    let folder = ModelFolder {
        config: config(),
        model: base(),
        tokenizer,
        side_files: SideFiles::default(),
    };
    folder.save(at).unwrap();
}

#[test]
fn an_adapter_folder_finds_its_base_and_merges_into_it() {
    let expected = expected();
    let folder = tempfile::tempdir().unwrap();
    let (there, adapter) = (folder.path().join("base"), folder.path().join("adapter"));
    base_folder(&there);
    let (model, lora) = load_adapter(base(), &fixture("plain"), AdapterUse::Inference).unwrap();
    for named in [there.display().to_string(), "../base".to_owned()] {
        save_adapter(&model, &lora, &named, &adapter).unwrap();
        assert!(AdapterFolder::is_one(&adapter) && !AdapterFolder::is_one(&there));
        let loaded = AdapterFolder::load(&adapter, &Device::flex(), AdapterUse::Inference).unwrap();
        assert_eq!(loaded.lora, lora);
        assert_close(&logits(&loaded.model, &expected.ids), &expected.plain);
        assert_close(
            &logits(&loaded.base.model, &expected.ids),
            &logits(&base(), &expected.ids),
        );

        let merged = folder.path().join("merged");
        loaded.merged().save(&merged).unwrap();
        let merged = ModelFolder::load(&merged, &Device::flex()).unwrap();
        assert_close(&logits(&merged.model, &expected.ids), &expected.plain);
    }
    // A model with adapters is no model folder, and becomes none unasked.
    let saved = folder.path().join("saved");
    let with_adapters = ModelFolder {
        model,
        ..ModelFolder::load(&there, &Device::flex()).unwrap()
    };
    let error = with_adapters.save(&saved).unwrap_err();
    assert!(
        matches!(error, PolicyError::AdaptersAttached { .. }),
        "{error}"
    );
    assert!(!saved.join("config.json").exists());

    save_adapter(&saved_adapter(), &lora, "Qwen/Qwen2.5-0.5B", &adapter).unwrap();
    let error = AdapterFolder::load(&adapter, &Device::flex(), AdapterUse::Inference).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("Qwen/Qwen2.5-0.5B"), "{message}");
    assert!(message.contains("base_model_name_or_path"), "{message}");
}

#[test]
fn a_base_that_is_referred_to_is_known_again() {
    let place = tempfile::tempdir().unwrap();
    let (there, adapter) = (place.path().join("base"), place.path().join("adapter"));
    base_folder(&there);
    let (model, lora) = load_adapter(base(), &fixture("plain"), AdapterUse::Inference).unwrap();
    save_adapter(&model, &lora, &there.display().to_string(), &adapter).unwrap();
    let reference = BaseReference::to(&there, &[]).unwrap();
    reference.write(&adapter).unwrap();
    assert_eq!(
        BaseReference::read(&adapter).unwrap(),
        Some(reference.clone())
    );
    assert_eq!(BaseReference::read(&there).unwrap(), None);
    let load = || AdapterFolder::load(&adapter, &Device::flex(), AdapterUse::Inference);
    load().unwrap();

    // Other weights of the same shape.
    let weights = there.join("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let original = bytes.clone();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&weights, &bytes).unwrap();
    let message = load().unwrap_err().to_string();
    for part in [
        "base.json: the base model in",
        &there.display().to_string(),
        "is not the one that was trained on: model.safetensors has other content",
        "base_model_name_or_path",
    ] {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
    let message = reference
        .load(&adapter, &Device::flex())
        .unwrap_err()
        .to_string();
    assert!(message.contains("\"path\" in this file"), "{message}");
    let unchecked = BaseReference {
        files: Default::default(),
        ..reference.clone()
    };
    unchecked.load(&adapter, &Device::flex()).unwrap();
    fs::write(&weights, original).unwrap();

    // Gone, and found again elsewhere.
    let moved = place.path().join("moved");
    fs::rename(&there, &moved).unwrap();
    let message = reference
        .load(&adapter, &Device::flex())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("is no folder now; put it back"),
        "{message}"
    );
    let reference = BaseReference {
        path: moved,
        ..reference
    };
    reference.load(&adapter, &Device::flex()).unwrap();
    fs::write(adapter.join("base.json"), "{").unwrap();
    let message = load().unwrap_err().to_string();
    assert!(message.contains("base_model_name_or_path"), "{message}");
}

fn saved_adapter() -> Decoder {
    load_adapter(base(), &fixture("plain"), AdapterUse::Inference)
        .unwrap()
        .0
}

#[test]
fn broken_adapter_folders_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let message = || {
        load_adapter(base(), folder.path(), AdapterUse::Inference)
            .unwrap_err()
            .to_string()
    };
    assert!(message().contains("adapter_config.json"), "{}", message());
    let text = fs::read_to_string(fixture("plain/adapter_config.json")).unwrap();
    let config = folder.path().join("adapter_config.json");
    fs::write(&config, &text).unwrap();
    assert!(message().contains("adapter_model.safetensors"));
    let weights = fs::read(fixture("plain/adapter_model.safetensors")).unwrap();
    let path = folder.path().join("adapter_model.safetensors");
    fs::write(&path, &weights[..weights.len() - 9]).unwrap();
    let error = load_adapter(base(), folder.path(), AdapterUse::Inference).unwrap_err();
    assert!(matches!(error, PolicyError::Format { .. }), "{error}");
    fs::write(&path, &weights).unwrap();
    assert!(load_adapter(base(), folder.path(), AdapterUse::Inference).is_ok());
    fs::write(&config, text.replace("\"r\": 4", "\"r\": 5")).unwrap();
    assert!(
        message().contains("found [4, 16], expected [5, 16]"),
        "{}",
        message()
    );
    fs::write(
        &config,
        text.replace("\"use_dora\": false", "\"use_dora\": true"),
    )
    .unwrap();
    assert!(message().contains("use_dora is true"), "{}", message());
    fs::write(&config, "{}").unwrap();
    assert!(message().contains("peft_type"), "{}", message());
}

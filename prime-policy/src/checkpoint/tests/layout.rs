//! Shards, element types, side files: all forms of a folder hold the same model.

use std::collections::BTreeMap;
use std::fs;

use burn::tensor::{Device, bf16, f16};
use proptest::prelude::*;
use safetensors::SafeTensors;

use super::{config, decoder, files, scratch, values};
use crate::checkpoint::names::{INDEX, SINGLE};
use crate::checkpoint::{
    ModelFolder, SideFiles, WeightDtype, WeightFormat, load_weights, save_sharded, save_weights,
};
use crate::config::{DecoderConfig, Family};
use crate::tokenizer::Tokenizer;

fn format(max_shard_bytes: u64) -> WeightFormat {
    WeightFormat {
        max_shard_bytes,
        ..WeightFormat::default()
    }
}

#[test]
fn shards_together_hold_what_one_file_holds() {
    let model = decoder(false);
    let folder = scratch();
    let (one, many) = (folder.path().join("one"), folder.path().join("many"));
    save_sharded(&model, &one, &WeightFormat::default()).unwrap();
    save_sharded(&model, &many, &format(1000)).unwrap();
    assert_eq!(files(&one), [SINGLE.to_owned()].into());

    let whole = fs::read(one.join(SINGLE)).unwrap();
    let whole = SafeTensors::deserialize(&whole).unwrap();
    let index: serde_json::Value =
        serde_json::from_slice(&fs::read(many.join(INDEX)).unwrap()).unwrap();
    let map = index["weight_map"].as_object().unwrap();
    assert_eq!(map.len(), whole.len());
    let mut names: Vec<&str> = map.values().map(|name| name.as_str().unwrap()).collect();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() > 3);
    for (at, name) in names.iter().enumerate() {
        let expected = format!("model-{:05}-of-{:05}.safetensors", at + 1, names.len());
        assert_eq!(*name, expected);
        let bytes = fs::read(many.join(name)).unwrap();
        let shard = SafeTensors::deserialize(&bytes).unwrap();
        let size: usize = shard.iter().map(|(_, view)| view.data().len()).sum();
        assert!(size <= 1000 || shard.len() == 1);
        for (tensor, view) in shard.iter() {
            assert_eq!(map[tensor], *name);
            assert_eq!(view, whole.tensor(tensor).unwrap());
        }
    }
    let total: usize = whole.iter().map(|(_, view)| view.data().len()).sum();
    assert_eq!(index["metadata"]["total_size"], total);

    let fresh = || decoder(false);
    for path in [&one, &many, &one.join(SINGLE), &many.join(INDEX)] {
        assert_eq!(
            values(&load_weights(fresh(), path).unwrap()),
            values(&model)
        );
    }
    save_weights(&model, &folder.path().join("x.safetensors")).unwrap();
    let again = fs::read(folder.path().join("x.safetensors")).unwrap();
    assert_eq!(again, fs::read(one.join(SINGLE)).unwrap());
}

#[test]
fn a_linear_layer_is_stored_output_by_input_and_an_embedding_row_by_token() {
    let model = decoder(false);
    let folder = scratch();
    save_sharded(&model, folder.path(), &WeightFormat::default()).unwrap();
    let bytes = fs::read(folder.path().join(SINGLE)).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let values = values(&model);
    assert_eq!(file.len(), values.len());
    for (name, (shape, bits)) in values {
        let view = file.tensor(&name).unwrap();
        let stored: Vec<u32> = view
            .data()
            .chunks(4)
            .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
            .collect();
        if let &[input, output] = &shape[..]
            && name != "model.embed_tokens.weight"
        {
            assert_eq!(view.shape(), [output, input], "{name}");
            let expected: Vec<u32> = (0..output)
                .flat_map(|o| (0..input).map(move |i| i * output + o))
                .map(|at| bits[at])
                .collect();
            assert_eq!(stored, expected, "{name}");
        } else {
            assert_eq!((view.shape(), stored), (&shape[..], bits), "{name}");
        }
    }
}

#[test]
fn halves_are_rounded_once_and_read_exactly() {
    let model = decoder(true);
    for dtype in [WeightDtype::Bf16, WeightDtype::F16] {
        let folder = scratch();
        let format = WeightFormat {
            dtype,
            max_shard_bytes: 500,
        };
        save_sharded(&model, folder.path(), &format).unwrap();
        let loaded = values(&load_weights(decoder(true), folder.path()).unwrap());
        for (name, (shape, bits)) in values(&model) {
            let rounded: Vec<u32> = bits
                .into_iter()
                .map(f32::from_bits)
                .map(|value| match dtype {
                    WeightDtype::Bf16 => bf16::from_f32(value).to_f32(),
                    _ => f16::from_f32(value).to_f32(),
                })
                .map(f32::to_bits)
                .collect();
            assert_eq!(loaded[&name], (shape, rounded), "{name}");
        }
    }
}

fn folder(side_files: SideFiles) -> ModelFolder {
    let tokenizer = Tokenizer::characters("01+".chars()).unwrap();
    ModelFolder {
        config: config(true),
        model: decoder(true),
        tokenizer,
        side_files,
    }
}

#[test]
fn the_configuration_says_what_the_weights_are_stored_as() {
    let place = scratch();
    let saved = folder(SideFiles::default());
    for (dtype, name) in [
        (WeightDtype::Bf16, "bfloat16"),
        (WeightDtype::F16, "float16"),
        (WeightDtype::F32, "float32"),
    ] {
        let format = WeightFormat {
            dtype,
            ..WeightFormat::default()
        };
        saved.save_as(place.path(), &format).unwrap();
        let loaded = ModelFolder::load(place.path(), &Device::flex()).unwrap();
        assert_eq!(loaded.config.torch_dtype, name);
        let mut rest = loaded.config;
        rest.torch_dtype = saved.config.torch_dtype.clone();
        assert_eq!(rest, saved.config);
        let bytes = fs::read(place.path().join(SINGLE)).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        assert!(file.iter().all(|(_, view)| view.dtype() == dtype.stored()));
    }
}

#[test]
fn other_files_of_a_folder_survive_byte_by_byte() {
    let (from, to) = (scratch(), scratch());
    folder(SideFiles::default()).save(from.path()).unwrap();
    // Not what a serialiser would write: spacing, line ends and bytes that are no text must come through.
    let mut expected = BTreeMap::new();
    for (at, name) in SideFiles::NAMES.into_iter().enumerate() {
        let bytes = [b"{ \"a\" :\t1 }\r\n\xff".as_slice(), &[at as u8]].concat();
        fs::write(from.path().join(name), &bytes).unwrap();
        expected.insert(name, bytes);
    }
    fs::write(from.path().join("README.md"), "not carried").unwrap();
    let loaded = ModelFolder::load(from.path(), &Device::flex()).unwrap();
    for _ in 0..2 {
        loaded.save(to.path()).unwrap();
        for (name, bytes) in &expected {
            assert_eq!(fs::read(to.path().join(name)).unwrap(), *bytes, "{name}");
            assert_eq!(loaded.side_files.get(name), Some(&bytes[..]));
        }
    }
    assert_eq!(loaded.side_files.get("README.md"), None);
    assert!(!to.path().join("README.md").exists());
}

prop_compose! {
    fn shapes()(
        (heads, kv_heads) in prop_oneof![Just((1, 1)), Just((2, 1)), Just((3, 3)), Just((4, 2))],
        half_head in 1usize..4,
        vocab in 1usize..40,
        inner in 1usize..40,
        layers in 1usize..3,
        bias in any::<bool>(),
        tied in any::<bool>(),
    ) -> DecoderConfig {
        let mut config = DecoderConfig::new(vocab, 2 * half_head * heads, inner, layers, heads);
        config.num_key_value_heads = kv_heads;
        if !bias {
            config.family = Family::Llama;
            config.attention_bias = false;
        }
        config.tie_word_embeddings = tied;
        config
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn saving_and_loading_is_identity_also_over_an_earlier_save(
        config in shapes(),
        limits in proptest::collection::vec(0u64..20_000, 1..4),
    ) {
        let folder = scratch();
        for limit in limits {
            let model = config.init(&Device::flex()).unwrap();
            save_sharded(&model, folder.path(), &format(limit)).unwrap();
            let loaded = load_weights(config.init(&Device::flex()).unwrap(), folder.path()).unwrap();
            prop_assert_eq!(values(&loaded), values(&model));
            let mut found = files(folder.path());
            if !found.remove(SINGLE) {
                prop_assert!(found.remove(INDEX));
                let count = found.len();
                let shard = |number: usize| format!("model-{number:05}-of-{count:05}.safetensors");
                let whole = (1..=count).all(|number| found.remove(&shard(number)));
                prop_assert!(whole);
            }
            prop_assert!(found.is_empty(), "left behind: {:?}", found);
        }
    }
}

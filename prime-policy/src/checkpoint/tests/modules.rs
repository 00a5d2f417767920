//! Modules that are not plain decoders: tied heads, adapters, frozen or undrawn parameters, a user's own layers.

use burn::module::{Initializer, Lora, Module, Param, ParamId};
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig, LinearLayout};
use burn::tensor::{Device, Tensor};

use super::{config, decoder, values};
use crate::checkpoint::tensor_file::TensorFile;
use crate::checkpoint::walk::named_tensors;
use crate::checkpoint::write::{NamedTensor, write_tensors};
use crate::checkpoint::{WeightDtype, load_weights, save_weights};
use crate::parameters::any_trainable;

/// The tensors of a tied decoder and one more.
fn with(extra: NamedTensor<'static>, path: &std::path::Path) -> crate::Decoder {
    let model = decoder(true);
    let mut tensors = named_tensors(&model, path).unwrap();
    tensors.push(extra);
    write_tensors(path, &tensors, WeightDtype::F32).unwrap();
    model
}

fn embedding(model: &crate::Decoder) -> Vec<f32> {
    let bits = values(model)["model.embed_tokens.weight"].1.clone();
    bits.into_iter().map(f32::from_bits).collect()
}

fn head(shape: Vec<usize>, all: Vec<f32>) -> NamedTensor<'static> {
    let width = shape[1];
    NamedTensor::new("lm_head.weight", shape, move |rows| {
        Ok(all[rows.start * width..rows.end * width].to_vec())
    })
}

#[test]
fn a_tied_head_may_be_stored_if_it_is_the_embedding() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let model = decoder(true);
    let tensors = |head: NamedTensor<'static>| {
        let mut all = named_tensors(&model, &path).unwrap();
        all.push(head);
        write_tensors(&path, &all, WeightDtype::F32).unwrap();
        load_weights(decoder(true), &path)
    };
    let loaded = tensors(head(vec![7, 8], embedding(&model))).unwrap();
    assert_eq!(values(&loaded), values(&model));

    let mut other = embedding(&model);
    other[55] += 1.0;
    let error = tensors(head(vec![7, 8], other)).unwrap_err().to_string();
    let expected = "unexpected tensors [lm_head.weight (not equal to model.embed_tokens.weight: set \
                    tie_word_embeddings to false)]";
    assert!(error.contains(expected), "{error}");
    assert!(tensors(head(vec![8, 7], embedding(&model))).is_err());
}

/// Both are compared in parts, in the element type of the file.
#[test]
fn a_tied_head_is_compared_to_its_last_value() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let mut shape = config(true);
    shape.vocab_size = 40_000;
    let fresh = || shape.init(&Device::flex()).unwrap();
    let model = fresh();
    for dtype in [WeightDtype::F32, WeightDtype::Bf16] {
        let load = |change: f32| {
            let mut values = embedding(&model);
            *values.last_mut().unwrap() += change;
            let mut all = named_tensors(&model, &path).unwrap();
            all.push(head(vec![40_000, 8], values));
            write_tensors(&path, &all, dtype).unwrap();
            load_weights(fresh(), &path)
        };
        load(0.0).unwrap();
        let error = load(1.0).unwrap_err().to_string();
        assert!(error.contains("not equal to model.embed_tokens"), "{error}");
    }
}

#[test]
fn a_tied_model_may_be_stored_with_its_head_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let model = decoder(true);
    let mut tensors = named_tensors(&model, &path).unwrap();
    tensors.retain(|tensor| tensor.name != "model.embed_tokens.weight");
    tensors.push(head(vec![7, 8], embedding(&model)));
    write_tensors(&path, &tensors, WeightDtype::F32).unwrap();
    let loaded = load_weights(decoder(true), &path).unwrap();
    assert_eq!(values(&loaded), values(&model));
}

#[test]
fn rotary_frequencies_are_ignored_and_other_buffers_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let buffer = |name: &str| NamedTensor::new(name, vec![2], |rows| Ok(vec![0.0; rows.len()]));
    let model = with(
        buffer("model.layers.0.self_attn.rotary_emb.inv_freq"),
        &path,
    );
    let loaded = load_weights(decoder(true), &path).unwrap();
    assert_eq!(values(&loaded), values(&model));
    with(buffer("model.layers.0.self_attn.masked_bias"), &path);
    assert!(load_weights(decoder(true), &path).is_err());
}

#[test]
fn adapters_are_neither_dropped_nor_written_as_weights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let adapted = LinearConfig::new(3, 2)
        .init(&Device::flex())
        .apply_lora(Lora::new(1, 1.0));
    let expected = format!(
        "{}: the model has adapters on [weight], which a weights file has no place for; merge them first (burn's \
         Module::materialize), or load the weights before adapters are attached",
        path.display()
    );
    let error = save_weights(&adapted, &path).unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert!(!path.exists());
    let merged = adapted.clone().materialize();
    save_weights(&merged, &path).unwrap();
    let error = load_weights(adapted, &path).unwrap_err();
    assert_eq!(error.to_string(), expected);
    let plain = LinearConfig::new(3, 2).init(&Device::flex());
    let loaded = load_weights(plain, &path).unwrap();
    assert_eq!(values(&loaded), values(&merged));
}

#[derive(Module, Debug)]
struct Undrawn {
    matrix: Param<Tensor<2>>,
    vector: Param<Tensor<1>>,
}

#[test]
fn loading_draws_no_random_values() {
    fn undrawn<const D: usize>(shape: [usize; D]) -> Param<Tensor<D>> {
        let draw = |_: &Device, _: bool| -> Tensor<D> { panic!("drawn") };
        Param::uninitialized(ParamId::new(), draw, Device::flex(), true, shape.into())
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let saved = Undrawn {
        matrix: Initializer::Ones.init([2, 3], &Device::flex()),
        vector: Initializer::Zeros.init([4], &Device::flex()),
    };
    save_weights(&saved, &path).unwrap();
    let model = Undrawn {
        matrix: undrawn([2, 3]),
        vector: undrawn([4]),
    };
    let ids = (model.matrix.id, model.vector.id);
    let loaded = load_weights(model, &path).unwrap();
    assert_eq!(values(&loaded), values(&saved));
    assert_eq!((loaded.matrix.id, loaded.vector.id), ids);
}

#[test]
fn what_was_trained_is_trained_after_loading_and_what_was_frozen_stays_frozen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let plain = |device: &Device| LinearConfig::new(3, 2).init(device);
    save_weights(&plain(&Device::flex()), &path).unwrap();
    let device = Device::flex().autodiff();
    for drawn in [false, true] {
        let fresh = || {
            let layer = plain(&device);
            if drawn {
                values(&layer);
            }
            layer
        };
        assert!(any_trainable(&load_weights(fresh(), &path).unwrap()));
        let frozen = load_weights(fresh().set_require_grad(false), &path).unwrap();
        assert!(!any_trainable(&frozen));
        assert!(!any_trainable(&frozen.valid().train()));
        let valid = load_weights(fresh().valid(), &path).unwrap();
        assert!(!any_trainable(&valid));
        assert!(any_trainable(&valid.train()));
    }
}

#[derive(Module, Debug)]
struct Own {
    table: Embedding,
    row_layout: Linear,
    column_layout: Linear,
}

#[test]
fn layers_of_burn_are_stored_as_pytorch_stores_them_whatever_their_layout() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let device = Device::flex();
    let own = || Own {
        table: EmbeddingConfig::new(5, 3).init(&device),
        row_layout: LinearConfig::new(3, 4).init(&device),
        column_layout: LinearConfig::new(3, 4)
            .with_layout(LinearLayout::Col)
            .init(&device),
    };
    let saved = own();
    save_weights(&saved, &path).unwrap();
    let file = TensorFile::open(&path).unwrap();
    let shape = |name: &str| file.get(name).unwrap().shape.clone();
    assert_eq!(shape("table.weight"), [5, 3]);
    assert_eq!(shape("row_layout.weight"), [4, 3]);
    assert_eq!(shape("column_layout.weight"), [4, 3]);
    let drawn = own();
    values(&drawn);
    for model in [own(), drawn] {
        let loaded = load_weights(model, &path).unwrap();
        assert_eq!(values(&loaded), values(&saved));
        let x = Tensor::<2>::ones([2, 3], &device);
        let out = |model: &Own| model.column_layout.forward(x.clone()).into_data();
        out(&loaded).assert_eq(&out(&saved), true);
    }
}

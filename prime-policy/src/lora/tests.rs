//! Adapters against burn's dense composition, the base's tensors against each other, and folders.

use burn::backend::Flex;
use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData, Tolerance};

use super::attach::{Factors, attach, factors};
use super::*;
use crate::decoder::project;
use crate::{
    CausalLm, Decoder, DecoderConfig, GenerationRequest, OptimizerConfig, PolicyError, SampleKey,
    SamplingConfig, Sequence, generate, log_probs,
};

fn normal<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Device::flex())
}

/// Numbers that are a function of `seed` only.
fn numbers(seed: u64, n: usize) -> Vec<f32> {
    let key = SampleKey::new(seed, 0, 0, 0);
    (0..n).map(|i| key.uniform(i as u64) as f32 - 0.5).collect()
}

fn decoder() -> Decoder {
    let device = Device::flex().autodiff();
    let mut config = DecoderConfig::new(23, 24, 40, 2, 4);
    config.num_key_value_heads = 2;
    config.initializer_range = 0.3;
    let model = config.init(&device).unwrap();
    // Weights are drawn when they are first read.
    model.hidden(Tensor::<2, Int>::zeros([1, 1], &Device::flex()));
    model
}

/// `model` with adapters of rank 3 whose B is not 0.
fn adapted(model: Decoder, targets: TargetModules, scale: f64) -> Decoder {
    let layers = linear_layers(&model);
    let chosen = targets.choose(&layers).unwrap();
    let pairs = chosen.into_iter().map(|at| {
        let layer = &layers[at];
        let pair = Factors {
            a: numbers(2 * at as u64, layer.input * 3),
            b: numbers(2 * at as u64 + 1, layer.output * 3),
        };
        (layer.name.clone(), pair)
    });
    attach(model, pairs.collect(), 3, scale).unwrap()
}

fn names(list: &[&str]) -> TargetModules {
    TargetModules::Names(list.iter().map(|&name| name.to_owned()).collect())
}

fn numbers_of(data: TensorData) -> Vec<f32> {
    data.iter::<f32>().collect()
}

fn logits(model: &Decoder) -> TensorData {
    let ids = Tensor::<1, Int>::from_data([1i32, 7, 3, 20, 11, 5], &Device::flex());
    let model = model.valid();
    let hidden = model.hidden(ids.reshape([2, 3]));
    model.logits(hidden.reshape([6, 24])).into_data()
}

#[test]
fn a_projection_equals_the_dense_composition_with_its_gradients() {
    let device = Device::flex().autodiff();
    for (rows, input, output, rank, bias) in [
        (1, 1, 1, 1, false),
        (5, 8, 12, 2, true),
        (17, 33, 7, 4, false),
        (2, 16, 16, 16, true),
    ] {
        let layer = LinearConfig::new(input, output)
            .with_bias(bias)
            .init(&device);
        #[derive(Module, Debug)]
        struct Holder {
            linear: Linear,
        }
        let pair = Factors {
            a: numbers(1, input * rank),
            b: numbers(2, rank * output),
        };
        let one = [("linear".to_owned(), pair)].into_iter().collect();
        let layer = attach(Holder { linear: layer }, one, rank, 1.7)
            .unwrap()
            .linear;
        let x = normal([rows, input]);
        let weighting = Tensor::from_inner(normal([rows, output]));
        let run = |f: &dyn Fn(Tensor<2>) -> Tensor<2>| {
            let leaf = Tensor::from_inner(x.clone()).require_grad();
            let out = f(leaf.clone());
            let value = out.clone().inner().into_data();
            let grads = (out * weighting.clone()).sum().backward();
            let adapter = layer.weight.adapter().unwrap();
            assert!(layer.weight.base().grad(&grads).is_none());
            let of = [&leaf, &adapter.a.val(), &adapter.b.val()]
                .map(|tensor| tensor.grad(&grads).unwrap().into_data());
            [&[value][..], &of].concat()
        };
        let apart = run(&|x| project(&layer, x));
        let dense = run(&|x| layer.forward(x));
        for (apart, dense) in apart.iter().zip(&dense) {
            apart.assert_approx_eq::<f32>(dense, Tolerance::absolute(2e-5));
        }
    }
}

#[test]
fn a_fresh_adapter_changes_no_bit() {
    let base = decoder();
    let model = LoraConfig::new(4, 8.0).attach(base.clone(), 3).unwrap();
    assert!(has_adapters(&model) && !has_adapters(&base));
    logits(&model).assert_eq(&logits(&base), true);
    let other = adapted(base.clone(), TargetModules::AllLinear, 1.0);
    assert_ne!(numbers_of(logits(&other)), numbers_of(logits(&base)));
}

#[test]
fn a_merged_model_computes_the_same() {
    for targets in [
        TargetModules::AllLinear,
        names(&["q_proj", "layers.1.mlp.down_proj"]),
    ] {
        let model = adapted(decoder(), targets, 0.5);
        let merged = model.clone().materialize();
        assert!(!has_adapters(&merged));
        logits(&merged).assert_approx_eq::<f32>(&logits(&model), Tolerance::absolute(2e-5));
    }
}

#[test]
fn sampling_with_a_cache_equals_the_trainer() {
    let model = adapted(decoder(), TargetModules::AllLinear, 0.7);
    let sampling = SamplingConfig {
        max_new_tokens: 12,
        ..SamplingConfig::default()
    };
    let prompts: [&[u32]; 2] = [&[1, 5, 9], &[4]];
    let request = GenerationRequest {
        samples: 2,
        stop: &[22],
        seed: 1,
        rows_per_batch: 4,
        ..GenerationRequest::new(&prompts, &sampling)
    };
    let groups = generate(&model, &request).unwrap();
    for (prompt, group) in prompts.iter().zip(groups) {
        for response in group {
            let sequence = Sequence {
                prompt,
                response: &response.tokens,
            };
            let trainer = log_probs(&model, &[sequence], 1.0, 1, 1).unwrap();
            for (a, b) in response.log_probs.iter().zip(&trainer[0]) {
                assert!((a - b).abs() < 2e-5, "{a} {b}");
            }
        }
    }
}

/// Where the values of every parameter lie in memory, adapters left out.
fn addresses<M: Module>(model: &M) -> Vec<usize> {
    struct Walk {
        depth: usize,
        found: Vec<usize>,
    }
    impl ModuleVisitor for Walk {
        fn enter_module(&mut self, _: &str, container: &str) {
            self.depth += usize::from(container == "Reparameterization");
        }
        fn exit_module(&mut self, _: &str, container: &str) {
            self.depth -= usize::from(container == "Reparameterization");
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.depth == 0 {
                let plain = param.base().inner().try_into_primitive::<Flex>().unwrap();
                self.found.push(plain.storage::<f32>().as_ptr() as usize);
            }
        }
    }
    let mut walk = Walk {
        depth: 0,
        found: vec![],
    };
    model.visit(&mut walk);
    walk.found
}

#[test]
fn everything_shares_one_base() {
    let base = decoder();
    let there = addresses(&base);
    assert!(there.len() > 20);
    let lora = LoraConfig::new(2, 4.0);
    let policy = lora.attach(base.clone(), 1).unwrap();
    let prm = lora.attach(base.clone(), 2).unwrap();
    let device = policy.devices()[0].clone();
    assert_eq!(addresses(&policy), there, "attach");
    assert_eq!(addresses(&prm), there, "attach again");
    assert_eq!(addresses(&policy.clone().fork(&device)), there, "fork");
    assert_eq!(addresses(&policy.valid()), there, "valid");
    let stepped = step(&mut OptimizerConfig::default().init(), policy.clone(), 1.0);
    assert_eq!(addresses(&stepped), there, "an optimiser step");
    // What is shared is not written to.
    logits(&policy).assert_eq(&logits(&base), true);
    assert_ne!(numbers_of(logits(&stepped)), numbers_of(logits(&base)));
}

/// One optimiser step on a loss that depends on `number`.
fn step(optimizer: &mut crate::Optimizer, model: Decoder, number: f32) -> Decoder {
    let ids = Tensor::<2, Int>::from_data([[1i32, 7, 3, 20]], &Device::flex());
    let loss = (model.hidden(ids) - number).powi_scalar(2).sum();
    let gradients = GradientsParams::from_grads(loss.backward(), &model);
    optimizer.step(model, gradients, 0.05).unwrap().0
}

#[test]
fn only_adapters_have_gradients_and_moments_and_both_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let lora = LoraConfig {
        target_modules: names(&["q_proj", "down_proj"]),
        ..LoraConfig::new(3, 6.0)
    };
    let base = decoder();
    let model = lora.attach(base.clone(), 5).unwrap();
    let ids = Tensor::<2, Int>::from_data([[1i32, 7, 3, 20]], &Device::flex());
    let loss = model.hidden(ids).powi_scalar(2).sum();
    let gradients = GradientsParams::from_grads(loss.backward(), &model);
    assert_eq!(
        gradients.len(),
        2 * 2 * 2,
        "A and B of two layers in each of two blocks"
    );

    let mut optimizer = OptimizerConfig::default().init();
    let mut model = model;
    for number in 0..3 {
        model = step(&mut optimizer, model, number as f32);
    }
    let state = folder.path().join("optimizer.bin");
    optimizer.save(&model, &state).unwrap();
    save_adapter(&model, &lora, "base", folder.path()).unwrap();
    let trained: usize = factors(&model)
        .values()
        .map(|f| f.a.len() + f.b.len())
        .sum();
    let size = std::fs::metadata(&state).unwrap().len() as usize;
    assert!(
        size < 2 * 4 * trained + 8192,
        "two f32 moments of {trained} numbers take {size} bytes"
    );
    let unbroken = step(&mut optimizer, model, 9.0);

    let (anew, read) = load_adapter(base, folder.path(), AdapterUse::Training).unwrap();
    assert_eq!(read, lora);
    let (mut optimizer, anew) = OptimizerConfig::default()
        .init()
        .load(anew, &state)
        .unwrap();
    let resumed = step(&mut optimizer, anew, 9.0);
    assert_eq!(factors(&unbroken), factors(&resumed));
}

#[test]
fn fresh_factors_depend_on_seed_and_layer_only() {
    let base = decoder();
    let of = |targets, seed| {
        let lora = LoraConfig {
            target_modules: targets,
            ..LoraConfig::new(2, 4.0)
        };
        factors(&lora.attach(base.clone(), seed).unwrap())
    };
    let all = of(TargetModules::AllLinear, 7);
    assert_eq!(
        all.len(),
        14,
        "seven projections in each of two blocks, no head"
    );
    let some = of(names(&["v_proj"]), 7);
    assert_eq!(some.len(), 2);
    for (name, pair) in &some {
        assert_eq!(pair, &all[name]);
    }
    assert_ne!(all, of(TargetModules::AllLinear, 8));
    let first = &all["model.layers.0.mlp.down_proj"];
    assert_ne!(first.a, all["model.layers.1.mlp.down_proj"].a);
    let bound = 40f32.powf(-0.5);
    let largest = first.a.iter().fold(0f32, |top, a| top.max(a.abs()));
    assert!(
        largest <= bound && largest > 0.9 * bound,
        "{largest} {bound}"
    );
    assert!(first.b.iter().all(|&b| b == 0.0));
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let refused = |lora: LoraConfig, model: Decoder| match lora.attach(model, 0) {
        Err(PolicyError::Lora(message)) => message,
        other => panic!("{other:?}"),
    };
    let targets = |list: &[&str]| LoraConfig {
        target_modules: names(list),
        ..LoraConfig::new(2, 4.0)
    };
    let message = refused(targets(&["q_proj", "qproj"]), decoder());
    assert_eq!(
        message,
        "target_modules: no layer is called \"qproj\"; there are down_proj, gate_proj, k_proj, o_proj, q_proj, \
         up_proj, v_proj (or \"all-linear\")"
    );
    // Half a name is no name, and the head is not adapted.
    assert!(refused(targets(&["proj"]), decoder()).contains("\"proj\""));
    assert!(refused(targets(&["lm_head"]), decoder()).contains("lm_head"));
    assert!(refused(targets(&[]), decoder()).contains("empty list"));
    assert!(refused(LoraConfig::new(0, 4.0), decoder()).contains("rank is 0"));
    assert!(refused(LoraConfig::new(2, f64::NAN), decoder()).contains("alpha is NaN"));
    let twice = adapted(decoder(), TargetModules::AllLinear, 1.0);
    assert!(refused(LoraConfig::new(2, 4.0), twice).contains("adapters already"));
}

#[test]
fn a_saved_adapter_is_the_same_adapter() {
    let folder = tempfile::tempdir().unwrap();
    let base = decoder();
    for use_rslora in [false, true] {
        let lora = LoraConfig {
            use_rslora,
            target_modules: names(&["k_proj", "up_proj"]),
            ..LoraConfig::new(3, 5.0)
        };
        let model = adapted(base.clone(), lora.target_modules.clone(), lora.scale());
        save_adapter(&model, &lora, "somewhere", folder.path()).unwrap();
        let (loaded, read) =
            load_adapter(base.clone(), folder.path(), AdapterUse::Training).unwrap();
        assert_eq!(read, lora);
        logits(&loaded).assert_eq(&logits(&model), true);
        assert!(crate::any_trainable(&loaded));
    }
    let model = adapted(base.clone(), names(&["k_proj"]), 1.0);
    let other = LoraConfig {
        target_modules: names(&["q_proj"]),
        ..LoraConfig::new(3, 5.0)
    };
    let error = save_adapter(&model, &other, "x", folder.path()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("q_proj has no adapter of rank 3"),
        "{error}"
    );
    let rank = LoraConfig {
        target_modules: names(&["k_proj"]),
        ..LoraConfig::new(2, 5.0)
    };
    assert!(save_adapter(&model, &rank, "x", folder.path()).is_err());
    let more = adapted(base, names(&["k_proj", "q_proj"]), 1.0);
    let error = save_adapter(&more, &other, "x", folder.path()).unwrap_err();
    assert!(
        error.to_string().contains("k_proj has an adapter"),
        "{error}"
    );
}

#[test]
fn dropout_is_kept_for_inference_and_refused_for_training() {
    let folder = tempfile::tempdir().unwrap();
    let base = decoder();
    let lora = LoraConfig {
        target_modules: names(&["k_proj"]),
        dropout: 0.1,
        ..LoraConfig::new(3, 5.0)
    };
    let model = adapted(base.clone(), lora.target_modules.clone(), lora.scale());
    save_adapter(&model, &lora, "somewhere", folder.path()).unwrap();
    let path = folder.path().join("adapter_config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"lora_dropout\": 0.1"), "{text}");

    let (loaded, read) = load_adapter(base.clone(), folder.path(), AdapterUse::Inference).unwrap();
    assert_eq!(read, lora);
    logits(&loaded).assert_eq(&logits(&model), true);
    let again = folder.path().join("again");
    save_adapter(&loaded, &read, "somewhere", &again).unwrap();
    let written = std::fs::read_to_string(again.join("adapter_config.json")).unwrap();
    assert_eq!(written, text);

    let error = load_adapter(base.clone(), folder.path(), AdapterUse::Training).unwrap_err();
    assert!(matches!(error, PolicyError::Format { .. }), "{error}");
    let message = error.to_string();
    for part in ["adapter_config.json", "lora_dropout is 0.1", "set it to 0"] {
        assert!(message.contains(part), "{message} lacks {part}");
    }
    let error = AdapterFolder::load(folder.path(), &Device::flex(), AdapterUse::Training);
    let message = error.unwrap_err().to_string();
    assert!(message.contains("lora_dropout is 0.1"), "{message}");
    let error = lora.attach(base.clone(), 0).unwrap_err().to_string();
    assert!(error.contains("lora_dropout is 0.1"), "{error}");
    std::fs::write(&path, text.replace("0.1", "0.0")).unwrap();
    let (_, read) = load_adapter(base, folder.path(), AdapterUse::Training).unwrap();
    assert_eq!(read.dropout, 0.0);
}

#[test]
fn an_adapter_of_another_model_names_every_misfit() {
    let folder = tempfile::tempdir().unwrap();
    let lora = LoraConfig::new(3, 5.0);
    let model = adapted(decoder(), TargetModules::AllLinear, lora.scale());
    save_adapter(&model, &lora, "x", folder.path()).unwrap();
    let other = DecoderConfig::new(23, 24, 32, 3, 4)
        .init(&Device::flex())
        .unwrap();
    let error = load_adapter(other, folder.path(), AdapterUse::Training).unwrap_err();
    let PolicyError::WeightsMismatch {
        missing,
        mis_shaped,
        unexpected,
        ..
    } = &error
    else {
        panic!("{error}")
    };
    let missed = "base_model.model.model.layers.2.mlp.up_proj.lora_B.weight";
    assert!(missing.iter().any(|name| name == missed), "{missing:?}");
    assert!(unexpected.is_empty());
    let shape = "model.layers.0.mlp.up_proj.lora_B.weight: found [40, 3], expected [32, 3]";
    assert!(
        mis_shaped.iter().any(|m| m.ends_with(shape)),
        "{mis_shaped:?}"
    );
    let small = DecoderConfig::new(23, 24, 40, 1, 4)
        .init(&Device::flex())
        .unwrap();
    let error = load_adapter(small, folder.path(), AdapterUse::Training)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("unexpected tensors [base_model.model.model.layers.1"),
        "{error}"
    );
}

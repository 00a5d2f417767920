//! Every family against `transformers`: the models that `fixtures/make_models.py` has made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Int, Tensor, TensorData, activation};
use prime_policy::{
    CausalLm, Decoder, DecoderConfig, Family, LayerType, RopeScaling, Yarn, load_weights,
};
use serde::Deserialize;

const TOLERANCE: f32 = 1e-4;

/// All folders under `fixtures/families`; a missing one fails, and so does one that is not listed.
const FIXTURES: [&str; 10] = [
    "llama3",
    "llama_biases_linear",
    "llama_yarn_mscale",
    "mistral",
    "mistral_full_yarn",
    "qwen2",
    "qwen2_windows",
    "qwen2_yarn",
    "qwen3",
    "qwen3_bias_layers",
];

#[derive(Deserialize)]
struct Expected {
    sequences: Vec<Vec<u32>>,
    /// Per sequence: position to logits.
    logits: Vec<BTreeMap<usize, Vec<f32>>>,
    greedy: Vec<Vec<u32>>,
    /// Per parameter: norm of the gradient of the mean next-token loss on the first sequence.
    gradients: BTreeMap<String, f32>,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/families")
        .join(name)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn config(name: &str) -> DecoderConfig {
    let path = folder(name).join("config.json");
    DecoderConfig::from_json(&read(&path), &path).unwrap_or_else(|error| panic!("{error}"))
}

fn expected(name: &str) -> Expected {
    serde_json::from_str(&read(&folder(name).join("expected.json"))).unwrap()
}

fn model(name: &str, config: &DecoderConfig, device: &Device) -> Decoder {
    let fresh = config.init(device).unwrap();
    load_weights(fresh, &folder(name).join("model.safetensors")).unwrap()
}

/// The fused kernels, and the composed operations that every other backend runs.
fn devices() -> [(&'static str, Device); 2] {
    let composed = Device::flex().autodiff().gradient_checkpointing();
    [("fused", Device::flex()), ("composed", composed)]
}

fn ids<const D: usize>(ids: Vec<u32>, shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    let ids: Vec<i32> = ids.into_iter().map(|id| id as i32).collect();
    Tensor::from_data(TensorData::new(ids, shape), device)
}

/// Right-padded with token 0 to the longest.
fn padded(sequences: &[Vec<u32>], device: &Device) -> Tensor<2, Int> {
    let time = sequences.iter().map(Vec::len).max().unwrap();
    let rows = sequences.iter().flat_map(|tokens| {
        let filling = std::iter::repeat_n(0, time - tokens.len());
        tokens.iter().copied().chain(filling)
    });
    ids(rows.collect(), [sequences.len(), time], device)
}

fn rows(logits: Tensor<2>) -> Vec<Vec<f32>> {
    let vocab = logits.dims()[1];
    let values: Vec<f32> = logits.into_data().iter::<f32>().collect();
    values.chunks(vocab).map(<[f32]>::to_vec).collect()
}

/// Logits at every position: sequence, position, vocabulary.
fn full_forward(model: &Decoder, sequences: &[Vec<u32>], device: &Device) -> Vec<Vec<Vec<f32>>> {
    let hidden = model.hidden(padded(sequences, device));
    let [batch, time, width] = hidden.dims();
    let all = rows(model.logits(hidden.reshape([batch * time, width])));
    all.chunks(time).map(<[Vec<f32>]>::to_vec).collect()
}

/// The same through a prefill of the first tokens and one decode step for every other token.
fn step_by_step(model: &Decoder, tokens: &[u32], prompt: usize, device: &Device) -> Vec<Vec<f32>> {
    let first = ids(tokens[..prompt].to_vec(), [1, prompt], device);
    let (hidden, mut cache) = model.prefill(first, &[prompt], tokens.len());
    let mut out = rows(model.logits(hidden));
    for &token in &tokens[prompt..] {
        let hidden = model.decode(ids(vec![token], [1], device), &mut cache);
        out.extend(rows(model.logits(hidden)));
    }
    out
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let worst = |worst: f32, (x, y): (&f32, &f32)| worst.max((x - y).abs());
    a.iter().zip(b).fold(0.0, worst)
}

fn argmax(logits: &[f32]) -> u32 {
    let best = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    best.unwrap() as u32
}

#[test]
fn the_fixtures_are_those_listed() {
    let parent = folder("");
    let mut found: Vec<String> = std::fs::read_dir(&parent)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, FIXTURES);
    for family in Family::ALL {
        let covered = FIXTURES.map(config).iter().any(|c| c.family == family);
        assert!(covered, "no fixture of {family:?}");
    }
}

#[test]
fn a_full_forward_has_the_logits_of_transformers() {
    for name in FIXTURES {
        let (config, expected) = (config(name), expected(name));
        for (kernels, device) in devices() {
            let model = model(name, &config, &device);
            let ours = full_forward(&model, &expected.sequences, &device);
            for (row, wanted) in expected.logits.iter().enumerate() {
                assert!(wanted.len() >= 4, "{name}: too few positions");
                for (&at, wanted) in wanted {
                    let off = distance(&ours[row][at], wanted);
                    assert!(
                        off < TOLERANCE,
                        "{name} {kernels} row {row} position {at}: off by {off}"
                    );
                }
            }
        }
    }
}

#[test]
fn prefill_and_decode_have_the_logits_of_transformers() {
    for name in FIXTURES {
        let (config, expected) = (config(name), expected(name));
        for (kernels, device) in devices() {
            let model = model(name, &config, &device);
            for (tokens, wanted) in expected.sequences.iter().zip(&expected.logits) {
                for prompt in [1, tokens.len() / 2, tokens.len()] {
                    let ours = step_by_step(&model, tokens, prompt, &device);
                    for (&at, wanted) in wanted.range(prompt - 1..) {
                        let off = distance(&ours[at + 1 - prompt], wanted);
                        assert!(
                            off < TOLERANCE,
                            "{name} {kernels} prompt {prompt} position {at}: off by {off}"
                        );
                    }
                }
            }
        }
    }
}

/// Norms of the gradients of a module's parameters, by name.
struct Norms<'a> {
    path: Vec<String>,
    gradients: &'a Gradients,
    norms: BTreeMap<String, f32>,
}

impl ModuleVisitor for Norms<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }
    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.gradients) {
            let norm = gradient.square().sum().sqrt().into_scalar::<f32>();
            self.norms.insert(self.path.join("."), norm);
        }
    }
}

#[test]
fn gradients_are_those_of_torch() {
    for name in FIXTURES {
        let (config, expected) = (config(name), expected(name));
        let tokens = &expected.sequences[0];
        let last = tokens.len() - 1;
        let device = Device::flex().autodiff();
        let model = model(name, &config, &device);
        let hidden = model.hidden(ids(tokens[..last].to_vec(), [1, last], &device));
        let logits = model.logits(hidden.reshape([last, config.hidden_size]));
        let next = ids(tokens[1..].to_vec(), [last, 1], &device);
        let loss = activation::log_softmax(logits, 1)
            .gather(1, next)
            .mean()
            .neg();
        let mut visitor = Norms {
            path: vec![],
            gradients: &loss.backward(),
            norms: BTreeMap::new(),
        };
        model.visit(&mut visitor);
        let names = |norms: &BTreeMap<String, f32>| norms.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&visitor.norms), names(&expected.gradients), "{name}");
        for (parameter, wanted) in &expected.gradients {
            let ours = visitor.norms[parameter];
            let off = (ours - wanted).abs();
            assert!(
                off < TOLERANCE * wanted.max(1.0),
                "{name} {parameter}: {ours}, torch has {wanted}"
            );
        }
    }
}

#[test]
fn a_greedy_continuation_is_that_of_transformers() {
    for name in FIXTURES {
        let (config, expected) = (config(name), expected(name));
        for (kernels, device) in devices() {
            let model = model(name, &config, &device);
            let lengths: Vec<usize> = expected.sequences.iter().map(Vec::len).collect();
            let steps = expected.greedy[0].len();
            assert_eq!(steps, 64, "{name}");
            let capacity = lengths.iter().max().unwrap() + steps;
            let tokens = padded(&expected.sequences, &device);
            let (mut hidden, mut cache) = model.prefill(tokens, &lengths, capacity);
            let mut ours = vec![vec![]; lengths.len()];
            for _ in 0..steps {
                let next: Vec<u32> = rows(model.logits(hidden))
                    .iter()
                    .map(|l| argmax(l))
                    .collect();
                for (row, &token) in ours.iter_mut().zip(&next) {
                    row.push(token);
                }
                hidden = model.decode(ids(next, [lengths.len()], &device), &mut cache);
            }
            assert_eq!(ours, expected.greedy, "{name} {kernels}");
        }
    }
}

/// A fixture proves nothing about a field that could be read wrongly without a trace.
#[test]
fn every_detail_of_a_fixture_shows_in_its_logits() {
    type Change = fn(&mut DecoderConfig);
    fn yarn(config: &mut DecoderConfig) -> &mut Yarn {
        match &mut config.rope_scaling {
            Some(RopeScaling::Yarn(yarn)) => yarn,
            other => panic!("{other:?} is not yarn"),
        }
    }
    let cases: [(&str, &str, Change); 24] = [
        ("qwen2", "rope_theta", |c| c.rope_theta = 1e4),
        ("qwen2_windows", "use_sliding_window", |c| {
            c.use_sliding_window = false;
            c.layer_types = None;
        }),
        ("qwen2_windows", "sliding_window + 1", |c| {
            c.sliding_window = c.sliding_window.map(|w| w + 1);
        }),
        ("qwen2_windows", "max_window_layers", |c| {
            c.layer_types = None;
            c.max_window_layers = 2;
        }),
        ("qwen2_yarn", "rope_scaling", |c| c.rope_scaling = None),
        ("qwen2_yarn", "factor", |c| yarn(c).factor = 5.0),
        ("qwen2_yarn", "attention_factor", |c| {
            yarn(c).attention_factor = Some(1.0);
        }),
        ("qwen2_yarn", "original_max_position_embeddings", |c| {
            yarn(c).original_max_position_embeddings = 512;
        }),
        ("qwen3", "rms_norm_eps", |c| c.rms_norm_eps = 1e-2),
        ("qwen3", "rope_theta", |c| c.rope_theta = 1e4),
        ("qwen3_bias_layers", "layer_types", |c| {
            let types = c.layer_types.as_mut().unwrap();
            types[1] = LayerType::Sliding;
        }),
        ("llama3", "rope_scaling", |c| c.rope_scaling = None),
        ("llama3", "kind of rope_scaling", |c| {
            c.rope_scaling = Some(RopeScaling::Linear { factor: 8.0 });
        }),
        ("llama3", "low_freq_factor", |c| match &mut c.rope_scaling {
            Some(RopeScaling::Llama3 {
                low_freq_factor, ..
            }) => *low_freq_factor = 2.0,
            other => panic!("{other:?} is not llama3"),
        }),
        ("llama3", "high_freq_factor", |c| {
            match &mut c.rope_scaling {
                Some(RopeScaling::Llama3 {
                    high_freq_factor, ..
                }) => *high_freq_factor = 3.0,
                other => panic!("{other:?} is not llama3"),
            }
        }),
        ("llama_biases_linear", "rope_scaling", |c| {
            c.rope_scaling = None;
        }),
        ("llama_yarn_mscale", "mscale", |c| {
            yarn(c).mscale = Some(1.5)
        }),
        ("llama_yarn_mscale", "mscale_all_dim", |c| {
            yarn(c).mscale_all_dim = None;
        }),
        ("llama_yarn_mscale", "beta_fast", |c| {
            yarn(c).beta_fast = 32.0
        }),
        ("llama_yarn_mscale", "beta_slow", |c| {
            yarn(c).beta_slow = 1.0
        }),
        ("llama_yarn_mscale", "truncate", |c| yarn(c).truncate = true),
        ("mistral", "sliding_window", |c| c.sliding_window = None),
        ("mistral", "sliding_window - 1", |c| {
            c.sliding_window = c.sliding_window.map(|w| w - 1);
        }),
        ("mistral_full_yarn", "attention_factor", |c| {
            yarn(c).attention_factor = None;
        }),
    ];
    let device = Device::flex();
    for (name, field, change) in cases {
        let (mut changed, expected) = (config(name), expected(name));
        change(&mut changed);
        let model = model(name, &changed, &device);
        let ours = full_forward(&model, &expected.sequences, &device);
        let moved = expected
            .logits
            .iter()
            .zip(&ours)
            .flat_map(|(wanted, ours)| {
                let rows = wanted.iter();
                rows.map(|(&at, wanted)| distance(&ours[at], wanted))
            });
        let moved = moved.fold(0.0, f32::max);
        assert!(
            moved > 20.0 * TOLERANCE,
            "{name} does not notice {field}: {moved}"
        );
    }
}

#[test]
fn a_config_is_written_back_with_the_same_meaning() {
    for name in FIXTURES {
        let read = config(name);
        let text = read.to_json().unwrap();
        let again = DecoderConfig::from_json(&text, Path::new("written")).unwrap();
        assert_eq!(read, again, "{name}");
    }
}

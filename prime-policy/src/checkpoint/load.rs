//! From files into a module.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;

use super::element::WeightDtype;
use super::names::{EMBEDDING, HEAD, is_derived};
use super::stored::StoredWeights;
use super::tensor_file::{CHUNK, unreadable};
use super::walk::{Expected, Place, Replaceable, expected};
use crate::error::PolicyError;

/// Replaces all float parameters of `model` by tensors of the same names: those of a `safetensors` file, of an index
/// with its shards (`path` ends in `.json`), or of the one of the two that a model folder has.
///
/// Elements are f32, f16 or bf16 and become the device's float type. The matrix of a linear layer is transposed from
/// `[out, in]`. Tensors are read one at a time into their place, and the random values of a freshly built model are never
/// drawn, so the peak of memory is the model and a few MB. A tied model may come with its head, `lm_head.weight`, if that
/// equals the embedding, or with the head alone; rotary frequencies (`rotary_emb.inv_freq`) are ignored.
///
/// # Errors
/// [`PolicyError::Io`] or [`PolicyError::Format`] for files that cannot be read;
/// [`PolicyError::WeightsMismatch`] with every tensor that is missing, unexpected, of another shape or of another element
/// type; [`PolicyError::AdaptersAttached`] when the model has adapters, under which a weight is not what is stored.
pub fn load_weights<M: Module>(model: M, path: &Path) -> Result<M, PolicyError> {
    let stored = StoredWeights::open(path)?;
    let sources = sources(&expected(&model, path)?, &stored)?;
    let mut fill = Fill {
        place: Place::default(),
        stored: &stored,
        sources,
        error: None,
    };
    let model = model.map(&mut fill);
    fill.error.map_or(Ok(model), Err)
}

/// Which stored tensor each parameter comes from, if all of them fit.
fn sources(
    parameters: &[Expected],
    stored: &StoredWeights,
) -> Result<BTreeMap<String, String>, PolicyError> {
    let own: BTreeSet<&str> = parameters.iter().map(|p| p.name.as_str()).collect();
    let tied = own.contains(EMBEDDING) && !own.contains(HEAD);
    let mut sources = BTreeMap::new();
    let (mut missing, mut mis_shaped) = (vec![], vec![]);
    for Expected { name, shape } in parameters {
        let head_alone = tied && name == EMBEDDING && stored.get(EMBEDDING).is_none();
        let source = if head_alone { HEAD } else { name };
        let Some((found, _)) = stored.get(source) else {
            missing.push(name.clone());
            continue;
        };
        if found.shape != *shape {
            mis_shaped.push(format!(
                "{source}: found {:?}, expected {shape:?}",
                found.shape
            ));
        }
        if WeightDtype::from_stored(found.dtype).is_none() {
            mis_shaped.push(unreadable(source, found.dtype));
        }
        sources.insert(name.clone(), source.to_owned());
    }
    let used: BTreeSet<&str> = sources.values().map(String::as_str).collect();
    let mut unexpected: Vec<String> = stored
        .names()
        .filter(|name| !used.contains(name) && !is_derived(name))
        .map(str::to_owned)
        .collect();
    let fits = missing.is_empty() && mis_shaped.is_empty();
    if tied && fits && unexpected == [HEAD] {
        if equal(stored, HEAD, EMBEDDING)? {
            unexpected.clear();
        } else {
            unexpected = vec![format!(
                "{HEAD} (not equal to {EMBEDDING}: set tie_word_embeddings to false)"
            )];
        }
    }
    if fits && unexpected.is_empty() {
        return Ok(sources);
    }
    if let Some(error) = quantised(stored, &missing, &unexpected, &mis_shaped) {
        return Err(error);
    }
    Err(PolicyError::WeightsMismatch {
        path: stored.path.clone(),
        missing,
        unexpected,
        mis_shaped,
    })
}

/// The error for a checkpoint whose weights are quantised: it has tensors that only such a one has, or nothing is wrong
/// with it but element types of few bits.
fn quantised(
    stored: &StoredWeights,
    missing: &[String],
    unexpected: &[String],
    mis_shaped: &[String],
) -> Option<PolicyError> {
    const MARKS: [&str; 14] = [
        ".qweight",
        ".qzeros",
        ".scales",
        ".weight_packed",
        ".weight_scale",
        ".weight_scale_inv",
        ".weight.absmax",
        ".weight.quant_map",
        ".SCB",
        ".W_q",
        "._packed_params",
        ".weight_zero_point",
        ".weight._data",
        ".weight.quant_state.bitsandbytes__nf4",
    ];
    let marked = |name: &&String| MARKS.iter().any(|mark| name.ends_with(mark));
    let of_few_bits = |name: &&str| {
        let dtype = stored.get(name).map(|(tensor, _)| tensor.dtype);
        dtype.is_some_and(|dtype| WeightDtype::from_stored(dtype).is_none() && dtype.bitsize() < 64)
    };
    let strange: Vec<&str> = stored.names().filter(of_few_bits).collect();
    let only_types =
        missing.is_empty() && unexpected.is_empty() && mis_shaped.len() == strange.len();
    let mark = unexpected.iter().find(marked).map(String::as_str);
    let first = mark.or(strange.first().copied().filter(|_| only_types))?;
    let dtype = stored.get(first).map(|(tensor, _)| tensor.dtype)?;
    Some(PolicyError::Format {
        path: stored.path.clone(),
        reason: format!(
            "its weights are quantised ({first} is {dtype}), and such weights are neither read nor trained: use the \
             unquantised checkpoint of the same model (F32, BF16 or F16)"
        ),
    })
}

/// Whether two stored tensors have the same shape and values.
fn equal(stored: &StoredWeights, left: &str, right: &str) -> Result<bool, PolicyError> {
    let (Some((a, left_file)), Some((b, right_file))) = (stored.get(left), stored.get(right))
    else {
        return Ok(false);
    };
    if a.shape != b.shape || WeightDtype::from_stored(a.dtype).is_none() {
        return Ok(false);
    }
    let (mut same, mut at) = (true, 0);
    let elements = a.elements();
    while same && at < elements {
        let part = at..elements.min(at + CHUNK);
        same = left_file.read_part(left, part.clone())? == right_file.read_part(right, part)?;
        at += CHUNK;
    }
    Ok(same)
}

struct Fill<'a> {
    place: Place,
    stored: &'a StoredWeights,
    sources: BTreeMap<String, String>,
    error: Option<PolicyError>,
}

impl Fill<'_> {
    /// The values of the parameter that the walk is at, in burn's layout.
    fn read(&self, transposed: bool) -> Result<Vec<f32>, PolicyError> {
        let name = self.place.name();
        let source = self.sources.get(&name).map_or("", String::as_str);
        match self.stored.get(source) {
            Some((_, file)) if transposed => file.read_f32_transposed(source),
            Some((_, file)) => file.read_f32(source),
            // Not reachable while a module's visitor and mapper walk the same parameters.
            None => Err(PolicyError::WeightsMismatch {
                path: self.stored.path.clone(),
                missing: vec![name],
                unexpected: vec![],
                mis_shaped: vec![],
            }),
        }
    }
}

impl ModuleMapper for Fill<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.place.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.place.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.error.is_some() {
            return param;
        }
        let param = Replaceable::new(param);
        match self.read(self.place.transposes(D)) {
            Ok(values) => param.with(values),
            Err(error) => {
                self.error = Some(error);
                param.spoilt()
            }
        }
    }
}

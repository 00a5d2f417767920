//! Adapters onto and out of a module.

use std::collections::BTreeMap;

use burn::module::{LoraAdapter, Module, ModuleVisitor, Param, Reparameterizer};
use burn::tensor::{Tensor, TensorData};

use crate::error::PolicyError;

/// The two matrices of one layer, row-major.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Factors {
    /// `[in, rank]`
    pub a: Vec<f32>,
    /// `[rank, out]`
    pub b: Vec<f32>,
}

/// What burn calls the part of a path below which an adapter's factors lie.
const ADAPTER: &str = "lora";

struct Attach {
    factors: BTreeMap<String, Factors>,
    rank: usize,
    scale: f64,
}

impl Reparameterizer for Attach {
    type Reparam = LoraAdapter;

    fn reparameterize<const D: usize>(
        &mut self,
        path: &str,
        param: Param<Tensor<D>>,
    ) -> (Param<Tensor<D>>, Option<LoraAdapter>) {
        // A parameter that was never read would be drawn by each clone for itself: read it, so that clones share it.
        let device = param.base().device();
        let base = param.set_require_grad(false);
        let factors = path
            .strip_suffix(".weight")
            .and_then(|layer| self.factors.remove(layer));
        let adapter = factors.map(|Factors { a, b }| {
            let rank = self.rank;
            let matrix = |values: Vec<f32>, shape: [usize; 2]| {
                Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), &device))
            };
            let (input, output) = (a.len() / rank, b.len() / rank);
            LoraAdapter {
                a: matrix(a, [input, rank]),
                b: matrix(b, [rank, output]),
                scale: self.scale,
            }
        });
        (base, adapter)
    }
}

/// Freezes `model` and attaches `factors` by the names of their layers.
pub(super) fn attach<M: Module>(
    model: M,
    factors: BTreeMap<String, Factors>,
    rank: usize,
    scale: f64,
) -> Result<M, PolicyError> {
    if has_adapters(&model) {
        let reason = "the model has adapters already; attach to its base, or merge them first (Module::materialize)";
        return Err(PolicyError::Lora(reason.to_owned()));
    }
    Ok(model.apply_reparameterization(Attach {
        factors,
        rank,
        scale,
    }))
}

/// The factors of all adapters of `model`, by the names of their layers.
pub(super) fn factors<M: Module>(model: &M) -> BTreeMap<String, Factors> {
    #[derive(Default)]
    struct Collect {
        path: Vec<String>,
        found: BTreeMap<String, Factors>,
    }
    impl ModuleVisitor for Collect {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let [layer @ .., weight, adapter, factor] = &self.path[..] else {
                return;
            };
            if weight != "weight" || adapter != ADAPTER {
                return;
            }
            let empty = || Factors {
                a: vec![],
                b: vec![],
            };
            let values = param.base().into_data().iter::<f32>().collect();
            let found = self.found.entry(layer.join(".")).or_insert_with(empty);
            match &factor[..] {
                "a" => found.a = values,
                _ => found.b = values,
            }
        }
    }
    let mut collect = Collect::default();
    model.visit(&mut collect);
    collect.found
}

/// Whether any layer of `model` has an adapter.
pub fn has_adapters<M: Module>(model: &M) -> bool {
    struct Find(bool);
    impl ModuleVisitor for Find {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.0 |= name == ADAPTER && container == "Reparameterization";
        }
        fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {}
    }
    let mut find = Find(false);
    model.visit(&mut find);
    find.0
}

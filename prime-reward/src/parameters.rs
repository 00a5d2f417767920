//! Identities of a module's parameters.
//!
//! burn draws them anew whenever a module is built and keys the optimiser's moments by them, so moments that are loaded
//! for a module with other ids are silently never used. A saved optimiser therefore travels with its ids.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

/// The ids of all float parameters in the order of a walk through the module.
pub(crate) fn ids<M: Module>(model: &M) -> Vec<u64> {
    struct Collect(Vec<u64>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.id.val());
        }
    }
    let mut collect = Collect(vec![]);
    model.visit(&mut collect);
    collect.0
}

/// The same module with these ids, or how the two do not fit.
pub(crate) fn with_ids<M: Module>(model: M, ids: &[u64]) -> Result<M, String> {
    struct Assign<'a> {
        ids: &'a [u64],
        next: usize,
    }
    impl ModuleMapper for Assign<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let id = self
                .ids
                .get(self.next)
                .map_or(param.id, |&id| ParamId::from(id));
            self.next += 1;
            let (_, tensor, mapper) = param.consume();
            Param::from_mapped_value(id, tensor, mapper)
        }
    }
    let mut assign = Assign { ids, next: 0 };
    let model = model.map(&mut assign);
    if assign.next == ids.len() {
        Ok(model)
    } else {
        Err(format!(
            "the model has {} parameters, the saved state {}",
            assign.next,
            ids.len()
        ))
    }
}

/// Whether a gradient can reach any parameter.
pub(crate) fn any_trainable<M: Module>(model: &M) -> bool {
    struct Find(bool);
    impl ModuleVisitor for Find {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 |= param.val().is_require_grad();
        }
    }
    let mut find = Find(false);
    model.visit(&mut find);
    find.0
}

//! Identities of a module's parameters.
//!
//! burn draws them anew whenever a module is built and keys an optimiser's moments by them, so moments that are loaded
//! for a module with other ids are silently never used. A saved optimiser therefore travels with its module's ids.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// A float parameter as a saved optimiser knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    id: u64,
    shape: Vec<usize>,
}

/// The identities of the float parameters that train, in the order of a walk through the module. Frozen ones have no
/// moments.
pub(crate) fn identities<M: Module>(model: &M) -> Vec<Identity> {
    struct Collect(Vec<Identity>);
    impl ModuleVisitor for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                self.0.push(Identity {
                    id: param.id.val(),
                    shape: param.shape().to_vec(),
                });
            }
        }
    }
    let mut collect = Collect(vec![]);
    model.visit(&mut collect);
    collect.0
}

/// The same module with the ids of `saved`, or how the two do not fit.
pub(crate) fn adopt<M: Module>(model: M, saved: &[Identity]) -> Result<M, String> {
    struct Assign<'a>(std::slice::Iter<'a, Identity>);
    impl ModuleMapper for Assign<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if !param.is_require_grad() {
                return param;
            }
            let id = self
                .0
                .next()
                .map_or(param.id, |saved| ParamId::from(saved.id));
            let (_, tensor, mapper) = param.consume();
            Param::from_mapped_value(id, tensor, mapper)
        }
    }
    let own = identities(&model);
    if own.len() != saved.len() {
        return Err(format!(
            "the model has {} parameters that train, the saved optimiser knows {}",
            own.len(),
            saved.len()
        ));
    }
    if let Some(at) = (0..own.len()).find(|&at| own[at].shape != saved[at].shape) {
        return Err(format!(
            "trained parameter {at} of the model has shape {:?}, for the saved optimiser it has {:?}",
            own[at].shape, saved[at].shape
        ));
    }
    Ok(model.map(&mut Assign(saved.iter())))
}

/// Whether a gradient can reach any parameter of `model`: whether it was built or loaded on an autodiff device.
pub fn any_trainable<M: Module>(model: &M) -> bool {
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

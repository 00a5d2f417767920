//! The linear layers of a module, by name.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// A layer that an adapter can be attached to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinearLayer {
    /// Its path in the module, e.g. `model.layers.0.self_attn.q_proj`.
    pub name: String,
    /// Width of its input.
    pub input: usize,
    /// Width of its output.
    pub output: usize,
}

/// The output head, which adapters leave alone (as PEFT's `all-linear` does): log-probs are computed from its weight in
/// chunks, without a module around it.
const HEAD: &str = "lm_head";

/// All linear layers of `model` but its output head (`lm_head`), in the order of a walk through the module.
///
/// A linear layer is a burn [`Linear`](burn::nn::Linear): user modules that are made of those can be adapted too.
pub fn linear_layers<M: Module>(model: &M) -> Vec<LinearLayer> {
    #[derive(Default)]
    struct Walk {
        path: Vec<String>,
        containers: Vec<String>,
        found: Vec<LinearLayer>,
    }
    impl ModuleVisitor for Walk {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.push(name.to_owned());
            self.containers.push(container.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
            self.containers.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let in_linear = self
                .containers
                .last()
                .is_some_and(|kind| kind == "Struct:Linear");
            let Some((field, path)) = self.path.split_last() else {
                return;
            };
            let shape = param.lazy_shape().to_vec();
            let head = path.last().is_some_and(|name| name == HEAD);
            if let (true, "weight", &[input, output]) = (in_linear && !head, &field[..], &shape[..])
            {
                self.found.push(LinearLayer {
                    name: path.join("."),
                    input,
                    output,
                });
            }
        }
    }
    let mut walk = Walk::default();
    model.visit(&mut walk);
    walk.found
}

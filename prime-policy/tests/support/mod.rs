//! What several tests need.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// The gradients of all parameters in the order of a walk through `model`; zeros where there is none.
pub fn gradients<M: Module>(model: &M, gradients: &GradientsParams) -> Vec<f32> {
    struct Flatten<'a>(&'a GradientsParams, Vec<f32>);
    impl ModuleVisitor for Flatten<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            match self.0.get::<D>(param.id) {
                Some(gradient) => self.1.extend(gradient.into_data().iter::<f32>()),
                None => self.1.extend(vec![0.0; param.shape().num_elements()]),
            }
        }
    }
    let mut flat = Flatten(gradients, vec![]);
    model.visit(&mut flat);
    flat.1
}

//! The parameters of a module under the names and in the layout of a checkpoint.

use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::write::NamedTensor;
use crate::error::PolicyError;

/// burn's word for the entrance to an adapter.
const ADAPTER: &str = "Reparameterization";

/// Where a walk through a module is.
#[derive(Debug, Default)]
pub(crate) struct Place {
    names: Vec<String>,
    containers: Vec<String>,
}

impl Place {
    pub(crate) fn enter(&mut self, name: &str, container: &str) {
        self.names.push(name.to_owned());
        self.containers.push(container.to_owned());
    }

    pub(crate) fn exit(&mut self) {
        self.names.pop();
        self.containers.pop();
    }

    /// The path from the root, joined by dots.
    pub(crate) fn name(&self) -> String {
        self.names.join(".")
    }

    fn in_adapter(&self) -> bool {
        self.containers.iter().any(|container| container == ADAPTER)
    }

    /// Whether a parameter of this rank is stored transposed: burn keeps the matrix of a linear map as `[in, out]`,
    /// PyTorch as `[out, in]`. The rows of an embedding are no linear map and are the same in both.
    pub(crate) fn transposes(&self, rank: usize) -> bool {
        let container = self.containers.last().map_or("", String::as_str);
        rank == 2 && !container.ends_with("Embedding")
    }
}

/// A parameter as a checkpoint should hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    /// Its path.
    pub name: String,
    /// Its shape on disk.
    pub shape: Vec<usize>,
}

/// All float parameters of `model`, in the order of a walk. Values are not asked for, so that none is drawn.
///
/// # Errors
/// [`PolicyError::AdaptersAttached`], with `path` in the message.
pub(crate) fn expected<M: Module>(model: &M, path: &Path) -> Result<Vec<Expected>, PolicyError> {
    struct List(Vec<Expected>);
    impl Take for List {
        fn take<const D: usize>(&mut self, place: &Place, param: &Param<Tensor<D>>) {
            let mut shape = Replaceable::new(param.clone()).shape;
            if place.transposes(D) {
                shape.swap(0, 1);
            }
            let name = place.name();
            self.0.push(Expected { name, shape });
        }
    }
    walk(model, path, List(vec![])).map(|list| list.0)
}

/// All float parameters of `model`, ready to be written. No value is copied.
///
/// # Errors
/// [`PolicyError::AdaptersAttached`], with `path` in the message.
pub(crate) fn named_tensors<M: Module>(
    model: &M,
    path: &Path,
) -> Result<Vec<NamedTensor<'static>>, PolicyError> {
    struct List(Vec<NamedTensor<'static>>);
    impl Take for List {
        fn take<const D: usize>(&mut self, place: &Place, param: &Param<Tensor<D>>) {
            let mut tensor = param.val();
            if place.transposes(D) {
                tensor = tensor.transpose();
            }
            self.0.push(NamedTensor::from_tensor(place.name(), tensor));
        }
    }
    walk(model, path, List(vec![])).map(|list| list.0)
}

/// A parameter whose value, drawn or not, has been let go of; what a new value needs stays.
pub(crate) struct Replaceable<const D: usize> {
    /// The shape that the new value has in memory.
    pub shape: Vec<usize>,
    device: Device,
    stand_in: Param<Tensor<D>>,
}

impl<const D: usize> Replaceable<D> {
    pub(crate) fn new(param: Param<Tensor<D>>) -> Self {
        let (id, device) = (param.id, param.lazy_device());
        let (drawn, mut shape) = (param.is_initialized(), param.lazy_shape().to_vec());
        // Loading two numbers replaces a value that was not drawn yet without drawing it, and keeps whether the
        // parameter is trained.
        let mut two = [1; D];
        two[D - 1] = 2;
        let stand_in = param.transform_for_load(Tensor::zeros(two, &device), id);
        // Until a layer of burn's column layout is drawn, burn gives the shape before its transposition.
        if D == 2 && !drawn && stand_in.shape()[0] == 2 {
            shape.swap(0, 1);
        }
        Self {
            shape,
            device,
            stand_in,
        }
    }

    /// The parameter with new values, in its layout in memory.
    pub(crate) fn with(self, values: Vec<f32>) -> Param<Tensor<D>> {
        let (id, stand_in, mapper) = self.stand_in.consume();
        let data = TensorData::new(values, self.shape);
        let loaded: Tensor<D> = self
            .device
            .memory_persistent_allocations(data, |data| Tensor::from_data(data, &self.device));
        Param::from_mapped_value(
            id,
            loaded.set_require_grad(stand_in.is_require_grad()),
            mapper,
        )
    }

    /// The parameter without a value that makes sense, for a module that is given up.
    pub(crate) fn spoilt(self) -> Param<Tensor<D>> {
        self.stand_in
    }
}

/// What is done with each parameter.
trait Take {
    fn take<const D: usize>(&mut self, place: &Place, param: &Param<Tensor<D>>);
}

fn walk<M: Module, T: Take>(model: &M, path: &Path, take: T) -> Result<T, PolicyError> {
    struct Walk<T> {
        place: Place,
        take: T,
        adapted: Vec<String>,
    }
    impl<T: Take> ModuleVisitor for Walk<T> {
        fn enter_module(&mut self, name: &str, container: &str) {
            if container == ADAPTER {
                self.adapted.push(self.place.name());
            }
            self.place.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.place.exit();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if !self.place.in_adapter() {
                self.take.take(&self.place, param);
            }
        }
    }
    let mut walk = Walk {
        place: Place::default(),
        take,
        adapted: vec![],
    };
    model.visit(&mut walk);
    match walk.adapted.is_empty() {
        true => Ok(walk.take),
        false => Err(PolicyError::AdaptersAttached {
            path: path.to_owned(),
            parameters: walk.adapted,
        }),
    }
}

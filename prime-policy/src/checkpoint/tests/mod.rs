//! Model folders on disk: what is written is what is read, whatever stands in between.

mod bad_files;
mod crash;
mod layout;
mod modules;
mod wrong_folders;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};

use crate::config::DecoderConfig;
use crate::decoder::Decoder;

/// Every float parameter by its path: shape and bits of the effective value in memory.
fn values<M: Module>(model: &M) -> BTreeMap<String, (Vec<usize>, Vec<u32>)> {
    #[derive(Default)]
    struct Collect(Vec<String>, BTreeMap<String, (Vec<usize>, Vec<u32>)>);
    impl ModuleVisitor for Collect {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.0.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.0.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let data = param.val().into_data();
            let bits = data.iter::<f32>().map(f32::to_bits).collect();
            self.1
                .insert(self.0.join("."), (data.shape().to_vec(), bits));
        }
    }
    let mut collect = Collect::default();
    model.visit(&mut collect);
    collect.1
}

fn config(tied: bool) -> DecoderConfig {
    let mut config = DecoderConfig::new(7, 8, 12, 2, 2);
    config.num_key_value_heads = 1;
    config.tie_word_embeddings = tied;
    config
}

fn decoder(tied: bool) -> Decoder {
    config(tied).init(&Device::flex()).unwrap()
}

/// The names of all files in a folder.
fn files(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// A folder in memory where the system has one: thousands of saves that wait for a disk are slow.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

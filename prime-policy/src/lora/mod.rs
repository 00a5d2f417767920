//! Low-rank adapters (LoRA, Hu et al. 2021) over a frozen base, and their folders in PEFT's layout.
//!
//! An adapter is burn's [`LoraAdapter`](burn::module::LoraAdapter) on the weight of a linear layer. Models share what they
//! have in common: a clone of a module shares its tensors, so [`LoraConfig::attach`] and [`load_adapter`] on clones of one
//! base give several models in the memory of one base and their adapters.

mod attach;
mod base;
mod config;
mod folder;
mod layers;
mod peft;
mod targets;

pub use attach::has_adapters;
pub use base::BaseReference;
pub use config::LoraConfig;
pub use folder::{AdapterFolder, AdapterUse, adapter_base, load_adapter, save_adapter};
pub use layers::{LinearLayer, linear_layers};
pub use targets::TargetModules;

#[cfg(all(test, feature = "flex"))]
mod tests;

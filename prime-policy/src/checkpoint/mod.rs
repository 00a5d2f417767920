//! Models on disk, in the layout of Hugging Face folders.
//!
//! Everything streams: a tensor is read from its place in the file into its place in memory, and written the other way, a
//! chunk at a time. Files appear by rename, so that a reader sees an old file or a new one.

pub(crate) mod atomic;
pub(crate) mod element;
mod fingerprint;
mod folder;
mod index;
pub(crate) mod lacking;
mod load;
mod names;
mod replace;
mod save;
mod side_files;
pub(crate) mod stand_in;
mod stored;
pub(crate) mod tensor_file;
#[cfg(test)]
mod tests;
mod walk;
pub(crate) mod write;

pub use atomic::write_atomically;
pub use element::WeightDtype;
pub use fingerprint::{Fingerprint, sha256};
pub use folder::ModelFolder;
pub use load::load_weights;
pub use save::{WeightFormat, save_sharded, save_weights};
pub use side_files::SideFiles;

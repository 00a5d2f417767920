//! What is trained on: built-in [`tasks`], or [`rows`] from a file.

pub mod rows;
pub mod tasks;

//! Where problems come from: built-in tasks and data files.

pub mod chat;
pub mod problems;
pub mod rows;
pub mod tasks;

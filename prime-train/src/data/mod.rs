//! Where problems come from: built-in tasks and data files.

pub mod problems;
pub mod rows;
pub mod tasks;

/// Why a row of code has no verdict.
pub(crate) const CODE_IS_NOT_RUN: &str =
    "the row's ability is code, and this version does not run code";

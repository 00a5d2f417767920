//! Where problems come from: built-in tasks and data files.

pub mod ability;
pub mod answer_place;
pub mod broken;
pub mod chat;
pub(crate) mod conversation;
pub mod demonstrations;
mod form;
pub(crate) mod gold;
pub(crate) mod json;
pub mod layout;
pub mod left_out;
mod order;
pub(crate) mod path;
pub mod problem;
pub mod problems;
pub mod prompt_limit;
pub mod prompt_shape;
pub mod reading;
pub mod row;
mod row_set;
pub mod rows;
pub mod source;
pub mod source_names;
mod store;
pub mod tasks;
pub(crate) mod test_cases;

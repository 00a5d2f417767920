//! Where problems come from: built-in tasks and data files.

pub mod ability;
pub mod answer_place;
pub mod broken;
pub mod chat;
mod conversation;
pub(crate) mod gold;
pub(crate) mod json;
pub mod layout;
pub mod left_out;
pub(crate) mod path;
pub mod problem;
pub mod problems;
pub mod prompt_limit;
pub mod prompt_shape;
pub mod reading;
pub mod row;
pub mod rows;
pub mod source_names;
pub mod tasks;
pub(crate) mod test_cases;

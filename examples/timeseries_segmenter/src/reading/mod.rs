//! The rows of a task's file: CSV or JSON, of any size.

mod csv;
mod dialect;
mod fields;
mod json;
mod names;
mod rows;
mod source;

pub use rows::{Facts, Row};
pub use source::read_task;

//! Copies annotations into a table of watsonx.data.

mod exporter;
mod presto;
mod records;
mod row;
mod sql;
mod writer;

pub use exporter::Exporter;
pub use presto::{Presto, PrestoAccess, PrestoError};
pub use row::{Cell, Row};
pub use sql::Table;

//! Times of rows: numbers, dates and other texts.

mod column;
mod format;
mod keys;
mod time;

pub use column::TimeColumn;
pub use format::{TimeFormat, read_iso};
pub use keys::TimeKeys;
pub use time::{Key, Time};

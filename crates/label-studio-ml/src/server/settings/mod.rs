//! Flags and environment variables, and what is made from them.

pub(crate) mod args;
pub(crate) mod basic_auth_args;
pub(crate) mod label_studio_args;
pub(crate) mod parse_args;
pub(crate) mod resources;
pub(crate) mod store_check;
pub(crate) mod value_parsers;

pub use args::{CacheType, LogFormat, LogLevel, ServerArgs};
pub use basic_auth_args::BasicAuthArgs;
pub use label_studio_args::LabelStudioArgs;
pub use parse_args::{ignore_empty_variables, parse_args, parse_args_keeping};

//! How Python reads and writes values: `repr`, `str`, `json.dumps`, `str.format`, literals.
//!
//! Label Studio and the models that backends load are Python programs. What they store, and the prompts and messages that
//! must equal theirs, is in Python's notation.
//!
//! ```
//! use label_studio_sdk::python;
//! use serde_json::json;
//!
//! let value = json!(["it's", null, 1e16]);
//! assert_eq!(python::repr(&value), r#"["it's", None, 1e+16]"#);
//! assert_eq!(python::json_dumps(&value), r#"["it's", null, 1e+16]"#);
//! assert_eq!(python::str(&json!("it's")), "it's");
//! ```

mod json_dumps;
mod literal;
mod number;
mod repair_json;
mod repr;
mod template;

pub use json_dumps::json_dumps;
pub use literal::{Literal, LiteralError};
pub use repair_json::repair_json;
pub use repr::{repr, str};
pub use template::fill_template;

pub(crate) use number::float;
pub(crate) use repr::{Repr, ReprList, Str, type_name};

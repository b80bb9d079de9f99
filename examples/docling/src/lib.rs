//! Turns documents into regions: a Docling service reads layout, tables and reading order, and they become predictions.
//!
//! [`Docling`] is the model that Label Studio talks to, [`Options`] are its flags. [`Service`] converts a document,
//! [`Document`] is what it returns, and [`regions`] makes Label Studio's regions of it.

mod builder;
mod bundle;
mod document;
mod geometry;
mod labels;
mod links;
mod model;
mod multipart;
mod options;
mod region_options;
mod regions;
mod service;
mod source;
mod walk;

pub use builder::Placed;
pub use document::{BoundingBox, Document, Page, Size};
pub use geometry::{Rectangle, percent_rectangle, raster_size};
pub use labels::{label, layers};
pub use model::Docling;
pub use options::{Options, ServiceAddress, ShapeArgs, service_base_url};
pub use region_options::RegionOptions;
pub use regions::regions;
pub use service::{Converted, Job, Service};
pub use source::{Source, task_file_url};

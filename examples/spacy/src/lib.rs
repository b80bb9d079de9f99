//! Marks entities in texts with a pipeline of spaCy, read as spaCy writes it.
//!
//! [`Pipeline`] finds entities as spaCy does; [`Spacy`] is the model that Label Studio talks to.
//!
//! ```
//! use label_studio_inference::hub::{Hub, HubOptions};
//! use spacy::Pipeline;
//!
//! let hub = Hub::new(HubOptions::default())?;
//! let error = Pipeline::load("no/such/pipeline/here", &hub).unwrap_err();
//! assert!(error.to_string().contains("there is no folder"));
//! # Ok::<_, label_studio_inference::hub::HubError>(())
//! ```

mod config;
mod files;
mod model;
mod network;
mod options;
mod pipeline;
mod sentences;
mod split;
mod text;
mod transitions;

pub use model::Spacy;
pub use options::{LabelNames, Options};
pub use pipeline::Pipeline;

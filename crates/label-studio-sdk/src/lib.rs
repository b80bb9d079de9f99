//! Label Studio's own world in Rust: what it sends, what it stores and how its label config reads.
//!
//! The crate is pure unless the feature `client` is on: no disk, no network, no clock.
//!
//! - [`Task`], [`Annotation`], [`Prediction`], [`Region`] and [`Relation`] are the JSON that Label Studio exchanges.
//! - [`LabelConfig`] reads the XML of a project's labelling screen and checks predictions against it.
//! - [`values`] has one type per control tag; [`brush_rle`] and [`video`] hold the two formats that need code.
//! - [`match_labels`] picks the label that a free text means.
//!
//! ```
//! use label_studio_sdk::{LabelConfig, Prediction};
//! use serde_json::json;
//!
//! let config = LabelConfig::parse(
//!     r#"<View><Text name="text" value="$text"/>
//!        <Choices name="mood" toName="text"><Choice value="Happy"/><Choice value="Sad"/></Choices></View>"#,
//! )?;
//! let pair = config.first_pair("Choices", "Text")?;
//! let region = pair.control.region(json!({ "choices": ["Happy"] }));
//! let prediction = Prediction::new([region]).with_score(0.9);
//! assert!(config.validate_prediction(&serde_json::to_value(&prediction)?).is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod annotation;
pub mod brush_rle;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
pub mod http;
mod label_config;
mod label_matching;
#[cfg(feature = "client")]
pub mod media;
mod prediction;
pub mod python;
mod region;
mod task;
mod value_path;
pub mod values;
pub mod video;

pub use annotation::Annotation;
#[cfg(feature = "client")]
pub use client::{Client, ClientError, ClientOptions};
pub use label_config::*;
pub use label_matching::{match_labels, similarity_ratio};
#[cfg(feature = "client")]
pub use media::{MediaError, MediaFetcher, MediaOptions};
pub use prediction::Prediction;
pub use region::{Direction, Region, Relation, ResultEntry};
pub use task::{RawTasks, Task, TaskError};
pub use value_path::with_value_at;

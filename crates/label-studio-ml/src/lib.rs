//! Turn a model into a backend that Label Studio connects to.
//!
//! Implement [`Model`] and pass a loader to [`serve`]: Label Studio can then ask for predictions,
//! interactive predictions and training:
//!
//! ```no_run
//! use label_studio_ml::{Model, PredictRequest, Prediction, Predictions, Project, ServerArgs, anyhow, json, serve};
//!
//! /// Answers every task with the first choice of the label config.
//! struct FirstChoice;
//!
//! impl Model for FirstChoice {
//!     fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
//!         let pair = project.label_config().first_pair("Choices", "Text")?;
//!         let region = pair.control.region(json!({ "choices": pair.control.labels.first() }));
//!         Ok(request.tasks.iter().map(|_| Prediction::new([region.clone()])).collect())
//!     }
//! }
//!
//! fn main() -> anyhow::Result<()> {
//!     serve(&ServerArgs::default(), || Ok(FirstChoice))
//! }
//! ```
//!
//! [`Project`] is the model's handle for the project of a call, and [`store::Store`] keeps its
//! small values. [`testing::TestClient`] calls a model through the whole server without a socket.

mod batching;
mod closures;
mod custom_route;
pub mod jobs;
mod manifest;
mod model;
mod model_state;
pub mod model_version;
#[cfg(feature = "postgres")]
pub mod postgres;
mod predictions;
mod project;
mod project_id;
#[cfg(feature = "server")]
pub mod raw;
mod repeated;
mod resources;
#[cfg(feature = "server")]
mod server;
pub mod store;
#[cfg(feature = "server")]
pub mod testing;
pub mod versions;

pub use anyhow;
pub use label_studio_sdk as sdk;
pub use label_studio_sdk::{Control, LabelConfig, Object, Prediction, Region, Task, match_labels};
pub use serde_json::{self, Map, Value, json};

pub use batching::Batching;
pub use closures::FnModel;
pub use custom_route::{CustomReply, CustomRequest};
pub use jobs::{JobContext, TryAgain};
pub use model::{Action, Event, FitOn, Model, PredictRequest};
pub use model_state::ModelState;
pub use predictions::{Predictions, TaskPrediction};
pub use project::{Project, ProjectError};
pub use project_id::ProjectId;
pub use repeated::{AnnotatedEntry, predict};
pub use resources::Resources;
#[cfg(feature = "server")]
pub use server::{
    serve::serve,
    settings,
    settings::{args::ServerArgs, parse_args::parse_args},
};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

//! Turn a model into a backend that Label Studio connects to.
//!
//! Implement [`Model`], hand a loader to [`serve`], and Label Studio can ask it for predictions, for answers while
//! somebody labels, and for training:
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
//! [`TestClient`] calls a model through the whole server without a socket. [`Project`] is the model's handle for
//! everything about the project that a call is for, and [`Store`] is where small facts outlive the process.

mod closures;
mod model;
mod model_version;
mod own_path;
mod predictions;
mod project;
mod project_id;
#[cfg(feature = "server")]
mod server;
mod store;

pub use anyhow;
pub use label_studio_sdk as sdk;
pub use label_studio_sdk::{
    Annotation, Client, ClientError, ClientOptions, Control, Direction, LabelConfig,
    LabelConfigError, MediaError, MediaFetcher, MediaOptions, Object, Prediction, Region, Relation,
    ResultEntry, Task, TaskError, match_labels,
};
pub use serde_json::{self, Map, Value, json};

pub use closures::FnModel;
pub use model::{Action, Event, Model, PredictRequest};
pub use model_version::bump;
pub use own_path::{OwnReply, OwnRequest};
pub use predictions::{Predictions, TaskPrediction};
pub use project::{Project, ProjectError, Services};
pub use project_id::ProjectId;
#[cfg(feature = "server")]
pub use server::{
    CacheType, LabelStudioArgs, ListeningSocket, LogLevel, Peers, RawAnswer, RawError, RawModel,
    RawNumber, RawOwnAnswer, RawOwnRequest, RawRequest, Readiness, ServerArgs, TestClient,
    TestProgram, http, parse_args, parse_args_keeping, serve, serve_raw, serve_raw_on,
};
pub use store::{MemoryStore, SqliteStore, Store, StoreError};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

//! Labels by prompt with IBM watsonx.ai, and copies annotations into a table of watsonx.data.
//!
//! [`WatsonXModel`] is the model that Label Studio talks to, [`Options`] are its flags. [`IamTokens`] turns an API key into
//! tokens, [`Watsonx`] asks models with them. [`Row`], [`Table`] and [`Presto`] are what the copying is made of.

mod export;
mod iam;
mod model;
mod model_types;
mod options;
mod question;
mod watsonx;

pub use export::{Cell, Exporter, Presto, PrestoAccess, PrestoError, Row, Table};
pub use iam::{IamError, IamTokens};
pub use model::WatsonXModel;
pub use model_types::model_id;
pub use options::{Endpoint, ExportArgs, Options, WatsonxArgs};
pub use watsonx::{Question, Watsonx};

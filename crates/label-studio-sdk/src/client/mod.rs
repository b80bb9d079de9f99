//! A blocking client for Label Studio's REST API: tokens, projects, tasks, predictions, webhooks and ML backends.
//!
//! ```no_run
//! use label_studio_sdk::{Client, ClientOptions};
//!
//! let client = Client::new(ClientOptions::new("http://localhost:8080").with_token("0123abcd"))?;
//! for task in client.labeled_tasks(1)? {
//!     println!("{:?}: {} annotations", task.id, task.annotations()?.len());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Everything blocks: inside an async program, make the client before the runtime starts and call it from blocking
//! threads only.

mod account;
mod connection;
mod error;
mod imports;
mod ml_backends;
mod nullable;
mod options;
mod origin;
mod predictions;
mod projects;
mod tasks;
mod token;
mod webhooks;

pub use account::{ServerVersion, User};
pub use connection::Client;
pub use error::ClientError;
pub use imports::UploadedFile;
pub use ml_backends::MlBackend;
pub use options::ClientOptions;
pub use projects::ProjectInfo;
pub use tasks::{TaskPage, TaskQuery};
pub use token::TokenKind;
pub use webhooks::Webhook;

pub(crate) use origin::Origin;

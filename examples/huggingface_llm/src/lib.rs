//! Continues texts, or answers prompts, with a language model that runs on this machine.
//!
//! ```
//! use huggingface_llm::{HuggingFaceLLM, Options};
//! use label_studio_inference::hub::{Hub, HubOptions};
//!
//! let options = Options { model_name: "/an/empty/folder".to_owned(), ..Options::default() };
//! let hub = Hub::new(HubOptions::default())?;
//! let error = HuggingFaceLLM::load(options, &hub).unwrap_err();
//! assert!(format!("{error:#}").contains("MODEL_NAME"));
//! # Ok::<_, label_studio_inference::hub::HubError>(())
//! ```

mod model;
mod options;
mod question;
mod tags;

pub use model::HuggingFaceLLM;
pub use options::{ChatTemplate, Options, parse_stop};

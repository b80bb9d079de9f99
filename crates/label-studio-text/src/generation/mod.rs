//! Text by language models that run on this machine.
//!
//! A [`LanguageModel`] is a folder as `transformers` saves it, or a name on the hub: `Llama`, Mistral, `SmolLM`, Qwen 2
//! and 3, Gemma 1 to 3, Phi 2 to 4, OPT and GPT-2. It continues a text, or answers a conversation where it has a chat
//! template. Prompts of a call are answered together: they lie one after the other, without padding, their common start
//! is computed once, and an answer that ends makes room for the next.
//!
//! Weights stay as the file has them (32 or 16 bits), and all sums have single precision. Greedy answers are those of
//! `transformers` in single precision.
//!
//! ```no_run
//! use label_studio_inference::hub::{Hub, HubOptions};
//! use label_studio_text::generation::{GenerationOptions, LanguageModel};
//!
//! let hub = Hub::new(HubOptions::default())?;
//! let model = LanguageModel::load("HuggingFaceTB/SmolLM2-135M", &hub)?;
//! let options = GenerationOptions::default();
//! let prompt = model.continued("The capital of France is", &options)?;
//! let answers = model.generate(&[prompt], &options, || true);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod answers;
mod checkpoint;
mod error;
mod language_model;
mod model;
mod numbers;

pub use answers::{AnswerEnd, GenerationOptions, Message, SamplingOptions};
pub use error::GenerationError;
pub use language_model::{Answer, LanguageModel, Prompt};

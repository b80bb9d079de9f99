//! From prompts to answers.

mod batch;
mod chat_template;
mod options;
mod random;
mod running;
mod sampler;
mod text;

pub use chat_template::Message;
pub use options::{GenerationOptions, SamplingOptions};
pub use running::AnswerEnd;

pub(super) use batch::Batch;
pub(super) use chat_template::ChatTemplate;
pub(super) use running::{Finished, Job};
pub(super) use text::{clean_up, first_stop};

//! Speaks what the annotator types: Deepgram makes the audio, S3 keeps it, and the task gets its address.
//!
//! [`DeepgramModel`] is the model that Label Studio talks to, [`Options`] are its flags. [`Speech`] makes audio, and a
//! [`Bucket`](label_studio_services::aws::Bucket) stores it.

mod file_name;
mod model;
mod options;
mod speech;
mod typed;

pub use file_name::secure_file_name;
pub use model::DeepgramModel;
pub use options::{Options, SpeechArgs};
pub use speech::{Audio, Speech};

//! Speaks what the annotator types: Deepgram makes the audio, S3 keeps it, and the task gets its address.
//!
//! [`DeepgramModel`] is the model that Label Studio talks to, [`Options`] are its flags. [`Speech`] makes audio, [`Bucket`]
//! stores it.

mod bucket;
mod credentials;
mod file_name;
mod model;
mod options;
mod speech;
mod typed;

pub use bucket::Bucket;
pub use credentials::of_profile;
pub use file_name::secure_file_name;
pub use model::DeepgramModel;
pub use options::{Addressing, BucketArgs, Options, SpeechArgs, UrlStyle};
pub use speech::{Audio, Speech};

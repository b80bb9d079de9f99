//! Encoders with a head: forward, backward, and their parameters.

mod attention;
mod attention_head;
mod convolution;
mod disentangled;
mod embeddings;
mod encoder;
mod error;
mod head;
mod input;
mod layer;
mod linear;
mod load;
mod lstm;
mod mlp;
mod model;
mod parameters;
mod positions;
mod scratch;
mod series;
mod series_sizes;
mod span_head;
mod span_model;
mod workspace;

pub use error::NetworkError;
pub use input::Tokens;
pub use model::Network;
pub use series::{SeriesNetwork, SeriesWorkspace};
pub use series_sizes::{SeriesDropouts, SeriesSizes};
pub use span_model::{SpanNetwork, SpanText, SpanWorkspace};
pub use workspace::Workspace;

pub(crate) use encoder::Mode;
pub(crate) use parameters::{Gradients, Parameters, Part};
pub(crate) use series::SeriesRows;
pub(crate) use span_head::{n_spans, spans};

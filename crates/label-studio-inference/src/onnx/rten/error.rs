//! Why a run on rten fails.

/// Why a run on rten fails.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error("the model has no {0:?}")]
    NoSuchName(String),
    #[error("rten computes with 32-bit integers, and {0} is larger")]
    Overflow(i64),
    #[error("outputs of this type cannot be read")]
    OutputType,
    #[error(transparent)]
    Rten(#[from] ::rten::RunError),
}

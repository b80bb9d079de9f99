//! Why features cannot be computed.

/// Why features cannot be computed as a model's config asks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// A number is zero, or does not fit the others.
    #[error("the front end cannot have {name} = {value}: {reason}")]
    Number {
        /// Name of the number.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

//! Shared code of backends that label text.
//!
//! - [`tokens`]: text to token ids and back, with character offsets.
//! - [`spans`]: labels of tokens to parts of a text and back, and windows of long texts.
//! - `generation`: text by language models, behind the feature of that name.
//! - [`regions`]: parts of a text that a model found to regions of a project.
//!
//! ```
//! use label_studio_text::tokens::TokenBatch;
//!
//! let no_texts = TokenBatch::new(&[]);
//! assert_eq!(no_texts.ids.dim(), (0, 0));
//! ```

#[cfg(feature = "generation")]
pub mod generation;
pub mod regions;
pub mod spans;
pub mod tokens;

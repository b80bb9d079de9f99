//! Shared code of backends that label text.
//!
//! - [`tokens`]: text to token ids and back, with character offsets.
//!
//! ```
//! use label_studio_text::tokens::TokenBatch;
//!
//! let no_texts = TokenBatch::new(&[]);
//! assert_eq!(no_texts.ids.dim(), (0, 0));
//! ```

pub mod tokens;

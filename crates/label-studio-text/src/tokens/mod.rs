//! Text to token ids and back.
//!
//! A [`Tokenizer`] is read from the `tokenizer.json` that lies beside most models. Offsets count
//! characters, as Label Studio and Python do; the `tokenizers` crate itself would count bytes. A
//! [`TokenBatch`] is what models are fed.
//!
//! ```no_run
//! use label_studio_text::tokens::{TokenBatch, Tokenizer};
//!
//! let tokenizer = Tokenizer::from_file("tokenizer.json")?.with_max_tokens(512)?.with_padding();
//! let encodings = tokenizer.encode_batch(["Anna lives in Köln.", "So does Bob."])?;
//! let batch = TokenBatch::new(&encodings);
//! assert_eq!(batch.ids.dim(), batch.attention_mask.dim());
//! # Ok::<_, label_studio_text::tokens::TokensError>(())
//! ```

mod batch;
mod byte_pairs;
mod error;
mod tokenizer;

pub use tokenizers::{EncodeInput, Encoding, InputSequence};

pub use batch::TokenBatch;
pub use byte_pairs::BytePairs;
pub use error::TokensError;
pub use tokenizer::Tokenizer;

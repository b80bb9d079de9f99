//! Why text cannot become tokens.

use std::{error::Error, path::PathBuf};

/// Why text cannot become tokens.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokensError {
    /// The file of the tokenizer cannot be read.
    #[error("cannot read the tokenizer {}: it is the tokenizer.json that lies beside the model", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is no tokenizer.
    #[error(
        "{} is no tokenizer.json: convert an older vocab.txt or tokenizer.model with transformers' \
         AutoTokenizer.from_pretrained(...).save_pretrained(...)", path.display()
    )]
    NotATokenizer {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// There is no room for the text between the special tokens.
    #[error("at most {max_tokens} tokens leave no room for a text between special tokens")]
    NoRoom {
        /// The limit asked for.
        max_tokens: usize,
    },
    /// A text, or ids, cannot be converted.
    #[error("the tokenizer cannot convert this")]
    Convert(#[source] Box<dyn Error + Send + Sync>),
}

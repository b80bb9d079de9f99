//! Why texts cannot go through a network.

/// Why texts cannot go through a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// A text has no tokens, not even special ones.
    #[error("text {text_idx} has no tokens; the tokenizer has to add the special ones")]
    Empty {
        /// Which text of the batch.
        text_idx: usize,
    },
    /// A text has more tokens than positions.
    #[error("text {text_idx} has {n_tokens} tokens where the model takes at most {max_tokens}")]
    TooLong {
        /// Which text of the batch.
        text_idx: usize,
        /// Its tokens.
        n_tokens: usize,
        /// Most tokens of a text.
        max_tokens: usize,
    },
    /// A token that the model does not have.
    #[error(
        "token {id} is not one of the model's {vocab_size}: the tokenizer.json belongs to another model"
    )]
    UnknownToken {
        /// Id of the token.
        id: u32,
        /// Size of the vocabulary.
        vocab_size: usize,
    },
    /// A text has no words or no labels, where spans and labels are compared.
    #[error("text {text_idx} has no words or no labels")]
    NoSpans {
        /// Which text of the batch.
        text_idx: usize,
    },
    /// A word or a label is at a token that the text does not have.
    #[error("a word or label of text {text_idx} is at token {token} of {n_tokens}")]
    Place {
        /// Which text of the batch.
        text_idx: usize,
        /// Number of the token.
        token: usize,
        /// Tokens of the text.
        n_tokens: usize,
    },
    /// There are not as many labels as rows of the output.
    #[error("{n_labels} labels do not fit {n_rows} rows of the output")]
    Labels {
        /// Labels that were given.
        n_labels: usize,
        /// Rows of the output.
        n_rows: usize,
    },
    /// Rows of series and where they start do not fit each other.
    #[error(
        "{n_values} numbers are not the rows of series with {n_channels} channels, which start and end where it is said"
    )]
    Series {
        /// Numbers that were given.
        n_values: usize,
        /// Numbers that a row has.
        n_channels: usize,
    },
    /// The results are not numbers any more.
    #[error("the loss is {0}: the training diverged; a lower learning rate may help")]
    Diverged(f64),
}

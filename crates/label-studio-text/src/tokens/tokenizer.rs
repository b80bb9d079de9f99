//! A tokenizer as it lies beside a model.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tokenizers::{
    EncodeInput, Encoding, InputSequence, PaddingParams, PaddingStrategy, PostProcessor as _,
    TruncationParams, pad_encodings, truncate_encodings,
};

use super::{BytePairs, TokensError, byte_pairs};

const PAD_TOKENS: [&str; 4] = ["[PAD]", "<pad>", "<|endoftext|>", "</s>"];

/// Turns text into tokens. Cheap to share between threads.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    library: tokenizers::Tokenizer,
    /// How a text is cut where all its windows are wanted: the library forgets what comes after the
    /// first.
    windows: Option<TruncationParams>,
    padding: PaddingParams,
    is_padding: bool,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`. The truncation and padding that it was saved with are those of the
    /// last call before and do not count.
    pub fn from_file(path: impl Into<PathBuf>) -> Result<Self, TokensError> {
        let path = path.into();
        let json = match fs::read(&path) {
            Ok(json) => json,
            Err(source) => return Err(TokensError::Read { path, source }),
        };
        Self::from_json(&json, &path)
    }

    /// Reads a tokenizer of two files.
    pub fn from_byte_pairs(files: &BytePairs<'_>) -> Result<Self, TokensError> {
        Self::new(byte_pairs::read(files)?)
    }

    fn from_json(json: &[u8], path: &Path) -> Result<Self, TokensError> {
        let tokenizer = tokenizers::Tokenizer::from_bytes(json).map_err(|source| {
            TokensError::NotATokenizer {
                path: path.to_owned(),
                source,
            }
        })?;
        Self::new(tokenizer)
    }

    fn new(mut tokenizer: tokenizers::Tokenizer) -> Result<Self, TokensError> {
        let saved = tokenizer.get_padding().cloned();
        let padding = saved.unwrap_or_else(|| {
            let mut ids = PAD_TOKENS
                .iter()
                .filter_map(|token| Some((tokenizer.token_to_id(token)?, *token)));
            let (pad_id, token) = ids.next().unwrap_or((0, PAD_TOKENS[0]));
            PaddingParams {
                pad_id,
                pad_token: token.to_owned(),
                ..PaddingParams::default()
            }
        });
        let unlimited = |source| TokensError::Convert(source);
        tokenizer
            .with_padding(None)
            .with_truncation(None)
            .map_err(unlimited)?;
        Ok(Self {
            library: tokenizer,
            windows: None,
            padding,
            is_padding: false,
        })
    }

    /// Cuts texts so that they have at most so many tokens, special ones included.
    pub fn with_max_tokens(mut self, max_tokens: usize) -> Result<Self, TokensError> {
        let truncation = self.truncation(max_tokens, 0)?;
        self.windows = None;
        self.library
            .with_truncation(Some(truncation))
            .map_err(TokensError::Convert)?;
        Ok(self)
    }

    /// Cuts texts into windows of at most `max_tokens` tokens, of which `n_shared` repeat the end
    /// of the window before. The first window is the encoding, the others are its
    /// `get_overflowing`. Of a pair of texts the longer is cut.
    pub fn with_windows(mut self, max_tokens: usize, n_shared: usize) -> Result<Self, TokensError> {
        self.windows = Some(self.truncation(max_tokens, n_shared)?);
        self.library
            .with_truncation(None)
            .map_err(TokensError::Convert)?;
        Ok(self)
    }

    /// Pads the texts of a batch to the longest of them.
    #[must_use]
    pub fn with_padding(mut self) -> Self {
        self.padding.strategy = PaddingStrategy::BatchLongest;
        self.is_padding = true;
        self
    }

    /// Pads every text to `n_tokens`, for models with a fixed length.
    #[must_use]
    pub fn with_fixed_padding(mut self, n_tokens: usize) -> Self {
        self.padding.strategy = PaddingStrategy::Fixed(n_tokens);
        self.padding.pad_to_multiple_of = None;
        self.is_padding = true;
        self
    }

    /// Turns a text, a pair of texts or a list of words into tokens with special ones around;
    /// offsets count characters.
    pub fn encode<'a>(&self, input: impl Into<EncodeInput<'a>>) -> Result<Encoding, TokensError> {
        let encodings = [input.into()];
        let mut encodings = self.encode_batch(encodings)?;
        Ok(encodings.pop().expect("one text gives one encoding"))
    }

    /// Turns words into tokens: `get_word_ids` of the encoding says which word a token belongs to.
    pub fn encode_words(&self, words: &[&str]) -> Result<Encoding, TokensError> {
        self.encode(InputSequence::from(words))
    }

    /// Turns several texts into tokens, padded alike if the tokenizer pads.
    pub fn encode_batch<'a, I>(&self, inputs: I) -> Result<Vec<Encoding>, TokensError>
    where
        I: IntoIterator,
        I::Item: Into<EncodeInput<'a>>,
    {
        let mut encodings = inputs
            .into_iter()
            .map(|input| match &self.windows {
                None => self.library.encode_char_offsets(input.into(), true),
                Some(windows) => self.encode_windows(input.into(), windows),
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(TokensError::Convert)?;
        if self.is_padding {
            pad_encodings(&mut encodings, &self.padding).map_err(TokensError::Convert)?;
        }
        Ok(encodings)
    }

    /// Returns the ids of a text with special tokens around, without the effort that offsets are.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, TokensError> {
        let encoding = self.library.encode_fast(text, true);
        Ok(encoding.map_err(TokensError::Convert)?.get_ids().to_vec())
    }

    /// Returns the ids of a text that has its special tokens already.
    pub fn ids_without_special(&self, text: &str) -> Result<Vec<u32>, TokensError> {
        let encoding = self.library.encode_fast(text, false);
        Ok(encoding.map_err(TokensError::Convert)?.get_ids().to_vec())
    }

    /// Turns ids into text, without the special tokens.
    pub fn decode(&self, ids: &[u32]) -> Result<String, TokensError> {
        self.library.decode(ids, true).map_err(TokensError::Convert)
    }

    /// Returns the id of a token, such as `[SEP]`.
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.library.token_to_id(token)
    }

    /// Returns the token of an id.
    pub fn token(&self, id: u32) -> Option<String> {
        self.library.id_to_token(id)
    }

    /// Returns how many tokens there are, added ones included.
    pub fn n_tokens(&self) -> usize {
        self.library.get_vocab_size(true)
    }

    fn encode_windows(
        &self,
        input: EncodeInput<'_>,
        windows: &TruncationParams,
    ) -> tokenizers::Result<Encoding> {
        let (first, second) = match input {
            EncodeInput::Single(first) => (first, None),
            EncodeInput::Dual(first, second) => (first, Some(second)),
        };
        let bare = |sequence| self.library.encode_char_offsets(sequence, false);
        let first = bare(EncodeInput::Single(first))?;
        let second = second
            .map(|second| {
                let mut second = bare(EncodeInput::Single(second))?;
                second.set_type_ids(vec![1; second.len()]);
                second.set_sequence_id(1);
                tokenizers::Result::Ok(second)
            })
            .transpose()?;
        let windows = TruncationParams {
            max_length: windows.max_length - self.n_special(second.is_some()),
            // The library panics where a part of a pair is cut to less than this.
            stride: if second.is_some() { 0 } else { windows.stride },
            ..windows.clone()
        };
        let (first, second) = truncate_encodings(first, second, &windows)?;
        self.library.post_process(first, second, true)
    }

    fn truncation(
        &self,
        max_tokens: usize,
        n_shared: usize,
    ) -> Result<TruncationParams, TokensError> {
        // The library would accept this, and panic at the first text.
        if max_tokens <= self.n_special(true) + n_shared {
            return Err(TokensError::NoRoom { max_tokens });
        }
        Ok(TruncationParams {
            max_length: max_tokens,
            stride: n_shared,
            ..TruncationParams::default()
        })
    }

    fn n_special(&self, is_pair: bool) -> usize {
        let processor = self.library.get_post_processor();
        processor.map_or(0, |processor| processor.added_tokens(is_pair))
    }
}

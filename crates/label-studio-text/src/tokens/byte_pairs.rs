//! Tokenizers of two files, as GPT-2 and its kin had them before there was `tokenizer.json`.

use std::path::Path;

use tokenizers::{
    AddedToken,
    models::bpe::BPE,
    pre_tokenizers::byte_level::ByteLevel,
    processors::template::{Template, TemplateProcessing},
};

use super::TokensError;

/// A tokenizer that merges bytes to tokens.
#[derive(Debug, Clone)]
pub struct BytePairs<'a> {
    /// `vocab.json`: the ids of the tokens.
    pub vocab: &'a Path,
    /// `merges.txt`: which tokens are merged, the most important first.
    pub merges: &'a Path,
    /// Tokens that are no text.
    pub special: Vec<&'a str>,
    /// Token that every text starts with.
    pub start: Option<&'a str>,
}

/// Reads the files.
pub(super) fn read(files: &BytePairs<'_>) -> Result<tokenizers::Tokenizer, TokensError> {
    let wrong = |source| TokensError::NotATokenizer {
        path: files.vocab.to_owned(),
        source,
    };
    let (vocab, merges) = (
        files.vocab.to_string_lossy(),
        files.merges.to_string_lossy(),
    );
    let model = BPE::from_file(&vocab, &merges).build().map_err(wrong)?;
    let bytes = ByteLevel::new(false, true, true);
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    tokenizer
        .with_pre_tokenizer(Some(bytes))
        .with_decoder(Some(bytes))
        .with_post_processor(Some(bytes));
    let special = files.special.iter();
    let special = special.map(|token| AddedToken::from((*token).to_owned(), true));
    let special: Vec<_> = special.collect();
    tokenizer.add_special_tokens(special).map_err(wrong)?;
    if let Some(start) = files.start
        && let Some(id) = tokenizer.token_to_id(start)
    {
        let other = |problem: String| wrong(problem.into());
        let single = Template::try_from(format!("{start}:0 $A:0")).map_err(other)?;
        let processor = TemplateProcessing::builder()
            .single(single)
            .special_tokens(vec![(start.to_owned(), id)])
            .build()
            .map_err(|error| other(error.to_string()))?;
        tokenizer.with_post_processor(Some(processor));
    }
    Ok(tokenizer)
}

//! Labels and text as the tokens that a model reads.

use std::path::Path;

use label_studio_ml::anyhow::{self, Context, ensure};
use label_studio_text::tokens::{Encoding, Tokenizer};
use label_studio_training::{SpanConfig, SpanText};

/// Tokens of a window where nothing else limits them: the memory of an attention grows with their
/// square.
const MAX_TOKENS: usize = 2048;
/// One word in so many is in two windows.
const SHARED_ONE_IN: usize = 4;

/// Puts labels in front of texts, and cuts long texts into windows.
#[derive(Debug)]
pub(crate) struct Prompter {
    tokenizer: Tokenizer,
    label_token: String,
    separator_token: String,
    /// Whether a label is known by the token in front of it.
    uses_label_token: bool,
    max_words: usize,
    pub(crate) max_width: usize,
    max_tokens: usize,
}

/// A window of a text behind its labels.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) ids: Vec<u32>,
    /// First token of each word; `None` for a word without tokens.
    pub(crate) words: Vec<Option<usize>>,
    /// Token of each label.
    pub(crate) labels: Vec<usize>,
    /// Number of the window's first word in the text.
    pub(crate) first_word: usize,
}

impl Prompter {
    /// Reads the tokenizer of a model that takes so many tokens.
    pub(crate) fn new(
        config: &SpanConfig,
        tokenizer: &Path,
        max_tokens: usize,
    ) -> anyhow::Result<Self> {
        let library = Tokenizer::from_file(tokenizer)?;
        for token in [config.label_token(), config.separator_token()] {
            ensure!(
                library.token_id(token).is_some(),
                "{} has no token {token}: save it once with gliner's save_pretrained, which adds it",
                tokenizer.display()
            );
        }
        Ok(Self {
            tokenizer: library,
            label_token: config.label_token().to_owned(),
            separator_token: config.separator_token().to_owned(),
            uses_label_token: config.uses_label_token(),
            max_words: config.max_words(),
            max_width: config.max_width(),
            max_tokens: max_tokens.min(MAX_TOKENS),
        })
    }

    /// Turns the words of a text into windows behind the labels. A window ends before the model's
    /// limits of words and tokens; the next one repeats its last words, so that every span is in
    /// one of them as a whole.
    pub(crate) fn windows(&self, labels: &[&str], words: &[&str]) -> anyhow::Result<Vec<Window>> {
        let mut windows = Vec::new();
        let mut first = 0;
        while first < words.len() {
            let end = words.len().min(first + self.max_words);
            let (mut window, n_words) = self.window(labels, &words[first..end])?;
            window.first_word = first;
            windows.push(window);
            let end = first + n_words;
            if end == words.len() {
                break;
            }
            let n_shared = (n_words / SHARED_ONE_IN).max(self.max_width);
            first = (end.saturating_sub(n_shared)).max(first + 1);
        }
        Ok(windows)
    }

    /// Returns a window, and how many of the words are in it: at least one.
    fn window(&self, labels: &[&str], words: &[&str]) -> anyhow::Result<(Window, usize)> {
        let mut parts = Vec::with_capacity(2 * labels.len() + 1 + words.len());
        for label in labels {
            parts.extend([self.label_token.as_str(), label]);
        }
        parts.push(&self.separator_token);
        let n_prompt = parts.len();
        parts.extend(words);
        let encoding = self.tokenizer.encode_words(&parts)?;
        let starts = starts(&encoding, parts.len());
        let place = |label: usize| {
            let part = if self.uses_label_token {
                2 * label
            } else {
                2 * label + 1
            };
            starts[part].with_context(|| format!("label {:?} has no tokens", labels[label]))
        };
        let labels: Vec<usize> = (0..labels.len()).map(place).collect::<Result<_, _>>()?;
        let (mut ids, mut n_words) = (encoding.get_ids().to_vec(), words.len());
        if ids.len() > self.max_tokens {
            // The last token is a special one.
            let limit = self.max_tokens - 1;
            let n_behind = starts[n_prompt..]
                .iter()
                .rev()
                .take_while(|start| start.is_none_or(|start| start >= limit))
                .count();
            // The last word that starts within the limit may end beyond it.
            n_words = words.len().saturating_sub(n_behind + 1).max(1);
            let next = starts[n_prompt + n_words..].iter().flatten().next();
            let cut = next.map_or(limit, |next| limit.min(*next));
            ensure!(
                starts[n_prompt].is_none_or(|start| start < cut),
                "the labels leave no room for words: the model takes {} tokens",
                self.max_tokens
            );
            let last = ids[ids.len() - 1];
            ids.truncate(cut);
            ids.push(last);
        }
        let window = Window {
            words: starts[n_prompt..n_prompt + n_words].to_vec(),
            ids,
            labels,
            first_word: 0,
        };
        Ok((window, n_words))
    }
}

impl Window {
    /// Returns the window as a network takes it.
    pub(crate) fn text(&self) -> SpanText<'_> {
        SpanText {
            ids: &self.ids,
            words: &self.words,
            labels: &self.labels,
        }
    }
}

/// Returns the first token of each part.
fn starts(encoding: &Encoding, n_parts: usize) -> Vec<Option<usize>> {
    let mut starts = vec![None; n_parts];
    for (token, part) in encoding.get_word_ids().iter().enumerate() {
        let part = part.and_then(|part| usize::try_from(part).ok());
        if let Some(start) = part.and_then(|part| starts.get_mut(part)) {
            start.get_or_insert(token);
        }
    }
    starts
}

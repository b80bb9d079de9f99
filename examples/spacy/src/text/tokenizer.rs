//! spaCy's tokenizer.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, RwLock},
};

use label_studio_ml::anyhow::{self, Context, ensure};
use rmpv::{Value, decode::read_value};

use super::{
    Doc, Token,
    pattern::Pattern,
    special_cases::{Piece, SpecialCases, placed},
    string_id, unicode,
};

/// Number of a token's text, and of its norm, in an exception.
const ORTH: u64 = 65;
const NORM: u64 = 67;
/// Words whose tokens are remembered, as in spaCy.
const MAX_CACHED: usize = 10_000;
/// Longer sequences without white space are one token: the rules take a time that grows with the
/// square of the length.
const MAX_CHUNK_BYTES: usize = 20_000;

/// Cuts texts into tokens by the rules of a pipeline: white space, exceptions, prefixes, suffixes,
/// infixes, and patterns of words that stay whole.
#[derive(Debug)]
pub(crate) struct Tokenizer {
    rules: Rules,
    cases: SpecialCases,
    cache: RwLock<HashMap<Box<str>, Arc<[Piece]>>>,
}

#[derive(Debug, Default)]
struct Rules {
    prefix: Option<Pattern>,
    suffix: Option<Pattern>,
    infix: Option<Pattern>,
    token: Option<Pattern>,
    url: Option<Pattern>,
}

impl Tokenizer {
    /// Reads the file `tokenizer` of a pipeline.
    pub(crate) fn read(mut bytes: &[u8]) -> anyhow::Result<Self> {
        let fields = read_value(&mut bytes).context("it is no MessagePack")?;
        let fields = fields.as_map().context("it has no fields")?;
        let field = |name: &str| {
            let entry = fields.iter().find(|(key, _)| key.as_str() == Some(name));
            entry.map(|(_, value)| value)
        };
        let pattern = |name: &str, compile: fn(&str) -> anyhow::Result<Pattern>| {
            let text = field(name).and_then(Value::as_str);
            let text = text.filter(|text| !text.is_empty());
            text.map(compile)
                .transpose()
                .with_context(|| name.to_owned())
        };
        let rules = Rules {
            prefix: pattern("prefix_search", Pattern::new)?,
            suffix: pattern("suffix_search", Pattern::new)?,
            infix: pattern("infix_finditer", Pattern::new)?,
            token: pattern("token_match", Pattern::at_start)?,
            url: pattern("url_match", Pattern::at_start)?,
        };
        let is_fast = field("faster_heuristics").and_then(Value::as_bool) != Some(false);
        let mut cases = match field("exceptions") {
            Some(exceptions) => special_cases(exceptions)?,
            None => SpecialCases::default(),
        };
        let needs_matching = |text: &&str| !is_fast || text.contains(' ') || rules.cut(text);
        let texts: Vec<Box<str>> = cases
            .texts()
            .filter(needs_matching)
            .map(Into::into)
            .collect();
        for text in texts {
            let doc = tokenize(&text, |chunk| {
                rules.pieces(chunk, &SpecialCases::default()).into()
            });
            let words = doc.tokens.iter().map(|token| doc.word(token).into());
            cases = cases.with_tokens(words.collect());
        }
        Ok(Self {
            rules,
            cases,
            cache: RwLock::default(),
        })
    }

    /// Cuts a text into tokens.
    pub(crate) fn tokenize<'a>(&self, text: &'a str) -> Doc<'a> {
        self.cases.apply(tokenize(text, |chunk| self.pieces(chunk)))
    }

    /// Returns the tokens of a sequence without blanks.
    fn pieces(&self, chunk: &str) -> Arc<[Piece]> {
        let cached = |cache: &HashMap<Box<str>, Arc<[Piece]>>| cache.get(chunk).cloned();
        if let Some(pieces) = self.cache.read().ok().and_then(|cache| cached(&cache)) {
            return pieces;
        }
        let pieces: Arc<[Piece]> = self.rules.pieces(chunk, &self.cases).into();
        if let Ok(mut cache) = self.cache.write()
            && cache.len() < MAX_CACHED
            && chunk.len() < MAX_CHUNK_BYTES
        {
            cache.insert(chunk.into(), Arc::clone(&pieces));
        }
        pieces
    }
}

impl Rules {
    /// Returns whether the rules find an affix in a text.
    fn cut(&self, text: &str) -> bool {
        let patterns = [&self.prefix, &self.infix, &self.suffix];
        patterns.into_iter().flatten().any(|pattern| {
            pattern
                .find(text, 0)
                .is_some_and(|(start, end)| end > start)
        }) || self.infix.as_ref().is_some_and(|infix| infix.is_in(text))
    }

    /// Cuts a sequence without blanks (`Tokenizer._split_affixes`).
    fn pieces(&self, chunk: &str, cases: &SpecialCases) -> Vec<Piece> {
        if let Some(pieces) = cases.get(chunk) {
            return pieces.to_vec();
        }
        if chunk.len() > MAX_CHUNK_BYTES {
            return vec![piece(chunk)];
        }
        let (mut prefixes, mut suffixes) = (Vec::new(), Vec::new());
        let mut rest = chunk;
        let mut last_bytes = 0;
        while !rest.is_empty() && rest.len() != last_bytes {
            if is_match(self.token.as_ref(), rest) || cases.get(rest).is_some() {
                break;
            }
            last_bytes = rest.len();
            let (prefix, behind) = rest.split_at(first_chars(self.prefix.as_ref(), rest));
            if !prefix.is_empty() && cases.get(behind).is_some() {
                prefixes.push(piece(prefix));
                rest = behind;
                break;
            }
            let n_suffix = last_chars(self.suffix.as_ref(), behind);
            let (before, suffix) = rest.split_at(rest.len() - n_suffix);
            if !suffix.is_empty() && cases.get(before).is_some() {
                suffixes.push(piece(suffix));
                rest = before;
                break;
            }
            if !prefix.is_empty() {
                prefixes.push(piece(prefix));
                rest = behind;
            }
            if !suffix.is_empty() {
                suffixes.push(piece(suffix));
                rest = &rest[..rest.len() - suffix.len()];
            }
        }
        let mut pieces = prefixes;
        pieces.extend(self.middle(rest, cases));
        pieces.extend(suffixes.into_iter().rev());
        pieces
    }

    /// Cuts what is between prefixes and suffixes (`Tokenizer._attach_tokens`).
    fn middle(&self, text: &str, cases: &SpecialCases) -> Vec<Piece> {
        if text.is_empty() {
            return Vec::new();
        }
        if let Some(pieces) = cases.get(text) {
            return pieces.to_vec();
        }
        let is_whole = is_match(self.token.as_ref(), text) || is_match(self.url.as_ref(), text);
        let infixes = match &self.infix {
            Some(infix) if !is_whole => infix.find_all(text),
            _ => Vec::new(),
        };
        let mut pieces = Vec::with_capacity(2 * infixes.len() + 1);
        let mut start = 0;
        for (infix_start, infix_end) in infixes {
            if infix_start == 0 {
                continue;
            }
            pieces.push(piece(&text[start..infix_start]));
            pieces.push(piece(&text[infix_start..infix_end]));
            start = infix_end;
        }
        pieces.push(piece(&text[start..]));
        pieces.retain(|piece| piece.n_bytes > 0);
        pieces
    }
}

/// Reads exceptions: each text with its tokens.
fn special_cases(exceptions: &Value) -> anyhow::Result<SpecialCases> {
    let exceptions = exceptions.as_map().context("its exceptions are no map")?;
    let mut cases = BTreeMap::new();
    for (text, tokens) in exceptions {
        let text = text.as_str().context("an exception has no text")?;
        let tokens = tokens.as_array().context("an exception has no tokens")?;
        let mut pieces = Vec::with_capacity(tokens.len());
        let mut joined = String::new();
        for token in tokens {
            let attributes = token.as_map().context("an exception has no tokens")?;
            let attribute = |number: u64, name: &str| {
                let mut entries = attributes.iter();
                let named =
                    |key: &Value| key.as_u64() == Some(number) || key.as_str() == Some(name);
                let (_, value) = entries.find(|(key, _)| named(key))?;
                value.as_str()
            };
            let word = attribute(ORTH, "ORTH").context("a token of an exception has no text")?;
            joined.push_str(word);
            pieces.push(Piece {
                n_bytes: word.len(),
                norm: attribute(NORM, "NORM").map(string_id),
            });
        }
        ensure!(
            joined == text,
            "the tokens of the exception {text} are not its text"
        );
        cases.insert(Box::from(text), pieces);
    }
    Ok(SpecialCases::new(cases.into_iter().collect()))
}

/// Cuts a text at its blanks (`Tokenizer._tokenize_affixes`): of white space, each first blank
/// behind a word belongs to no token.
fn tokenize(text: &str, pieces: impl Fn(&str) -> Arc<[Piece]>) -> Doc<'_> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut start = 0;
    let mut in_space = text.chars().next().is_some_and(unicode::is_space);
    let mut add = |start: usize, end: usize, has_space: bool| {
        if start < end {
            tokens.extend(placed(&pieces(&text[start..end]), start));
        }
        if has_space && let Some(token) = tokens.last_mut() {
            token.has_space = true;
        }
    };
    for (at, character) in text.char_indices() {
        if unicode::is_space(character) != in_space {
            let is_blank = character == ' ';
            add(start, at, is_blank);
            start = if is_blank { at + 1 } else { at };
            in_space = !in_space;
        }
    }
    add(start, text.len(), false);
    Doc { text, tokens }
}

fn piece(text: &str) -> Piece {
    Piece {
        n_bytes: text.len(),
        norm: None,
    }
}

fn is_match(pattern: Option<&Pattern>, text: &str) -> bool {
    pattern.is_some_and(|pattern| pattern.is_in(text))
}

/// Returns how many bytes of the start are as long as the first match, in characters.
fn first_chars(pattern: Option<&Pattern>, text: &str) -> usize {
    match pattern.and_then(|pattern| pattern.find(text, 0)) {
        Some((0, end)) => end,
        Some((start, end)) => {
            let n_chars = text[start..end].chars().count();
            let mut rest = text.char_indices();
            rest.nth(n_chars).map_or(text.len(), |(at, _)| at)
        }
        None => 0,
    }
}

/// Returns how many bytes of the end are as long as the first match, in characters.
fn last_chars(pattern: Option<&Pattern>, text: &str) -> usize {
    match pattern.and_then(|pattern| pattern.find(text, 0)) {
        Some((start, end)) if end == text.len() => end - start,
        Some((start, end)) => {
            let n_chars = text[start..end].chars().count();
            let mut rest = text.char_indices().rev();
            let start = n_chars.checked_sub(1).and_then(|last| rest.nth(last));
            start.map_or(0, |(at, _)| text.len() - at)
        }
        None => 0,
    }
}

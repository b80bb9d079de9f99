//! Attributes of words.

use std::collections::HashMap;

use label_studio_ml::anyhow::{self, Context, bail};
use rmpv::{Value, decode::read_value};

use super::{Doc, Token, norms::base_norm, string_id, unicode};

/// Words of this length and longer have no shape of their own.
const LONG_WORD: usize = 100;
/// Equal characters of a shape that are kept.
const MAX_RUN: usize = 4;
/// Characters of a suffix.
const SUFFIX_CHARS: usize = 3;
/// The table of a pipeline with the norms of words.
const NORM_TABLE: &str = "lexeme_norm";

/// What a network may read of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Attribute {
    Orth,
    Lower,
    Norm,
    Shape,
    Prefix,
    Suffix,
    Length,
    Spacy,
    IsAlpha,
    IsAscii,
    IsDigit,
    IsLower,
    IsPunct,
    IsSpace,
    IsTitle,
    IsUpper,
}

/// The norms of words, in the order in which they are looked up: the pipeline's, those of all
/// languages, the word in lower case.
#[derive(Debug, Default)]
pub(crate) struct Lexicon {
    norms: HashMap<u64, u64>,
}

impl Attribute {
    /// Finds an attribute by spaCy's name or number.
    pub(crate) fn parse(column: &Value) -> anyhow::Result<Self> {
        let name = match column.as_u64() {
            Some(number) => number.to_string(),
            None => column
                .as_str()
                .context("the attributes of the embedding have no names")?
                .to_owned(),
        };
        Ok(match name.as_str() {
            "ORTH" | "TEXT" | "65" => Self::Orth,
            "LOWER" | "66" => Self::Lower,
            "NORM" | "67" => Self::Norm,
            "SHAPE" | "68" => Self::Shape,
            "PREFIX" | "69" => Self::Prefix,
            "SUFFIX" | "70" => Self::Suffix,
            "LENGTH" | "71" => Self::Length,
            "SPACY" | "81" => Self::Spacy,
            "IS_ALPHA" | "1" => Self::IsAlpha,
            "IS_ASCII" | "2" => Self::IsAscii,
            "IS_DIGIT" | "3" => Self::IsDigit,
            "IS_LOWER" | "4" => Self::IsLower,
            "IS_PUNCT" | "5" => Self::IsPunct,
            "IS_SPACE" | "6" => Self::IsSpace,
            "IS_TITLE" | "7" => Self::IsTitle,
            "IS_UPPER" | "8" => Self::IsUpper,
            _ => {
                bail!("the embedding reads the attribute {name}, which this backend does not know")
            }
        })
    }
}

impl Lexicon {
    /// Reads `vocab/lookups.bin`.
    pub(crate) fn read(mut bytes: &[u8]) -> anyhow::Result<Self> {
        let tables = read_value(&mut bytes).context("it is no MessagePack")?;
        let tables = tables.as_map().context("it has no tables")?;
        let table = tables
            .iter()
            .find(|(name, _)| name.as_str() == Some(NORM_TABLE));
        let Some((_, table)) = table else {
            return Ok(Self::default());
        };
        let entries = table.as_map().context("the table of norms is no map")?;
        let norm =
            |(word, norm): &(Value, Value)| Some((word.as_u64()?, string_id(norm.as_str()?)));
        Ok(Self {
            norms: entries.iter().filter_map(norm).collect(),
        })
    }

    /// Returns the number of an attribute of a token.
    pub(crate) fn value(&self, attribute: Attribute, doc: &Doc<'_>, token: &Token) -> u64 {
        let word = doc.word(token);
        let all = |is: fn(char) -> bool| u64::from(word.chars().all(is));
        match attribute {
            Attribute::Orth => string_id(word),
            Attribute::Lower => string_id(&word.to_lowercase()),
            Attribute::Norm => token.norm.unwrap_or_else(|| self.norm(word)),
            Attribute::Shape => string_id(&shape(word)),
            Attribute::Prefix => {
                let end = word.chars().next().map_or(0, char::len_utf8);
                string_id(&word[..end])
            }
            Attribute::Suffix => {
                let start = word.char_indices().rev().nth(SUFFIX_CHARS - 1);
                string_id(&word[start.map_or(0, |(start, _)| start)..])
            }
            Attribute::Length => word.chars().count() as u64,
            Attribute::Spacy => u64::from(token.has_space),
            Attribute::IsAlpha => all(unicode::is_alpha),
            Attribute::IsAscii => u64::from(word.is_ascii()),
            Attribute::IsDigit => all(unicode::is_digit),
            Attribute::IsPunct => all(unicode::is_punctuation),
            Attribute::IsSpace => all(unicode::is_space),
            Attribute::IsLower => u64::from(has_case(word, char::is_lowercase, |character| {
                character.is_uppercase() || unicode::is_title_case(character)
            })),
            Attribute::IsUpper => u64::from(has_case(word, char::is_uppercase, |character| {
                character.is_lowercase() || unicode::is_title_case(character)
            })),
            Attribute::IsTitle => u64::from(is_title(word)),
        }
    }

    fn norm(&self, word: &str) -> u64 {
        if let Some(norm) = self.norms.get(&string_id(word)) {
            return *norm;
        }
        match base_norm(word) {
            Some(norm) => string_id(norm),
            None => string_id(&word.to_lowercase()),
        }
    }
}

/// `spacy.lang.lex_attrs.word_shape`: `X` for capitals, `x` for other letters, `d` for digits; runs
/// of more than four equal ones are cut.
fn shape(word: &str) -> String {
    if word.chars().nth(LONG_WORD - 1).is_some() {
        return "LONG".to_owned();
    }
    let mut shape = String::with_capacity(word.len());
    let (mut last, mut run) = (None, 0);
    for character in word.chars() {
        let kind = if unicode::is_alpha(character) {
            if character.is_uppercase() { 'X' } else { 'x' }
        } else if unicode::is_digit(character) {
            'd'
        } else {
            character
        };
        run = if last == Some(kind) { run + 1 } else { 0 };
        last = Some(kind);
        if run < MAX_RUN {
            shape.push(kind);
        }
    }
    shape
}

/// Whether a word has a character of one case and none of the others.
fn has_case(word: &str, wanted: fn(char) -> bool, other: fn(char) -> bool) -> bool {
    word.chars().any(wanted) && !word.chars().any(other)
}

/// `str.istitle`.
fn is_title(word: &str) -> bool {
    let (mut follows_cased, mut has_cased) = (false, false);
    for character in word.chars() {
        if character.is_uppercase() || unicode::is_title_case(character) {
            if follows_cased {
                return false;
            }
            (follows_cased, has_cased) = (true, true);
        } else if character.is_lowercase() {
            if !follows_cased {
                return false;
            }
            (follows_cased, has_cased) = (true, true);
        } else {
            follows_cased = false;
        }
    }
    has_cased
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn shapes_are_those_of_spacy() {
        let check = |word: &str, expected: &str| assert_eq!(shape(word), expected, "{word}");
        check("Nasdaq", "Xxxxx");
        check("C3PO", "XdXX");
        check("1234567", "dddd");
        check("naïve²①", "xxxxdd");
        check("e\u{301}-👩", "x\u{301}-👩");
        check("a999b", "xdddx");
        check(&"x".repeat(99), "xxxx");
        check(&"x".repeat(100), "LONG");
    }
}

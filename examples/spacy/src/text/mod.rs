//! Texts as spaCy sees them: tokens, and the attributes of words.

mod doc;
mod hashing;
mod lexicon;
mod norms;
mod pattern;
mod python_regex;
mod special_cases;
mod symbols;
mod tokenizer;
mod unicode;

pub(crate) use doc::{Doc, Token};
pub(crate) use hashing::{hash_keys, string_id};
pub(crate) use lexicon::{Attribute, Lexicon};
pub(crate) use tokenizer::Tokenizer;

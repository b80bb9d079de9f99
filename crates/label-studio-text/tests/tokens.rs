//! Tokens as the Python library makes them, from the same file.

use std::path::PathBuf;

use label_studio_text::tokens::{Encoding, TokenBatch, Tokenizer, TokensError};
use ndarray::array;
use serde::Deserialize;
use serde_json::Value;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tokens");

#[derive(Debug, PartialEq, Deserialize)]
struct Described {
    ids: Vec<u32>,
    tokens: Vec<String>,
    offsets: Vec<(usize, usize)>,
    words: Vec<Option<u32>>,
    special: Vec<u32>,
    type_ids: Vec<u32>,
    attention_mask: Vec<u32>,
}

impl From<&Encoding> for Described {
    fn from(encoding: &Encoding) -> Self {
        Self {
            ids: encoding.get_ids().to_vec(),
            tokens: encoding.get_tokens().to_vec(),
            offsets: encoding.get_offsets().to_vec(),
            words: encoding.get_word_ids().to_vec(),
            special: encoding.get_special_tokens_mask().to_vec(),
            type_ids: encoding.get_type_ids().to_vec(),
            attention_mask: encoding.get_attention_mask().to_vec(),
        }
    }
}

fn tokenizer() -> Tokenizer {
    Tokenizer::from_file(format!("{FIXTURES}/tokenizer.json")).unwrap()
}

fn expected() -> Value {
    let json = std::fs::read_to_string(format!("{FIXTURES}/expected.json")).unwrap();
    serde_json::from_str(&json).unwrap()
}

fn described(value: &Value) -> Described {
    Described::deserialize(value).unwrap()
}

fn all_described(values: &Value) -> Vec<Described> {
    values.as_array().unwrap().iter().map(described).collect()
}

fn all_windows(first: &Encoding) -> Vec<Described> {
    let windows = std::iter::once(first).chain(first.get_overflowing());
    windows.map(Described::from).collect()
}

#[test]
fn texts_become_the_tokens_of_the_python_library_with_character_offsets() {
    let texts = expected()["texts"].as_array().unwrap().clone();
    assert_eq!(texts.len(), 9);
    for text in texts {
        let encoding = tokenizer().encode(text["text"].as_str().unwrap()).unwrap();
        assert_eq!(Described::from(&encoding), described(&text));
    }
}

#[test]
fn pairs_and_words_say_where_a_token_belongs() {
    let encoding = tokenizer().encode(("a cat", "red dogs")).unwrap();
    assert_eq!(Described::from(&encoding), described(&expected()["pair"]));
    let encoding = tokenizer()
        .encode_words(&["Anna", "lives", "Köln"])
        .unwrap();
    assert_eq!(Described::from(&encoding), described(&expected()["words"]));
}

#[test]
fn long_texts_are_cut_or_become_windows() {
    let text = "a red cat lives in koln.";
    let windows = tokenizer()
        .with_windows(6, 1)
        .unwrap()
        .encode(text)
        .unwrap();
    assert_eq!(all_windows(&windows), all_described(&expected()["windows"]));
    let pair = ("a red cat", "lives in koln.");
    for tokenizer in [
        tokenizer().with_windows(6, 1),
        tokenizer().with_max_tokens(6),
    ] {
        let pair = tokenizer.unwrap().encode(pair).unwrap();
        assert_eq!(Described::from(&pair), described(&expected()["cut_pair"]));
    }
    let cut = tokenizer()
        .with_max_tokens(6)
        .unwrap()
        .encode(text)
        .unwrap();
    assert_eq!(
        cut.get_tokens(),
        ["[CLS]", "a", "red", "cat", "lives", "[SEP]"]
    );
}

#[test]
fn batches_are_padded_to_the_longest_or_to_a_length() {
    let texts = ["a cat", "a", "two red dogs"];
    let padded = tokenizer().with_padding().encode_batch(texts).unwrap();
    let described: Vec<_> = padded.iter().map(Described::from).collect();
    assert_eq!(described, all_described(&expected()["batch"]));

    let batch = TokenBatch::new(
        &tokenizer()
            .with_fixed_padding(5)
            .encode_batch(["a", "cat dog"])
            .unwrap(),
    );
    assert_eq!(
        batch.attention_mask,
        array![[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]]
    );
    assert_eq!(batch.ids.dim(), (2, 5));
    let ragged = TokenBatch::new(&tokenizer().encode_batch(["a", "cat dog"]).unwrap());
    assert_eq!(ragged.attention_mask, array![[1, 1, 1, 0], [1, 1, 1, 1]]);
    assert_eq!(TokenBatch::new(&[]).ids.dim(), (0, 0));
}

#[test]
fn ids_become_text_again() {
    let tokenizer = tokenizer();
    let encoding = tokenizer.encode("red cats").unwrap();
    assert_eq!(tokenizer.decode(encoding.get_ids()).unwrap(), "red cats");
    let sep = tokenizer.token_id("[SEP]").unwrap();
    assert_eq!(tokenizer.token(sep).unwrap(), "[SEP]");
    assert_eq!(tokenizer.token_id("zebra"), None);
    assert!(tokenizer.n_tokens() > 50);
}

#[test]
fn what_is_no_tokenizer_is_named_with_the_fix() {
    let missing = Tokenizer::from_file(PathBuf::from("no/tokenizer.json")).unwrap_err();
    assert!(
        missing.to_string().contains("no/tokenizer.json"),
        "{missing}"
    );
    let other = Tokenizer::from_file(format!("{FIXTURES}/expected.json")).unwrap_err();
    assert!(matches!(other, TokensError::NotATokenizer { .. }));
    assert!(other.to_string().contains("save_pretrained"), "{other}");
    for max_tokens in 0..=3 {
        let error = tokenizer().with_max_tokens(max_tokens).unwrap_err();
        assert!(error.to_string().contains("no room"), "{error}");
    }
    assert!(tokenizer().with_windows(6, 4).is_err());
}

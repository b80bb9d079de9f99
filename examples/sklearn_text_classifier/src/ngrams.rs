//! Cuts a text into n-grams as scikit-learn's word analyzer does with the token pattern
//! `\b\w\w+\b|\w`.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Longest n-gram, in tokens.
const MAX_TOKENS: usize = 3;

/// Calls `visit` with every n-gram of `text`: single tokens first, then pairs, then triples.
///
/// The text is lower-cased before. A token is a longest run of word characters: that is all the
/// pattern finds, since a run of one character matches its second half and any longer run its
/// first.
pub fn for_each_ngram(text: &str, mut visit: impl FnMut(&str)) {
    let text = text.to_lowercase();
    let tokens = tokens(&text);
    let mut ngram = String::new();
    for n_tokens in 1..=MAX_TOKENS {
        for window in tokens.windows(n_tokens) {
            ngram.clear();
            for (token_idx, token) in window.iter().enumerate() {
                if token_idx > 0 {
                    ngram.push(' ');
                }
                ngram.push_str(token);
            }
            visit(&ngram);
        }
    }
}

fn tokens(text: &str) -> Vec<&str> {
    text.split(|c| !is_word_char(c))
        .filter(|token| !token.is_empty())
        .collect()
}

/// Returns whether Python's `\w` matches `c`: letters, numbers and the underscore, but no combining
/// marks.
fn is_word_char(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    let group = c.general_category_group();
    matches!(
        group,
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number
    )
}

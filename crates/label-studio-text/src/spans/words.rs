//! Words of a text.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};

/// A word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// The word.
    pub text: &'a str,
    /// Its first character.
    pub start: usize,
    /// The character behind it.
    pub end: usize,
}

/// Splits a text into words: letters, digits and underscores, also joined by single hyphens, and
/// every other character that is no space by itself. That is `\w+(?:[-_]\w+)*|\S` as Python's `re`
/// reads it.
pub fn words(text: &str) -> Vec<Word<'_>> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let byte = |idx: usize| chars.get(idx).map_or(text.len(), |(byte, _)| *byte);
    let is_word = |idx: usize| chars.get(idx).is_some_and(|(_, c)| is_word_char(*c));
    let mut words = Vec::new();
    let mut start = 0;
    while start < chars.len() {
        let mut end = start + 1;
        if is_word(start) {
            loop {
                while is_word(end) {
                    end += 1;
                }
                let is_hyphen = chars.get(end).is_some_and(|(_, c)| *c == '-');
                if !(is_hyphen && is_word(end + 1)) {
                    break;
                }
                end += 1;
            }
        } else if is_space(chars[start].1) {
            start = end;
            continue;
        }
        words.push(Word {
            text: &text[byte(start)..byte(end)],
            start,
            end,
        });
        start = end;
    }
    words
}

/// What `\w` is in Python: unlike elsewhere, no combining marks.
fn is_word_char(c: char) -> bool {
    let group = c.general_category_group();
    c == '_'
        || matches!(
            group,
            GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number
        )
}

/// What `\s` is in Python.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

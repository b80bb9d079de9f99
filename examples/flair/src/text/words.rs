//! Words by the rules of segtok 1.5.11 (`segtok/tokenizer.py`).

use fancy_regex::Regex as LookRegex;
use label_studio_ml::anyhow::{self, Context};
use regex::Regex;

use super::segmenter::{HYPHENS, Segmenter, TERMINALS};

const APOSTROPHES: &str = "'\u{b4}\u{2b9}\u{2bc}\u{2019}\u{2032}";
/// Steps after which an expression gives up on a word.
const MAX_STEPS: usize = 5_000_000;

/// Cuts texts into words as Flair's `SegtokTokenizer` does.
#[derive(Debug)]
pub(crate) struct Segtok {
    segmenter: Segmenter,
    word: LookRegex,
    broken_word: Regex,
    apostrophe: Regex,
    contraction: Regex,
}

impl Segtok {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let regex = |pattern: &str| Regex::new(pattern).with_context(|| pattern.to_owned());
        let letter = r"\p{Ll}\p{Lm}\p{Lt}\p{Lu}";
        let alnum = format!(r"[{letter}\p{{Nd}}\p{{Nl}}]");
        let number = r"[\p{Nd}\p{Nl}]";
        let apostrophe = "[\u{b4}\u{2b9}\u{2bc}\u{2019}\u{2032}]";
        let any_apostrophe = "['\u{b4}\u{2b9}\u{2bc}\u{2019}\u{2032}]";
        let hyphen = format!("[{HYPHENS}]");
        let word = [
            format!(r"{alnum}\.(?!\.\.)"),
            format!(r"{alnum},(?={alnum})"),
            format!(r"{number}:(?={number})"),
            format!(r"{alnum}{apostrophe}?{hyphen}(?={alnum})"),
            format!(r"{apostrophe}(?!{apostrophe})"),
            format!(r"{alnum}'(?={alnum})"),
            r"s'\z".to_owned(),
            format!(r"\b[yzafpnµmcdhkMGTPEZY]?[{letter}]{{1,3}}⁻?[¹²³]\z"),
            r"\b(?:[A-Z][a-z]?|[)\]])+[₀-₉]+(?:[²³]?[⁺⁻])?".to_owned(),
            alnum.clone(),
        ];
        let word = format!("(?:{})+", word.join("|"));
        let word = fancy_regex::RegexBuilder::new(&word)
            .backtrack_limit(MAX_STEPS)
            .build();
        Ok(Self {
            segmenter: Segmenter::new()?,
            word: word.context("words")?,
            broken_word: regex(&format!(
                r"({alnum}{hyphen})[\p{{Zs}}\t]*?(?:\r\n|\n|\r|\u{{2028}})[\p{{Zs}}\t]*?({alnum})"
            ))?,
            apostrophe: regex(&format!("^{apostrophe}"))?,
            contraction: regex(&format!(
                r"^{alnum}+(?:{hyphen}{alnum}+)*{any_apostrophe}(?:d|ll|m|re|s|t|ve)\z"
            ))?,
        })
    }

    /// Cuts a text into words.
    pub(crate) fn words(&self, text: &str) -> Vec<String> {
        let sentences = self.segmenter.sentences(text);
        let words = sentences
            .iter()
            .flat_map(|sentence| self.words_of(sentence));
        let words = words.flat_map(|word| self.contraction(word));
        words.filter(|word| !word.is_empty()).collect()
    }

    /// Cuts a sentence into words (`word_tokenizer`).
    fn words_of(&self, sentence: &str) -> Vec<String> {
        let whole = self.broken_word.replace_all(sentence, "$1$2");
        let mut words: Vec<String> = Vec::new();
        for span in whole.split_whitespace() {
            let mut start = 0;
            for (from, to) in self.matches(span) {
                words.extend([span[start..from].to_owned(), span[from..to].to_owned()]);
                start = to;
            }
            words.push(span[start..].to_owned());
        }
        words.retain(|word| !word.is_empty());
        without_commas(self.without_terminal(words))
    }

    fn matches(&self, span: &str) -> Vec<(usize, usize)> {
        let matches = self.word.find_iter(span).map_while(Result::ok);
        matches.map(|found| (found.start(), found.end())).collect()
    }

    /// Takes the end of the sentence off one of its last three words.
    fn without_terminal(&self, mut words: Vec<String>) -> Vec<String> {
        let n_words = words.len();
        for at in (n_words.saturating_sub(3)..n_words).rev() {
            let word = words[at].clone();
            let starts_a_word = self
                .matches(&word)
                .first()
                .is_some_and(|(start, _)| *start == 0);
            let has_terminal = word.contains(|character: char| TERMINALS.contains(character));
            if !has_terminal && (!starts_a_word || self.apostrophe.is_match(&word)) {
                continue;
            }
            let mut characters = word.chars();
            let (first, last) = (characters.next(), characters.next_back());
            let is_terminal =
                |character: Option<char>| character.is_some_and(|one| TERMINALS.contains(one));
            // A single character has no last one besides the first.
            let border = if last.is_none() || word == "..." {
                None
            } else if is_terminal(last) {
                last.map(|last| word.len() - last.len_utf8())
            } else if is_terminal(first) {
                first.map(char::len_utf8)
            } else {
                None
            };
            if let Some(border) = border {
                word[..border].clone_into(&mut words[at]);
                words.insert(at + 1, word[border..].to_owned());
            }
            break;
        }
        words
    }

    /// Splits a contraction such as `don't` (`split_contractions`).
    fn contraction(&self, word: String) -> Vec<String> {
        if !self.contraction.is_match(&word) {
            return vec![word];
        }
        let Some(at) = word.rfind(|character: char| APOSTROPHES.contains(character)) else {
            return vec![word];
        };
        let is_not = word.chars().count() > 2
            && word.ends_with('t')
            && word[at..].chars().count() == 2
            && word[..at].ends_with('n');
        let (start, end) = word.split_at(if is_not { at - 1 } else { at });
        vec![start.to_owned(), end.to_owned()]
    }
}

/// Takes commas, colons and semicolons off the ends of words.
fn without_commas(words: Vec<String>) -> Vec<String> {
    let mut cut = Vec::with_capacity(words.len());
    for word in words {
        let is_mark = |character: char| ",;:".contains(character);
        let bare = word.trim_end_matches(is_mark);
        let first = word.chars().next().map_or(0, char::len_utf8);
        // A word of marks only keeps its first one.
        let (bare, marks) = word.split_at(bare.len().max(first));
        let marks = marks.chars().map(String::from);
        cut.extend(std::iter::once(bare.to_owned()).chain(marks));
    }
    cut
}

//! Sentences by the rules of segtok 1.5.11 (`segtok/segmenter.py`).

use fancy_regex::Regex as LookRegex;
use label_studio_ml::anyhow::{self, Context};
use regex::Regex;

/// Characters that end a sentence.
pub(super) const TERMINALS: &str = ".!?\u{203c}\u{203d}\u{2047}\u{2048}\u{2049}\u{3002}\u{fe52}\u{fe57}\u{ff01}\u{ff0e}\u{ff1f}\u{ff61}";
/// Characters that join words, inside of a class.
pub(super) const HYPHENS: &str =
    "\u{ad}\u{58a}\u{5be}\u{f0c}\u{1400}\u{1806}\u{2010}-\u{2012}\u{2e17}\u{30a0}\\-";
/// Abbreviations that do not end a sentence.
const ABBREVIATIONS: &str = r"Abr|Approx|Apr|Aug|Capt|Cf|Col|Dec|Dez|Dic|Dr|E\.?g|E\.U|Ene|F\.?e|Feb|Figs?|Gen|I\.?e|I\.?v|Jan|Jul|Jun|Jän|Mag|Mar|May|Med|Mr|Mrs|Mt|Mär|Nat|No|Nov|Nr|Oct|Okt|P\.e|Phil|Prof|Rer|Sci|Sep|Sept|Sgt|Sr|Sra|Srta|St|U\.K|U\.S|Univ|Vol|Vs|Z\.b|approx|cf|e\.?g|f\.?e|figs?|i\.?e|i\.?v|med|nat|nr|p\.e|phil|prof|rer|sci|univ|vol|vs|z\.B";
/// Parts of a sentence in brackets that are shorter are no sentences of their own.
const SHORT: usize = 55;

/// Cuts texts into sentences.
#[derive(Debug)]
pub(super) struct Segmenter {
    border: Regex,
    abbreviation: LookRegex,
    date_digits: Regex,
    month: Regex,
    continuation: Regex,
    before_lower: Regex,
    lower_word: Regex,
    middle_initial: Regex,
    upper_word: Regex,
    lone_word: Regex,
    upper_case_end: Regex,
    upper_case_start: Regex,
}

impl Segmenter {
    pub(super) fn new() -> anyhow::Result<Self> {
        let regex = |pattern: &str| Regex::new(pattern).with_context(|| pattern.to_owned());
        // `(?<!\b\p{Lu}\p{Lm}?)` has two lengths, so it is written twice.
        let abbreviation = format!(
            r"(?:\b(?:{ABBREVIATIONS})|^\S|^\d+|(?:\b(?:[Bb]y|[Cc](?:aptain|ommander)|[Dd]o[ck]tor|[Gg]eneral|[Mm](?:ag)?is(?:ter|s)|[Pp]rofessor|[Ss]eñor(?:it)?a?)\s|(?:(?<!\b\p{{Lu}})(?<!\b\p{{Lu}}\p{{Lm}}),(?:\sand)?|(?<!\b[\p{{Lu}},])(?<!\b[\p{{Lu}},]\p{{Lm}})\sand)\s|[\[\(])(?:[\p{{Lu}}\p{{Lt}}]\p{{Lm}}?\.[{HYPHENS}]?)?[\p{{Lu}}\p{{Lt}}]\p{{Lm}}?)\z"
        );
        Ok(Self {
            border: regex(&format!(
                r#"[{TERMINALS}]['\u{{2019}}"\u{{201d}}]?[\])]*\s+|\n+"#
            ))?,
            abbreviation: LookRegex::new(&abbreviation).context("abbreviations")?,
            date_digits: regex(r"\b[0123]?[0-9]\z")?,
            month: regex(
                r"^(?:J[äa]n|Ene|Feb|M[äa]r|A[pb]r|May|Jun|Jul|Aug|Sep|O[ck]t|Nov|D[ei][cz]|0?[1-9]|1[012])",
            )?,
            continuation: regex(
                r"^(?:and|are|between|by|from|has|into|is|o[fr]|than|that|through|via|was|were|whether|with)\b",
            )?,
            before_lower: regex(&format!(
                r#"(?:[{TERMINALS}]"[)\]]*|[{TERMINALS}][)\]]+|\bspp\.|\b\p{{L}}\p{{Ll}}?\.)\s+\z"#
            ))?,
            lower_word: regex(&format!(r"^\p{{Ll}}+[{HYPHENS}]?\p{{Ll}}*\b"))?,
            middle_initial: regex(r"\b\p{Lu}\p{Ll}+\W+\p{Lu}\z")?,
            upper_word: regex(r"^\p{Lu}\p{Ll}+\b")?,
            lone_word: regex(&format!(r"^\p{{Ll}}+[\p{{Ll}}\p{{Nd}}{HYPHENS}]*\z"))?,
            upper_case_end: regex(r"\b[\p{Lu}\p{Lt}]\p{L}*\.\s+\z")?,
            upper_case_start: regex(r"^(?:(?:\(\d{4}\)\s)?[\p{Lu}\p{Lt}]\p{L}*|\d+)[.,:]\s+")?,
        })
    }

    /// Cuts a text into sentences, none of which has a line break (`split_single`).
    pub(super) fn sentences(&self, text: &str) -> Vec<String> {
        let joined = self.joined(self.candidates(text));
        let lines = joined.iter().flat_map(|sentence| sentence.split('\n'));
        lines.map(str::to_owned).collect()
    }

    /// Returns parts that end at a border, except at abbreviations (`_abbreviation_joiner`).
    fn candidates<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let mut candidates = Vec::new();
        let (mut start, mut before) = (0, 0);
        for border in self.border.find_iter(text) {
            let previous = &text[before..border.start()];
            let behind = &text[border.end()..];
            let next = match self.border.find(behind) {
                Some(border) => &behind[..border.start()],
                None => behind,
            };
            if !self.is_inside(previous, border.as_str(), next) {
                candidates.push(&text[start..border.end()]);
                start = border.end();
            }
            before = border.end();
        }
        candidates.push(&text[start..]);
        candidates
    }

    /// Returns whether a border is inside of a sentence.
    fn is_inside(&self, previous: &str, border: &str, next: &str) -> bool {
        if previous.chars().next_back().is_some_and(is_space) {
            return true;
        }
        if !border.starts_with('.') {
            return false;
        }
        let is_abbreviation = self.abbreviation.is_match(previous).unwrap_or(false);
        is_abbreviation
            || (!next.is_empty()
                && (self.lone_word.is_match(next)
                    || (self.date_digits.is_match(previous) && self.month.is_match(next))
                    || (self.middle_initial.is_match(previous) && self.upper_word.is_match(next))))
    }

    /// Joins parts that are one sentence (`_sentences`).
    fn joined(&self, candidates: Vec<&str>) -> Vec<String> {
        let mut sentences = Vec::new();
        let mut last: Option<String> = None;
        for current in candidates {
            last = Some(match last {
                Some(mut open) if self.goes_on(&open, current) => {
                    open.push_str(current);
                    open
                }
                Some(done) => {
                    sentences.push(done);
                    current.to_owned()
                }
                None => current.to_owned(),
            });
        }
        sentences.extend(last);
        sentences
            .iter()
            .map(|sentence| sentence.trim_matches(is_space).to_owned())
            .collect()
    }

    fn goes_on(&self, last: &str, current: &str) -> bool {
        if self.before_lower.is_match(last) && self.lower_word.is_match(current) {
            return true;
        }
        let is_short = |text: &str| text.chars().count() < SHORT;
        let in_brackets = |open: char, close: char| {
            is_open(last, open, close)
                && (is_not_opened(current, open, close)
                    || last.ends_with(" et al. ")
                    || (self.upper_case_end.is_match(last)
                        && self.upper_case_start.is_match(current)))
        };
        ((is_short(current) || is_short(last)) && (in_brackets('(', ')') || in_brackets('[', ']')))
            || self.continuation.is_match(current)
    }
}

/// `str.isspace` of Python.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// Whether a text ends inside of brackets.
fn is_open(text: &str, open: char, close: char) -> bool {
    let start = text.find(open).unwrap_or(text.len());
    text[start..].matches(open).count() > text[start..].matches(close).count()
}

/// Whether a text starts inside of brackets.
fn is_not_opened(text: &str, open: char, close: char) -> bool {
    let end = text.rfind(close).map_or(0, |at| at + close.len_utf8());
    text[..end].matches(close).count() > text[..end].matches(open).count()
}

//! Which recogniser reads which languages, and which characters are allowed.

use std::collections::{BTreeMap, HashSet};

use label_studio_ml::{
    anyhow::{self, Context, bail, ensure},
    serde_json,
};
use serde::Deserialize;

/// Facts about the models of EasyOCR 1.7.2, written by `fixtures/characters.py`.
const CHARACTERS: &str = include_str!("languages/characters.json");

const ARABIC: [&str; 4] = ["ar", "fa", "ug", "ur"];
const BENGALI: [&str; 3] = ["bn", "as", "mni"];
const CYRILLIC: [&str; 17] = [
    "ru",
    "rs_cyrillic",
    "be",
    "bg",
    "uk",
    "mn",
    "abq",
    "ady",
    "kbd",
    "ava",
    "dar",
    "inh",
    "che",
    "lbe",
    "lez",
    "tab",
    "tjk",
];
const DEVANAGARI: [&str; 13] = [
    "hi", "mr", "ne", "bh", "mai", "ang", "bho", "mah", "sck", "new", "gom", "sa", "bgc",
];
const LATIN: &str = "latin_g2";
const ENGLISH: &str = "en";
/// Recognisers by their languages, in the library's order: the first with one of them is taken, and
/// the others must be English or its own.
const RECOGNISERS: [(&str, &[&str]); 12] = [
    ("thai_g1", &["th"]),
    ("zh_tra_g1", &["ch_tra"]),
    ("zh_sim_g2", &["ch_sim"]),
    ("japanese_g2", &["ja"]),
    ("korean_g2", &["ko"]),
    ("tamil_g1", &["ta"]),
    ("telugu_g2", &["te"]),
    ("kannada_g2", &["kn"]),
    ("bengali_g1", &BENGALI),
    ("arabic_g1", &ARABIC),
    ("devanagari_g1", &DEVANAGARI),
    ("cyrillic_g2", &CYRILLIC),
];

/// The languages and recognisers of EasyOCR.
#[derive(Debug, Clone, Deserialize)]
pub struct Languages {
    recognisers: BTreeMap<String, Characters>,
    /// Characters of a language; `null` where the library has no list.
    languages: BTreeMap<String, Option<String>>,
}

#[derive(Debug, Clone, Deserialize)]
struct Characters {
    characters: String,
    symbols: String,
}

/// The recogniser for some languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its name, such as `english_g2`.
    pub name: String,
    /// The characters of its classes after the blank.
    pub characters: Vec<char>,
    /// Those of the languages; `None` when all are allowed.
    pub allowed: Option<HashSet<char>>,
}

impl Default for Languages {
    fn default() -> Self {
        serde_json::from_str(CHARACTERS).expect("the file is written by a script")
    }
}

impl Languages {
    /// Returns the recogniser for languages such as `mn,en`, as EasyOCR chooses it.
    pub fn choose(&self, list: &str) -> anyhow::Result<Choice> {
        let codes = list
            .split(',')
            .map(str::trim)
            .filter(|code| !code.is_empty());
        let codes: Vec<&str> = codes.collect();
        ensure!(!codes.is_empty(), "LANG_LIST names no language");
        if let Some(unknown) = codes
            .iter()
            .find(|code| !self.languages.contains_key(**code))
        {
            let known: Vec<_> = self.languages.keys().map(String::as_str).collect();
            bail!(
                "EasyOCR has no language {unknown:?}: LANG_LIST takes {}",
                known.join(", ")
            );
        }
        let name = recogniser(&codes)?;
        let Characters {
            characters,
            symbols,
        } = &self.recognisers[name];
        Ok(Choice {
            name: name.to_owned(),
            characters: characters.chars().collect(),
            allowed: self.characters_of(&codes).map(|mut allowed| {
                allowed.extend(symbols.chars());
                allowed
            }),
        })
    }

    fn characters_of(&self, codes: &[&str]) -> Option<HashSet<char>> {
        let lists = codes.iter().map(|code| self.languages[*code].as_deref());
        let lists: Option<Vec<&str>> = lists.collect();
        Some(lists?.into_iter().flat_map(str::chars).collect())
    }
}

impl Choice {
    /// Returns whether its texts run from right to left.
    pub fn is_right_to_left(&self) -> bool {
        self.name.starts_with("arabic")
    }

    /// Returns whether the library always decodes its scores greedily.
    pub fn is_greedy(&self) -> bool {
        self.name.starts_with("zh_")
    }

    /// Returns for the blank and each class whether it may be read. `allowed` and `blocked` are
    /// characters that replace those of the languages, where they are not empty.
    ///
    /// Of a character with several classes the library blocks the first.
    pub fn is_allowed(&self, allowed: &str, blocked: &str) -> Vec<bool> {
        let may_be_read = |character: char| {
            if !allowed.is_empty() {
                return allowed.contains(character);
            }
            if !blocked.is_empty() {
                return !blocked.contains(character);
            }
            let of_languages = self.allowed.as_ref();
            of_languages.is_none_or(|of_languages| of_languages.contains(&character))
        };
        let mut seen = HashSet::new();
        let classes = self.characters.iter().map(|&character| {
            let is_first = seen.insert(character);
            !is_first || may_be_read(character)
        });
        [true].into_iter().chain(classes).collect()
    }
}

fn recogniser(codes: &[&str]) -> anyhow::Result<&'static str> {
    if *codes == [ENGLISH] {
        return Ok("english_g2");
    }
    let mut recognisers = RECOGNISERS.iter();
    let found = recognisers.find(|(_, own)| codes.iter().any(|code| own.contains(code)));
    let Some((name, own)) = found else {
        return Ok(LATIN);
    };
    let stranger = codes
        .iter()
        .find(|code| **code != ENGLISH && !own.contains(code));
    match stranger {
        None => Ok(name),
        Some(stranger) => Err(anyhow::Error::msg(format!(
            "LANG_LIST: the recogniser {name} reads {} and en, and not {stranger}",
            own.join(", ")
        )))
        .context("EasyOCR cannot read these languages together"),
    }
}

//! The characters of a recogniser.

use std::{fs::File, io::Read as _, path::Path};

use label_studio_inference::onnx::Engine;
use label_studio_ml::anyhow::{self, Context as _, bail, ensure};
use label_studio_vision::models::text_recognition::Alphabet;

/// The field of RapidOCR's files, with one character a line.
const METADATA: &str = "character";
/// The list in the settings file of PaddleOCR's exports.
const LIST: &str = "character_dict:";
/// Largest dictionary file; that of PP-OCRv5 has 148 kB with its settings.
const MAX_BYTES: u64 = 16 << 20;

/// The characters that a recogniser knows, in the order of its classes, without blank and space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dictionary(pub Vec<String>);

impl Dictionary {
    /// Returns the dictionary that a model's file holds.
    pub fn of_metadata(engine: &dyn Engine) -> Option<Self> {
        let characters = engine.metadata().get(METADATA)?;
        Some(Self::of_lines(characters))
    }

    /// Reads a file with one character a line, or PaddleOCR's settings file `inference.yml`.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let unreadable = || format!("cannot read the dictionary {}", path.display());
        let file = File::open(path).with_context(unreadable)?;
        let mut text = String::new();
        file.take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .with_context(unreadable)?;
        ensure!(
            text.len() as u64 <= MAX_BYTES,
            "dictionary {} has more than {MAX_BYTES} bytes",
            path.display()
        );
        let text = text.trim_start_matches('\u{feff}');
        let is_settings =
            (path.extension()).is_some_and(|extension| extension == "yml" || extension == "yaml");
        let dictionary = if is_settings {
            Self::of_settings(text)
        } else {
            Some(Self::of_lines(text))
        };
        match dictionary {
            Some(dictionary) if !dictionary.0.is_empty() => Ok(dictionary),
            _ => bail!(
                "dictionary {} has no characters: one a line is expected, or a list {LIST} in a settings file",
                path.display()
            ),
        }
    }

    /// Returns the alphabet of a recogniser with a number of classes: blank, dictionary, and a
    /// space if there is a class for it.
    pub fn alphabet(self, n_classes: usize) -> Option<Alphabet> {
        let mut characters = self.0;
        match n_classes.checked_sub(characters.len())? {
            1 => {}
            2 => characters.push(" ".to_owned()),
            _ => return None,
        }
        Some(Alphabet::new(characters))
    }

    fn of_lines(text: &str) -> Self {
        let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let lines = lines.map(|line| line.strip_suffix('\r').unwrap_or(line).to_owned());
        Self(lines.collect())
    }

    /// Reads the list of characters, one scalar a line, out of a YAML file.
    fn of_settings(text: &str) -> Option<Self> {
        let mut lines = text.split('\n').map(|line| line.trim_end_matches('\r'));
        lines.find(|line| line.trim() == LIST)?;
        let items = lines.map_while(|line| {
            let item = line.trim_start_matches(' ').strip_prefix('-')?;
            Some(scalar(item.strip_prefix(' ').unwrap_or(item)))
        });
        Some(Self(items.collect()))
    }
}

/// Returns the text of a YAML scalar: plain, or in quotes.
fn scalar(text: &str) -> String {
    let quoted = |quote: char| text.trim().strip_prefix(quote)?.strip_suffix(quote);
    if let Some(text) = quoted('\'') {
        return text.replace("''", "'");
    }
    let Some(text) = quoted('"') else {
        return text.trim_matches(' ').to_owned();
    };
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            plain.push(character);
            continue;
        }
        let digits = match characters.next() {
            Some('x') => 2,
            Some('u') => 4,
            Some('U') => 8,
            Some('t') => {
                plain.push('\t');
                continue;
            }
            Some('_') => {
                plain.push('\u{a0}');
                continue;
            }
            Some('N') => {
                plain.push('\u{85}');
                continue;
            }
            Some('L') => {
                plain.push('\u{2028}');
                continue;
            }
            Some('P') => {
                plain.push('\u{2029}');
                continue;
            }
            Some(other) => {
                plain.push(other);
                continue;
            }
            None => break,
        };
        let code: String = characters.by_ref().take(digits).collect();
        let code = u32::from_str_radix(&code, 16).ok();
        plain.extend(code.and_then(char::from_u32));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{Dictionary, scalar};

    #[test]
    fn scalars_are_read_as_yaml_has_them() {
        for (text, expected) in [
            ("一", "一"),
            ("'!'", "!"),
            ("''''", "'"),
            ("'\"'", "\""),
            (r#""\\""#, "\\"),
            (r#""\u3000""#, "\u{3000}"),
            (r#""\U0001F600""#, "\u{1F600}"),
            ("\u{3000}", "\u{3000}"),
            ("' '", " "),
        ] {
            assert_eq!(scalar(text), expected, "{text}");
        }
    }

    #[test]
    fn the_list_of_a_settings_file_ends_with_it() {
        let settings = "PostProcess:\n  name: CTCLabelDecode\n  character_dict:\n  - a\n  - '-'\n  - '  '\nother:\n- b\n";
        let dictionary = Dictionary::of_settings(settings).unwrap();
        assert_eq!(dictionary.0, ["a", "-", "  "]);
        assert_eq!(Dictionary::of_settings("PostProcess:\n"), None);
    }
}

//! The languages that are installed.

use label_studio_ml::anyhow::{self, bail, ensure};

/// Those of the original that are installed are used when none are named.
const DEFAULTS: [&str; 3] = ["chi_sim", "eng", "deu"];
/// Finds out which way up a page is, and reads nothing.
const ORIENTATION_ONLY: &str = "osd";
/// Most languages that are read at once: each is loaded, and slows down the rest.
const MAX_LANGUAGES: usize = 16;

/// The languages that are installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Languages {
    /// Their codes, such as `eng` or `script/Latin`.
    pub codes: Vec<String>,
}

impl Languages {
    /// Reads the list that the program prints with `--list-langs`.
    pub fn parse(printed: &str) -> Self {
        let lines = printed.lines().map(str::trim);
        // The first line says where the files are.
        let codes = lines.filter(|line| !line.is_empty() && !line.contains(char::is_whitespace));
        Self {
            codes: codes.map(str::to_owned).collect(),
        }
    }

    /// Returns those of the original's languages that are installed, or else the first that is.
    pub fn defaults(&self) -> anyhow::Result<String> {
        let known = DEFAULTS.into_iter().filter(|code| self.has(code));
        let known: Vec<_> = known.collect();
        if !known.is_empty() {
            return Ok(known.join("+"));
        }
        let first = self.codes.iter().find(|code| *code != ORIENTATION_ONLY);
        let Some(first) = first else {
            bail!(
                "tesseract has no languages: install one with `apt-get install tesseract-ocr-eng`, \
                 or name the folder of the language files with TESSDATA_PREFIX"
            );
        };
        Ok(first.clone())
    }

    /// Returns the languages that `text` names, such as `deu+eng` or `deu,eng`, joined with `+`.
    ///
    /// The program itself would leave out a language that it does not have.
    pub fn select(&self, text: &str) -> anyhow::Result<String> {
        let codes = text.split(['+', ',']).map(str::trim);
        let codes: Vec<_> = codes.filter(|code| !code.is_empty()).collect();
        ensure!(!codes.is_empty(), "{text:?} names no language");
        ensure!(
            codes.len() <= MAX_LANGUAGES,
            "{} languages are named, at most {MAX_LANGUAGES} can be read at once",
            codes.len()
        );
        for code in &codes {
            if !self.has(code) {
                bail!(
                    "tesseract has no language {code:?}, only {}: install it with `apt-get install {}`, \
                     or name the folder of its file with TESSDATA_PREFIX, and restart",
                    self.codes.join(", "),
                    package(code)
                );
            }
        }
        Ok(codes.join("+"))
    }

    fn has(&self, code: &str) -> bool {
        self.codes.iter().any(|known| known == code)
    }
}

/// Returns the name of Debian's package for a language.
fn package(code: &str) -> String {
    // Those for scripts have their own names.
    if code.starts_with("script/") {
        return "tesseract-ocr-all".to_owned();
    }
    let letters = code.chars().map(|letter| match letter {
        '_' => '-',
        letter => letter.to_ascii_lowercase(),
    });
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '-';
    format!(
        "tesseract-ocr-{}",
        letters.filter(is_plain).collect::<String>()
    )
}

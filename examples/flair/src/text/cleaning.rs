//! Characters that Flair takes out of texts (`Sentence._handle_problem_characters`).

/// A text without characters that Flair takes out, and where the others come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// The characters that are left.
    pub characters: Vec<char>,
    /// Position of each character in the original text.
    origins: Vec<usize>,
}

impl Cleaned {
    /// Cleans a text: zero-width characters and separators go, control characters become what they
    /// are in Windows-1252.
    pub fn new(text: &str) -> Self {
        let kept = text.chars().enumerate().filter_map(|(at, character)| {
            let character = match character {
                '\u{200b}' | '\u{200c}' | '\u{fe0f}' | '\u{feff}' | '\u{2028}' | '\u{2029}' => None,
                '\u{80}'..='\u{99}' => windows_1252(character),
                other => Some(other),
            };
            Some((character?, at))
        });
        let (characters, origins) = kept.unzip();
        Self {
            characters,
            origins,
        }
    }

    /// Returns the text that is left.
    pub fn text(&self) -> String {
        self.characters.iter().collect()
    }

    /// Returns where a part of the cleaned text is in the original one: its first character, and the
    /// one behind its last.
    pub fn original(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let last = self.origins.get(end.checked_sub(1)?)?;
        Some((*self.origins.get(start)?, last + 1))
    }
}

/// Returns what a byte from 0x80 to 0x99 stands for in Windows-1252.
fn windows_1252(character: char) -> Option<char> {
    const MEANINGS: [Option<char>; 26] = [
        Some('€'),
        None,
        Some('‚'),
        Some('ƒ'),
        Some('„'),
        Some('…'),
        Some('†'),
        Some('‡'),
        Some('ˆ'),
        Some('‰'),
        Some('Š'),
        Some('‹'),
        Some('Œ'),
        None,
        Some('Ž'),
        None,
        None,
        Some('‘'),
        Some('’'),
        Some('“'),
        Some('”'),
        Some('•'),
        Some('–'),
        Some('—'),
        Some('˜'),
        Some('™'),
    ];
    let idx = u32::from(character) - 0x80;
    MEANINGS[idx as usize]
}

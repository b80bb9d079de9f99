//! The characters that a recogniser knows.

/// Characters of the classes of a recogniser. Class 0 is the blank between characters, class 1 the
/// first character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alphabet {
    characters: Vec<String>,
    /// Whether the character of a class is no part of texts.
    ignored: Vec<bool>,
}

impl Alphabet {
    /// Creates an alphabet from the characters of the classes after the blank. A character may be
    /// several Unicode characters.
    pub fn new(characters: impl IntoIterator<Item = String>) -> Self {
        let characters: Vec<_> = std::iter::once(String::new()).chain(characters).collect();
        let mut ignored = vec![false; characters.len()];
        ignored[0] = true;
        Self {
            characters,
            ignored,
        }
    }

    /// Leaves the characters of some classes out of texts, such as marks between languages.
    #[must_use]
    pub fn with_ignored(mut self, classes: &[usize]) -> Self {
        for &class in classes {
            if let Some(ignored) = self.ignored.get_mut(class) {
                *ignored = true;
            }
        }
        self
    }

    /// Returns the number of classes, the blank included.
    pub fn n_classes(&self) -> usize {
        self.characters.len()
    }

    /// Returns the class of a character.
    pub fn class(&self, character: &str) -> Option<usize> {
        let mut characters = self.characters.iter().skip(1);
        Some(characters.position(|known| known == character)? + 1)
    }

    /// Returns whether a class is the blank, or its character is left out of texts.
    pub fn is_ignored(&self, class: usize) -> bool {
        self.ignored.get(class).copied().unwrap_or(true)
    }

    /// Returns the characters of classes in a row. Classes that are ignored or beyond the alphabet
    /// add nothing.
    pub fn text(&self, classes: impl IntoIterator<Item = usize>) -> String {
        let classes = classes.into_iter().filter(|&class| !self.is_ignored(class));
        classes
            .map(|class| self.characters[class].as_str())
            .collect()
    }
}

//! The tokens that a model knows, as text.

/// Blank of a piece in SentencePiece's vocabularies.
const BLANK_MARK: char = '\u{2581}';
/// Start of a piece that continues a word, in `WordPiece`'s vocabularies.
const CONTINUATION: &str = "##";
const UNKNOWN: &str = "<unk>";
/// What SentencePiece writes for an unknown token.
const UNKNOWN_TEXT: &str = " \u{2047} ";
/// The blank of CTC and transducers in lists that have it.
const BLANK_TOKENS: [&str; 2] = ["<blk>", "<blank>"];

/// The tokens that a model knows, as text, without the blank of CTC and transducers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    texts: Vec<String>,
}

/// Why a vocabulary cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VocabularyError {
    /// There is no token.
    #[error("the vocabulary has no tokens")]
    Empty,
    /// The blank is not the last token.
    #[error("the blank of the vocabulary is token {idx} of {n_tokens}; it has to be the last one")]
    BlankWithin {
        /// Position of the blank.
        idx: usize,
        /// Number of tokens.
        n_tokens: usize,
    },
    /// A line has no number, or one that is not its own.
    #[error(
        "line {line} of the vocabulary is not a token and its number {number}, such as `▁the 5`"
    )]
    Line {
        /// Number of the line, from 1.
        line: usize,
        /// The number that the token should have.
        number: usize,
    },
}

impl Vocabulary {
    /// Creates a vocabulary from characters, pieces of SentencePiece or pieces of `WordPiece`; a
    /// blank at the end is left out.
    pub fn new(pieces: impl IntoIterator<Item = String>) -> Result<Self, VocabularyError> {
        let mut pieces: Vec<String> = pieces.into_iter().collect();
        let is_blank = |piece: &String| BLANK_TOKENS.contains(&piece.as_str());
        if let Some(idx) = pieces.iter().position(is_blank) {
            if idx + 1 != pieces.len() {
                let n_tokens = pieces.len();
                return Err(VocabularyError::BlankWithin { idx, n_tokens });
            }
            pieces.pop();
        }
        if pieces.is_empty() {
            return Err(VocabularyError::Empty);
        }
        let has_marks = pieces.iter().any(|piece| piece.contains(BLANK_MARK));
        let is_word_piece =
            !has_marks && pieces.iter().any(|piece| piece.starts_with(CONTINUATION));
        let text = |piece: String| {
            if piece == UNKNOWN {
                UNKNOWN_TEXT.to_owned()
            } else if !is_word_piece {
                piece.replace(BLANK_MARK, " ")
            } else {
                match piece.strip_prefix(CONTINUATION) {
                    Some(rest) => rest.to_owned(),
                    None => format!(" {piece}"),
                }
            }
        };
        Ok(Self {
            texts: pieces.into_iter().map(text).collect(),
        })
    }

    /// Reads a list of lines with a token and its number, as onnx-asr's `vocab.txt` has them.
    pub fn of_lines(lines: &str) -> Result<Self, VocabularyError> {
        let lines = lines.lines().filter(|line| !line.is_empty()).enumerate();
        let piece = |(idx, line): (usize, &str)| {
            let wrong = VocabularyError::Line {
                line: idx + 1,
                number: idx,
            };
            match line.trim_end_matches('\r').rsplit_once(' ') {
                Some((piece, number)) if number.parse() == Ok(idx) => Ok(piece.to_owned()),
                _ => Err(wrong),
            }
        };
        Self::new(lines.map(piece).collect::<Result<Vec<_>, _>>()?)
    }

    /// Returns the number of tokens, which is the class of the blank.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Returns whether there are no tokens, which never is.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Returns the text of a token, which begins with a blank where a word begins; an empty one for
    /// a token that there is not.
    pub fn text(&self, id: usize) -> &str {
        self.texts.get(id).map_or("", String::as_str)
    }
}

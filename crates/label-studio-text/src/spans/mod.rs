//! Labelled parts of a text, from the labels of its tokens and back.
//!
//! A tagger gives each token a label such as `B-PER`, `I-PER` or `O`. [`spans`] joins them to parts
//! of the text, [`tags`] does the opposite for a training, and [`Windows`] puts the parts of a long
//! text together again. [`words`] splits a text, and [`best_spans`] chooses among spans of words that
//! exclude each other. Offsets count characters.
//!
//! ```
//! use label_studio_text::spans::{TokenLabel, spans};
//!
//! let token = |label, start, end| TokenLabel { label, score: 0.9, start, end };
//! let tokens = [token("B-LOC", 0, 3), token("I-LOC", 4, 8), token("O", 9, 11)];
//! let found = spans(&tokens);
//! assert_eq!((found[0].label, found[0].start, found[0].end), ("LOC", 0, 8));
//! ```

mod best;
mod join;
mod tag;
mod windows;
mod words;

pub use best::{Beside, WordSpan, best_spans};
pub use join::{Span, TokenLabel, spans, split_prefix};
pub use tag::{Part, Tag, tags};
pub use windows::Windows;
pub use words::{Word, words};

//! Labels every other occurrence of a word that the annotator has just labelled.
//!
//! The model has no weights and does not train: [`occurrences`] searches, [`score`] compares an
//! occurrence with the keyword, and [`InteractiveSubstringMatching`] is the model around them.
//!
//! ```
//! use interactive_substring_matching::{SearchOptions, occurrences};
//!
//! assert_eq!(occurrences("a.b axb A.B", "a.b", SearchOptions::default()), [0..3, 8..11]);
//! ```

mod model;
mod score;
mod search;
mod selection;

pub use model::InteractiveSubstringMatching;
pub use score::{ScoreMode, score};
pub use search::{SearchOptions, occurrences};
pub use selection::Exclude;

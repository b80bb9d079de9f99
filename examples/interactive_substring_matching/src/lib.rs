//! Labels every other occurrence of a word that the annotator has just labelled.
//!
//! There is nothing to train and nothing to load: [`occurrences`] searches, [`score`] says how alike a hit and the
//! keyword are, and [`InteractiveSubstringMatching`] is the model around them.
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

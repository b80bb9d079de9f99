//! Texts as Flair sees them: cleaned, and cut into tokens by the rules of segtok.

mod cleaning;
mod segmenter;
mod sentence;
mod words;

pub use cleaning::Cleaned;
pub(crate) use sentence::Sentence;
pub(crate) use words::Segtok;

//! Images for language models: as `data:` URLs for those that accept images, or as the text that
//! tesseract reads in them.

mod images;

pub use images::{LlmImageArgs, LlmImageError, LlmImages, data_url};

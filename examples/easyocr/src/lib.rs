//! Finds and reads lines of text with EasyOCR's models: CRAFT for the boxes, CRNNs for the texts.
//!
//! [`EasyOcr`] is the model that Label Studio talks to, [`EasyOcrArgs`] are its flags. A
//! [`PageReader`] reads a page: a [`Detector`] finds boxes of words, [`Grouping`] joins them to lines,
//! [`Crops`] cuts them out, and a [`Recogniser`] reads them with the characters of [`Languages`].

mod args;
mod checkpoint;
mod contrast;
mod crops;
mod detector;
mod grouping;
mod languages;
mod model;
mod page_reader;
mod recogniser;
mod regions;
mod weights;

pub use args::{DecodingArgs, DetectionArgs, EasyOcrArgs, OutputArgs};
pub use contrast::stretched;
pub use crops::{Crop, Crops};
pub use detector::{Detector, DetectorInput};
pub use grouping::{Grouped, Grouping};
pub use languages::{Choice, Languages};
pub use model::EasyOcr;
pub use page_reader::{Line, Page, PageReader};
pub use recogniser::{Decoder, Decoding, Recogniser, RecogniserOptions, confidence};
pub use regions::{Output, ShapeKind};
pub use weights::WeightArgs;

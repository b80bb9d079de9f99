//! The parts that SAM and SAM 2 share.

use image::RgbImage;
use ndarray::ArrayD;

use super::{Prompt, SamError};
use crate::masks::Mask;

/// A model that encodes an image once and then segments objects in it by prompts.
pub trait PromptedModel: Send + Sync + 'static {
    /// Encodes an image: the slow part.
    fn encode(&self, image: &RgbImage) -> Result<Embedding, SamError>;

    /// Segments an object. The mask has the image's size.
    fn decode(&self, embedding: &Embedding, prompt: &Prompt) -> Result<ScoredMask, SamError>;
}

/// The embedding of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// Width and height of the image.
    pub image: (u32, u32),
    /// The encoder's outputs, in the order in which its model wants them.
    pub tensors: Vec<ArrayD<f32>>,
}

/// A mask with the score that the model predicts for it.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredMask {
    /// The pixels of the object.
    pub mask: Mask,
    /// Predicted overlap with the true mask, from 0 to 1.
    pub score: f64,
}

impl Embedding {
    /// Returns the number of bytes that the tensors take.
    pub fn n_bytes(&self) -> usize {
        let n_values: usize = self.tensors.iter().map(ArrayD::len).sum();
        n_values * size_of::<f32>()
    }
}

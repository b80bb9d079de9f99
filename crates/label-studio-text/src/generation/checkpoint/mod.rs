//! The files of a model, and what they say.

mod architecture;
mod families;
mod fields;
mod files;
mod load;
mod pickle;
mod rope;
mod tensors;

pub(super) use architecture::{Architecture, Block, LayerPlan, Norm, NormKind, Scales, Sizes};
pub(super) use fields::Fields;
pub(super) use files::{ModelFiles, TokenizerFiles};
pub(super) use load::{Feed, Layer, NormWeights, Weights, load};
pub(super) use rope::Rope;

//! From scores to regions: masks, their clean-up, and the shapes that Label Studio takes.
//!
//! A [`Mask`] holds one byte per pixel and becomes a brush region's RLE without a copy. The
//! primitives give the results of OpenCV 4, since models' users compare with it: border pixels
//! beyond the image count for neither side of a morphological operation, contours start at their
//! topmost pixel and run down first.
//!
//! ```
//! use label_studio_vision::masks::{Kernel, Mask};
//!
//! let scores = ndarray::arr2(&[[-1.0_f32, 1.0], [-1.0, 1.0]]);
//! let mask = Mask::from_scores(&scores.view(), 400, 300, 0.0);
//! let cleaned = mask.closed(&Kernel::ellipse(5)).largest_component();
//! let outline = &cleaned.polygons(1.5)[0];
//! assert_eq!(outline[0], (200, 0));
//! assert_eq!(cleaned.bounding_box().unwrap().width, 200);
//! ```

mod bilinear;
mod components;
mod contours;
mod mask;
mod morphology;
mod polygons;

pub use bilinear::{resize_scores, stretch};
pub use components::{Component, Connectivity};
pub use mask::{Mask, PixelBox};
pub use morphology::Kernel;
pub use polygons::simplify;

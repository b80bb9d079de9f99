//! Overlap and suppression of boxes.
//!
//! A box is `[x1, y1, x2, y2]`, a [`RotatedBox`] has a centre, sides and an angle, a [`Quad`] four
//! corners; units are the caller's, pixels as a rule.

mod hull;
mod min_area;
mod quad;
mod rotated;
mod suppression;
mod upright;

pub use min_area::MinAreaRectangle;
pub use quad::Quad;
pub use rotated::RotatedBox;
pub use suppression::{Candidate, Suppression, Suppressors};
pub use upright::{area, clip, from_centre, iou, to_centre};

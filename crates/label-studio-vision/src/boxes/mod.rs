//! Overlap and suppression of boxes.
//!
//! A box is `[x1, y1, x2, y2]`, a [`RotatedBox`] has a centre, sides and an angle; units are the
//! caller's, pixels as a rule.

mod rotated;
mod suppression;
mod upright;

pub use rotated::RotatedBox;
pub use suppression::{Candidate, Suppression, Suppressors};
pub use upright::{area, clip, from_centre, iou, to_centre};

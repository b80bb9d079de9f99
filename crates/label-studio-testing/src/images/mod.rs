//! Images for the tests of backends that label them: unusable ones, and masks as fixtures have them.

mod bad_tasks;
mod painted;
mod prompted;
mod unusable;

use base64::{Engine as _, prelude::BASE64_STANDARD};

pub use bad_tasks::{MAX_BYTES, MAX_PIXELS, check_animation, check_each};
pub use painted::Painted;
pub use prompted::{clicks, rectangle};
pub use unusable::{UNUSABLE, USABLE, folder};

/// Returns an address that contains an image.
pub fn to_url(bytes: &[u8]) -> String {
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(bytes))
}

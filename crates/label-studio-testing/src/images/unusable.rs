//! Files that are no images, or that must be refused, with a part of the error.

use std::path::{Path, PathBuf};

/// Files in [`folder`], and a part of the error.
pub const UNUSABLE: [(&str, &str); 7] = [
    ("unusable/empty.png", "0 bytes"),
    ("unusable/page.png", "web page"),
    ("unusable/noise.png", "not an image"),
    ("unusable/cut.png", "damaged"),
    ("unusable/huge.bmp", "30000x30000"),
    ("unusable/bomb.png", "14000x14000"),
    ("unusable/gone.png", "gone.png"),
];

/// Files in [`folder`] that can be used: a plain image, and an animation, whose first frame counts.
pub const USABLE: [&str; 2] = ["rgb.png", "animated.gif"];

/// Returns the folder of images.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../label-studio-vision/tests/fixtures/images")
}

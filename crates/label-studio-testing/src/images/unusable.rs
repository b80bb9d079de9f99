//! Files that are no pictures, or none that should be opened, and what is said of each. The tests of backends for images
//! include this file.

use std::path::{Path, PathBuf};

/// Files in the folder of pictures, and a part of the error.
pub(crate) const FILES: [(&str, &str); 7] = [
    ("unusable/empty.png", "0 bytes"),
    ("unusable/page.png", "web page"),
    ("unusable/noise.png", "not an image"),
    ("unusable/cut.png", "damaged"),
    ("unusable/huge.bmp", "30000x30000"),
    ("unusable/bomb.png", "14000x14000"),
    ("unusable/gone.png", "gone.png"),
];

/// Files in the same folder that can be used: a plain picture, and an animation, whose first frame counts.
pub(crate) const USABLE: [&str; 2] = ["rgb.png", "animated.gif"];

/// The folder of pictures.
pub(crate) fn pictures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../crates/label-studio-vision/tests/fixtures/images")
}

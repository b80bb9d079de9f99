//! From the corners of a turned box to Label Studio's rotated rectangle.

use label_studio_ml::{Value, json};

/// Returns the value of a rotated rectangle without its labels, from corners in pixels of an image of `size`.
///
/// The direction from the first corner to the second is the width's; the pivot is the corner that is top left once the
/// box is turned back around its centre. Width and height are percentages of different sides, so they keep their meaning
/// as lengths in pixels.
pub fn rotated_value(corners: [[f64; 2]; 4], size: (u32, u32)) -> Value {
    let (image_width, image_height) = (f64::from(size.0), f64::from(size.1));
    let distance = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
    let width = distance(corners[0], corners[1]);
    let height = distance(corners[0], corners[3]);
    let angle = (corners[1][1] - corners[0][1]).atan2(corners[1][0] - corners[0][0]);
    let centre = |axis: usize| corners.iter().map(|corner| corner[axis]).sum::<f64>() / 4.0;
    let (sin, cos) = angle.sin_cos();
    let left = centre(0) - width / 2.0 * cos + height / 2.0 * sin;
    let top = centre(1) - width / 2.0 * sin - height / 2.0 * cos;
    json!({
        "x": left / image_width * 100.0,
        "y": top / image_height * 100.0,
        "width": width / image_width * 100.0,
        "height": height / image_height * 100.0,
        "rotation": angle.to_degrees(),
        "original_width": size.0,
        "original_height": size.1,
    })
}

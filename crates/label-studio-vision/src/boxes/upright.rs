//! Boxes whose edges are parallel to the image's.

/// Turns (centre x, centre y, width, height) into (x1, y1, x2, y2).
pub fn from_centre([x, y, width, height]: [f64; 4]) -> [f64; 4] {
    let (half_width, half_height) = (width / 2.0, height / 2.0);
    [
        x - half_width,
        y - half_height,
        x + half_width,
        y + half_height,
    ]
}

/// Turns (x1, y1, x2, y2) into (centre x, centre y, width, height).
pub fn to_centre([x1, y1, x2, y2]: [f64; 4]) -> [f64; 4] {
    [
        f64::midpoint(x1, x2),
        f64::midpoint(y1, y2),
        x2 - x1,
        y2 - y1,
    ]
}

/// Moves corners that lie outside an image of `size` (width, height) to its edge.
pub fn clip([x1, y1, x2, y2]: [f64; 4], (width, height): (u32, u32)) -> [f64; 4] {
    let (width, height) = (f64::from(width), f64::from(height));
    [
        x1.clamp(0.0, width),
        y1.clamp(0.0, height),
        x2.clamp(0.0, width),
        y2.clamp(0.0, height),
    ]
}

/// Returns the area; 0 for a box that is turned inside out.
pub fn area([x1, y1, x2, y2]: [f64; 4]) -> f64 {
    (x2 - x1).max(0.0) * (y2 - y1).max(0.0)
}

/// Returns intersection over union, 0 when both boxes are empty.
pub fn iou(a: [f64; 4], b: [f64; 4]) -> f64 {
    let common = area([
        a[0].max(b[0]),
        a[1].max(b[1]),
        a[2].min(b[2]),
        a[3].min(b[3]),
    ]);
    let union = area(a) + area(b) - common;
    if union > 0.0 { common / union } else { 0.0 }
}

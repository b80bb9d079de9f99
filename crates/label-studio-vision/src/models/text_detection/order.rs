//! The order in which boxes are read.

use super::TextBox;

/// Boxes whose first corners differ by less in y belong to one line, in pixels; the number is
/// PaddleOCR's.
const LINE_HEIGHT: f32 = 10.0;

/// Sorts the boxes of a page from top to bottom and, where they begin at about the same height,
/// from left to right, as PaddleOCR does: by their first corners, one step of insertion sort for
/// each box.
pub fn reading_order(mut boxes: Vec<TextBox>) -> Vec<TextBox> {
    let corner = |text_box: &TextBox| text_box.quad.0[0];
    boxes.sort_by(|a, b| {
        let ([ax, ay], [bx, by]) = (corner(a), corner(b));
        ay.total_cmp(&by).then(ax.total_cmp(&bx))
    });
    for end in 1..boxes.len() {
        for idx in (0..end).rev() {
            let ([left, upper], [right, lower]) = (corner(&boxes[idx]), corner(&boxes[idx + 1]));
            if (lower - upper).abs() >= LINE_HEIGHT || right >= left {
                break;
            }
            boxes.swap(idx, idx + 1);
        }
    }
    boxes
}

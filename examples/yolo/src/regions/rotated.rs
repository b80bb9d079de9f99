//! `RectangleLabels` with `model_obb="true"`.

use label_studio_ml::{Region, Value, json};
use label_studio_vision::boxes::RotatedBox;

use super::region::{drawn, labelled};
use crate::{Control, Detections, rotation::rotated_value};

pub(super) fn regions(control: &Control<'_>, found: &Detections) -> Vec<Region> {
    let (width, height) = found.letterbox.image;
    labelled(control, found)
        .filter_map(|(_, detection, label)| {
            let turned = in_image(found, detection.rotated?).regularised();
            let mut value = stored_value(turned.corners(), (width, height));
            value["rectanglelabels"] = json!([label]);
            Some(drawn(control, found, value, detection.score))
        })
        .collect()
}

/// Returns the value of a rotated rectangle, from the corner whose coordinates Label Studio accepts:
/// it refuses predictions with numbers outside of 0 to 100. Any corner may be the first.
fn stored_value(corners: [[f64; 2]; 4], size: (u32, u32)) -> Value {
    let from = |first: usize| {
        let mut corners = corners;
        corners.rotate_left(first);
        rotated_value(corners, size)
    };
    let is_accepted = |value: &Value| {
        let numbers = ["x", "y", "width", "height"].map(|field| value[field].as_f64());
        let is_percent = |number: f64| (0.0..=100.0).contains(&number);
        numbers
            .into_iter()
            .all(|number| number.is_some_and(is_percent))
    };
    let accepted = (0..4).map(from).find(is_accepted);
    accepted.unwrap_or_else(|| from(0))
}

fn in_image(found: &Detections, turned: RotatedBox) -> RotatedBox {
    let (x_ratio, y_ratio) = found.letterbox.ratio();
    let [x, y] = found.letterbox.point_to_image([turned.x, turned.y]);
    RotatedBox {
        x,
        y,
        width: turned.width / x_ratio,
        height: turned.height / y_ratio,
        angle: turned.angle,
    }
}

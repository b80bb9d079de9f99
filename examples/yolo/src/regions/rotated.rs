//! `RectangleLabels` with `model_obb="true"`.

use label_studio_ml::{Region, json};
use label_studio_vision::boxes::RotatedBox;

use super::region::{drawn, labelled};
use crate::{Control, Detections, rotation::rotated_value};

pub(super) fn regions(control: &Control<'_>, found: &Detections) -> Vec<Region> {
    let (width, height) = found.letterbox.image;
    labelled(control, found)
        .filter_map(|(_, detection, label)| {
            let turned = in_image(found, detection.rotated?).regularised();
            let mut value = rotated_value(turned.corners(), (width, height));
            value["rectanglelabels"] = json!([label]);
            Some(drawn(control, found, value, detection.score))
        })
        .collect()
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

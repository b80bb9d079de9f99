//! What exports of Label Studio need of a region on an image.

use serde_json::Value;

/// Checks each region of a `result` array that is on an image: Label Studio's converters (COCO, YOLO,
/// Pascal VOC) drop regions without the size of the image, or without their rotation.
///
/// Regions without geometry, such as those of `Choices` and `TextArea`, are skipped.
///
/// # Panics
/// When a region lacks a field, or has no id.
pub fn check_image_regions(result: &Value) {
    let regions = result.as_array().expect("a result is a list");
    for region in regions.iter().filter(|region| has_geometry(region)) {
        assert!(region["id"].is_string(), "no id: {region}");
        for side in ["original_width", "original_height"] {
            let length = region[side].as_u64();
            assert!(
                length.is_some_and(|length| length > 0),
                "no {side}: {region}"
            );
        }
        assert!(
            region["image_rotation"].is_number(),
            "no image_rotation: {region}"
        );
        let value = &region["value"];
        if value.get("width").is_some() && value.get("height").is_some() {
            assert!(value["rotation"].is_number(), "no rotation: {region}");
        }
    }
}

fn has_geometry(region: &Value) -> bool {
    let value = &region["value"];
    ["x", "points", "vertices", "rle"]
        .iter()
        .any(|field| value.get(field).is_some())
}

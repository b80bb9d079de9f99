//! `KeyPointLabels`: the points of each box, and the box around them.

use label_studio_ml::{Region, json};
use label_studio_vision::images::to_percent;

use super::{
    rectangles,
    region::{drawn, labelled},
};
use crate::{Control, Detection, Detections};

pub(super) fn regions(
    control: &Control<'_>,
    found: &Detections,
    item: Option<usize>,
) -> Vec<Region> {
    let mut regions = Vec::new();
    // Ids are those of one task, so the later images of a list get others.
    let item = item.filter(|item| *item > 0);
    let item = item.map(|item| format!("{item}-")).unwrap_or_default();
    for (rank, detection, _) in labelled(control, found) {
        let group = format!("{}{item}bbox-{rank}", control.group_prefix);
        if control.adds_boxes {
            regions.push(surrounding_box(control, found, detection, &group));
        }
        regions.extend(points(control, found, detection, &group));
    }
    regions
}

fn surrounding_box(
    control: &Control<'_>,
    found: &Detections,
    detection: &Detection,
    group: &str,
) -> Region {
    let class = &control.network.metadata().names[detection.class];
    let label = control.box_labels.get(class).unwrap_or(class);
    let mut region = Region::new(
        format!("{}_bbox", control.tag.name),
        &control.object.name,
        "rectanglelabels",
        rectangles::value(found, detection, label),
    );
    region
        .extra
        .insert("meta".to_owned(), json!({ "text": [group] }));
    region.extra.insert("hidden".to_owned(), json!(true));
    let (width, height) = found.letterbox.image;
    region
        .with_id(group)
        .with_score(detection.score.clamp(0.0, 1.0))
        .with_image_size(width, height)
}

fn points<'a>(
    control: &'a Control<'_>,
    found: &'a Detections,
    detection: &'a Detection,
    group: &'a str,
) -> impl Iterator<Item = Region> + 'a {
    let metadata = control.network.metadata();
    let n_numbers = metadata.key_points.map_or(3, |(_, n_numbers)| n_numbers);
    let (width, height) = found.letterbox.image;
    let points = detection.extra.chunks_exact(n_numbers).enumerate();
    points.filter_map(move |(number, point)| {
        // Without visibility, a point has the score of its box.
        let score = point
            .get(2)
            .map_or(detection.score, |score| f64::from(*score));
        if score.is_nan() || score < control.point_threshold {
            return None;
        }
        let class = &metadata.names[detection.class];
        let label = control.points.get(&(class.clone(), number))?;
        let [x, y] = found.point_in_image([f64::from(point[0]), f64::from(point[1])]);
        let value = json!({
            "keypointlabels": [label],
            "width": to_percent(control.point_size, width),
            "x": to_percent(x, width),
            "y": to_percent(y, height),
        });
        let mut region = drawn(control, found, value, score);
        region
            .extra
            .insert("meta".to_owned(), json!({ "text": [group] }));
        if control.adds_boxes {
            region.extra.insert("parentID".to_owned(), json!(group));
        }
        Some(region)
    })
}

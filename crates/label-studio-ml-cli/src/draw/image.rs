//! An image with its regions as SVG.

use label_studio_sdk::Region;
use serde_json::Value;

use super::{
    html::{colour, escaped, label, score},
    mask,
};

/// Returns an image with the regions that can be drawn on it, and notes which these are.
pub(super) fn figure(address: &str, regions: Vec<(&Region, &mut bool)>) -> String {
    let size = regions.iter().find_map(|(region, _)| {
        let width = region.original_width.filter(|width| *width > 0)?;
        let height = region.original_height.filter(|height| *height > 0)?;
        Some((f64::from(width), f64::from(height)))
    });
    let (width, height) = size.unwrap_or((100.0, 100.0));
    let line = width.max(height) / 300.0;
    let mut shapes = String::new();
    for (region, is_drawn) in regions {
        let Some(shape) = shape(region, width, height) else {
            continue;
        };
        *is_drawn = true;
        let label = label(region);
        let title = escaped(&format!("{label}{}", score(region)));
        shapes.extend([format!(
            "<g fill=\"{}\" stroke=\"{}\" stroke-width=\"{line}\"><title>{title}</title>{}",
            colour(&label, 0.25),
            colour(&label, 1.0),
            shape.svg
        )]);
        if !label.is_empty() {
            shapes.extend([format!(
                "<text x=\"{}\" y=\"{}\" font-size=\"{}\" stroke=\"none\" fill=\"{}\">{title}</text>",
                shape.x,
                (shape.y - 2.0 * line).max(8.0 * line),
                8.0 * line,
                colour(&label, 1.0)
            )]);
        }
        shapes += "</g>";
    }
    format!(
        "<figure><img src=\"{}\" alt=\"\"><svg viewBox=\"0 0 {width} {height}\" \
         preserveAspectRatio=\"none\">{shapes}</svg></figure>",
        escaped(address)
    )
}

/// A shape, and where its label goes.
struct Shape {
    svg: String,
    x: f64,
    y: f64,
}

/// Draws a region on an image of a size. Its coordinates are percentages.
fn shape(region: &Region, width: f64, height: f64) -> Option<Shape> {
    let value = &region.value;
    let number = |name: &str| value.get(name).and_then(Value::as_f64);
    let (across, down) = (width / 100.0, height / 100.0);
    if let Some(rle) = value.get("rle").and_then(Value::as_array) {
        let (image_width, image_height) = (region.original_width?, region.original_height?);
        let svg = mask::path(rle, image_width, image_height)?;
        return Some(Shape {
            svg,
            x: 0.0,
            y: 0.0,
        });
    }
    if let Some(points) = value.get("points").and_then(Value::as_array) {
        let points: Vec<(f64, f64)> = points
            .iter()
            .filter_map(|point| {
                Some((
                    point.get(0)?.as_f64()? * across,
                    point.get(1)?.as_f64()? * down,
                ))
            })
            .collect();
        let (x, y) = *points.first()?;
        let list: Vec<_> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let svg = format!("<polygon points=\"{}\"/>", list.join(" "));
        return Some(Shape { svg, x, y });
    }
    let (x, y) = (number("x")? * across, number("y")? * down);
    let rotation = number("rotation").unwrap_or_default();
    let turned = if rotation == 0.0 {
        String::new()
    } else {
        format!(" transform=\"rotate({rotation} {x} {y})\"")
    };
    let svg = if let (Some(radius_x), Some(radius_y)) = (number("radiusX"), number("radiusY")) {
        format!(
            "<ellipse cx=\"{x}\" cy=\"{y}\" rx=\"{}\" ry=\"{}\"{turned}/>",
            radius_x * across,
            radius_y * down
        )
    } else if let (Some(box_width), Some(box_height)) = (number("width"), number("height")) {
        format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\"{turned}/>",
            box_width * across,
            box_height * down
        )
    } else {
        let radius = number("width").unwrap_or(0.5) * across;
        format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>")
    };
    Some(Shape { svg, x, y })
}

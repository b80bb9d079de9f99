//! From the regions that an annotator has just drawn to prompts.

use serde_json::Value;

use super::{Click, Prompt};

/// How far beyond the image's edge a click may lie, in percent: Label Studio rounds.
const TOLERANCE: f64 = 0.5;

/// Most regions that are read: a decoder's work grows with their square.
const MAX_REGIONS: usize = 1000;

/// The clicks and rectangles of one label: one object.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObjectPrompt {
    /// The label, if the control has labels.
    pub label: Option<String>,
    /// Clicks on the object and beside it, in pixels.
    pub clicks: Vec<Click>,
    /// Rectangles around the object or its parts: left, top, right and bottom edge in pixels.
    pub rectangles: Vec<[f64; 4]>,
}

/// Why a drawn region cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// A field is missing, or is no number.
    #[error("the {kind} region just drawn has no number {field}: {value}")]
    Field {
        /// Kind of the region, such as `keypointlabels`.
        kind: String,
        /// The field.
        field: &'static str,
        /// What the region's value is.
        value: Value,
    },
    /// There are too many regions.
    #[error("{n_regions} regions were drawn, at most {MAX_REGIONS} can be used at once")]
    TooMany {
        /// Number of regions.
        n_regions: usize,
    },
    /// The region lies outside of the image.
    #[error(
        "the {kind} region at {x} % from the left and {y} % from the top lies outside of the image"
    )]
    Outside {
        /// Kind of the region.
        kind: String,
        /// Percent from the left.
        x: f64,
        /// Percent from the top.
        y: f64,
    },
}

/// Reads the regions of an interactive context as prompts on the object tag `to_name`, for an image
/// of the given width and height. Regions that are neither key points nor rectangles are left out.
///
/// There is one prompt per label that a click on the object or a rectangle has, that of the newest
/// last. A click beside the object belongs to the prompt of its label, or to all where its label
/// has no other region; where there is nothing else, such clicks are a prompt too, with the label
/// of the newest. A key point that does not say whether it lies on the object does.
pub fn read_context(
    regions: &[Value],
    to_name: &str,
    image: (u32, u32),
) -> Result<Vec<ObjectPrompt>, ContextError> {
    let n_regions = regions.len();
    if n_regions > MAX_REGIONS {
        return Err(ContextError::TooMany { n_regions });
    }
    let mut objects: Vec<ObjectPrompt> = Vec::new();
    let mut beside: Vec<(Option<String>, Click)> = Vec::new();
    for region in regions {
        let Some(drawn) = Drawn::of(region, to_name) else {
            continue;
        };
        let label = drawn.label().or_else(|| label_beside(regions, region));
        if drawn.is_rectangle() {
            let rectangle = drawn.rectangle(image)?;
            newest(&mut objects, label).rectangles.push(rectangle);
            continue;
        }
        let click = drawn.click(image)?;
        if click.is_positive {
            newest(&mut objects, label).clicks.push(click);
        } else {
            beside.push((label, click));
        }
    }
    if objects.is_empty()
        && let Some((label, _)) = beside.last()
    {
        newest(&mut objects, label.clone());
    }
    for (label, click) in beside {
        let has_object = objects.iter().any(|object| object.label == label);
        let concerned = objects.iter_mut();
        for object in concerned.filter(|object| !has_object || object.label == label) {
            object.clicks.push(click);
        }
    }
    Ok(objects)
}

impl ObjectPrompt {
    /// Returns what to ask the model for: one prompt with all clicks, or, for several rectangles,
    /// one for each with the clicks in it, and one with the remaining clicks on the object.
    pub fn prompts(&self) -> Vec<Prompt> {
        if self.rectangles.len() < 2 {
            return vec![Prompt {
                clicks: self.clicks.clone(),
                rectangle: self.rectangles.first().copied(),
            }];
        }
        let is_in = |click: &Click, [left, top, right, bottom]: [f64; 4]| {
            (left..=right).contains(&click.x) && (top..=bottom).contains(&click.y)
        };
        let mut prompts: Vec<_> = self
            .rectangles
            .iter()
            .map(|&rectangle| Prompt {
                clicks: self
                    .clicks
                    .iter()
                    .copied()
                    .filter(|click| is_in(click, rectangle))
                    .collect(),
                rectangle: Some(rectangle),
            })
            .collect();
        let in_none = |click: &&Click| {
            !self
                .rectangles
                .iter()
                .any(|&rectangle| is_in(click, rectangle))
        };
        let remaining: Vec<_> = self.clicks.iter().filter(in_none).copied().collect();
        if remaining.iter().any(|click| click.is_positive) {
            prompts.push(Prompt {
                clicks: remaining,
                rectangle: None,
            });
        }
        prompts
    }
}

/// Returns the label of a shape that a `Labels` tag beside its own tag gave it: that of the entry
/// with the same id.
fn label_beside(regions: &[Value], shape: &Value) -> Option<String> {
    let id = shape.get("id")?.as_str()?;
    let entry = regions.iter().find(|region| {
        let is = |key: &str, text: &str| region.get(key).and_then(Value::as_str) == Some(text);
        is("id", id) && is("type", "labels")
    })?;
    let label = entry.pointer("/value/labels/0")?.as_str()?;
    Some(label.to_owned())
}

/// Returns the prompt of a label, moved to the end.
fn newest(objects: &mut Vec<ObjectPrompt>, label: Option<String>) -> &mut ObjectPrompt {
    let known = objects.iter().position(|object| object.label == label);
    let object = known.map_or_else(
        || ObjectPrompt {
            label,
            ..ObjectPrompt::default()
        },
        |idx| objects.remove(idx),
    );
    objects.push(object);
    objects.last_mut().expect("one was pushed")
}

/// A key point or rectangle region.
struct Drawn<'a> {
    kind: &'a str,
    region: &'a Value,
    value: &'a Value,
}

impl<'a> Drawn<'a> {
    fn of(region: &'a Value, to_name: &str) -> Option<Self> {
        let text = |key: &str| region.get(key).and_then(Value::as_str);
        let kind = text("type")?;
        let is_prompt =
            ["keypoint", "keypointlabels", "rectangle", "rectanglelabels"].contains(&kind);
        let is_here = text("to_name").is_none_or(|name| name == to_name);
        let value = region.get("value")?;
        (is_prompt && is_here).then_some(Self {
            kind,
            region,
            value,
        })
    }

    fn is_rectangle(&self) -> bool {
        self.kind.starts_with("rectangle")
    }

    fn label(&self) -> Option<String> {
        let key = |key: &str| self.value.get(key)?.as_array()?.first()?.as_str();
        key(self.kind).or_else(|| key("labels")).map(str::to_owned)
    }

    fn number(&self, field: &'static str) -> Result<f64, ContextError> {
        let number = match self.value.get(field) {
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            _ => None,
        };
        number
            .filter(|number| number.is_finite())
            .ok_or_else(|| ContextError::Field {
                kind: self.kind.to_owned(),
                field,
                value: self.value.clone(),
            })
    }

    fn outside(&self, x: f64, y: f64) -> ContextError {
        let kind = self.kind.to_owned();
        ContextError::Outside { kind, x, y }
    }

    fn click(&self, (width, height): (u32, u32)) -> Result<Click, ContextError> {
        let (x, y) = (self.number("x")?, self.number("y")?);
        let image = -TOLERANCE..=100.0 + TOLERANCE;
        if !image.contains(&x) || !image.contains(&y) {
            return Err(self.outside(x, y));
        }
        let pixel = |percent: f64, length: u32| {
            let length = f64::from(length);
            (percent * length / 100.0).trunc().clamp(0.0, length)
        };
        Ok(Click {
            x: pixel(x, width),
            y: pixel(y, height),
            is_positive: self.is_positive(),
        })
    }

    fn is_positive(&self) -> bool {
        let given = self
            .region
            .get("is_positive")
            .or_else(|| self.value.get("positive"));
        match given {
            Some(Value::Bool(is_positive)) => *is_positive,
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            _ => true,
        }
    }

    /// Returns the edges of the upright rectangle around the drawn one, which may have been drawn
    /// from any corner, turned around its own, or beyond the image.
    fn rectangle(&self, (width, height): (u32, u32)) -> Result<[f64; 4], ContextError> {
        let (width, height) = (f64::from(width), f64::from(height));
        let (x, y) = (self.number("x")?, self.number("y")?);
        let (left, top) = (x * width / 100.0, y * height / 100.0);
        let (across, down) = (
            self.number("width")? * width / 100.0,
            self.number("height")? * height / 100.0,
        );
        let rotation = self.number("rotation").unwrap_or(0.0).to_radians();
        let corners =
            [(0.0, 0.0), (across, 0.0), (0.0, down), (across, down)].map(|(right, below)| {
                if rotation == 0.0 {
                    return (left + right, top + below);
                }
                let (sin, cos) = rotation.sin_cos();
                (
                    left + right * cos - below * sin,
                    top + right * sin + below * cos,
                )
            });
        let edges = |of: fn(&(f64, f64)) -> f64, length: f64| {
            let least = corners.iter().map(of).fold(f64::INFINITY, f64::min);
            let most = corners.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
            if least >= length || most <= 0.0 && least < 0.0 {
                return None;
            }
            Some((least.trunc().max(0.0), most.trunc().min(length)))
        };
        let Some(((left, right), (top, bottom))) =
            edges(|corner| corner.0, width).zip(edges(|corner| corner.1, height))
        else {
            return Err(self.outside(x, y));
        };
        Ok([left, top, right, bottom])
    }
}

//! Prompts: clicks and rectangles.

/// A click on an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Click {
    /// Pixels from the left.
    pub x: f64,
    /// Pixels from the top.
    pub y: f64,
    /// Whether the pixel belongs to the object, or not.
    pub is_positive: bool,
}

/// Clicks on one object and a rectangle around it; either may be missing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prompt {
    /// Clicks on the object and beside it.
    pub clicks: Vec<Click>,
    /// Left, top, right and bottom edge in pixels.
    pub rectangle: Option<[f64; 4]>,
}

impl Prompt {
    /// Creates a prompt for the object at a pixel.
    pub fn click(x: f64, y: f64) -> Self {
        let is_positive = true;
        Self {
            clicks: vec![Click { x, y, is_positive }],
            rectangle: None,
        }
    }

    /// Creates a prompt for the object in a rectangle: left, top, right and bottom edge in pixels.
    pub fn rectangle(edges: [f64; 4]) -> Self {
        Self {
            clicks: Vec::new(),
            rectangle: Some(edges),
        }
    }
}

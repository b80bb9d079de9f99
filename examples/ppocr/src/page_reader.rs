//! Reads pages.

use std::borrow::Cow;

use image::RgbImage;
use label_studio_ml::anyhow;
use label_studio_vision::{
    batches::BatchModel,
    boxes::Quad,
    models::text_recognition::{Border, Cropper, Interpolation},
};

use crate::{Detector, LineOrientation, PageOrientation, Recogniser};

/// Reads pages: finds lines, turns them, reads them.
pub struct PageReader {
    detector: Detector,
    recogniser: Recogniser,
    line_orientation: Option<LineOrientation>,
    page_orientation: Option<PageOrientation>,
    cropper: Cropper,
    /// Lines with a lower score are left out.
    score_threshold: f64,
}

/// A line of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its corners in pixels of the image, from the beginning of the text clockwise.
    pub quad: Quad,
    /// Its text.
    pub text: String,
    /// How sure the recogniser is, from 0 to 1.
    pub score: f64,
}

/// The lines of a page, cut out.
pub struct Crops {
    quads: Vec<Quad>,
    crops: Vec<RgbImage>,
}

impl PageReader {
    /// Creates a reader without models of directions; lines with a score below `score_threshold`
    /// are left out.
    pub fn new(detector: Detector, recogniser: Recogniser, score_threshold: f64) -> Self {
        Self {
            detector,
            recogniser,
            line_orientation: None,
            page_orientation: None,
            cropper: Cropper::new(Interpolation::Cubic, Border::Replicate),
            score_threshold,
        }
    }

    /// Turns lines that are upside down.
    #[must_use]
    pub fn with_line_orientation(mut self, model: Option<LineOrientation>) -> Self {
        self.line_orientation = model;
        self
    }

    /// Turns pages that are not upright; boxes are returned where the text is on the page as it
    /// came.
    #[must_use]
    pub fn with_page_orientation(mut self, model: Option<PageOrientation>) -> Self {
        self.page_orientation = model;
        self
    }

    /// Returns the lines of an image, in the order in which they are read.
    pub fn read(&self, image: &RgbImage) -> anyhow::Result<Vec<Line>> {
        self.lines(&self.prepare(image)?)
    }

    fn lines(&self, found: &Crops) -> anyhow::Result<Vec<Line>> {
        let texts = self.recogniser.read(&found.crops)?;
        let lines = found.quads.iter().zip(texts);
        let lines = lines.filter(|(_, (_, score))| *score >= self.score_threshold);
        Ok(lines
            .map(|(&quad, (text, score))| Line { quad, text, score })
            .collect())
    }
}

impl BatchModel for &PageReader {
    type Input = Crops;
    type Output = Vec<Line>;

    /// Finds the lines and cuts them out: the whole image need not be kept.
    fn prepare(&self, image: &RgbImage) -> anyhow::Result<Crops> {
        let quarters = match &self.page_orientation {
            Some(model) => Some(model.quarters(image)?),
            None => None,
        };
        let upright = quarters.map_or(Cow::Borrowed(image), |quarters| {
            Cow::Owned(quarters.turned(image))
        });
        let mut found = Crops {
            quads: Vec::new(),
            crops: Vec::new(),
        };
        for text_box in self.detector.lines(&upright)? {
            let Some(crop) = self.cropper.line(&upright, &text_box.quad) else {
                continue;
            };
            let quad = match quarters {
                Some(quarters) => quarters.on_page(text_box.quad, image.dimensions()),
                None => text_box.quad,
            };
            found.quads.push(quad);
            found.crops.push(crop);
        }
        if let Some(model) = &self.line_orientation {
            found.crops = model.turned(found.crops)?;
        }
        Ok(found)
    }

    fn input_size(&self, _input: &Crops) -> (u32, u32) {
        // Lines of one page share runs, whatever the size of the page.
        (0, 0)
    }

    fn run(&self, inputs: &[&Crops]) -> anyhow::Result<Vec<Vec<Line>>> {
        inputs.iter().map(|found| self.lines(found)).collect()
    }
}

//! From a page to its lines.

use image::{GrayImage, imageops};
use label_studio_ml::anyhow;
use label_studio_vision::{
    batches::BatchModel,
    images::{RgbImage, to_grey},
};

use crate::{
    Crop, Crops, Detector, DetectorInput, Grouping, Recogniser, contrast::stretched, crops::HEIGHT,
};

/// Reads pages as EasyOCR's `readtext` does.
pub struct PageReader {
    /// Finds boxes of words.
    pub detector: Detector,
    /// Joins them.
    pub grouping: Grouping,
    /// Cuts lines out.
    pub crops: Crops,
    /// Reads them.
    pub recogniser: Recogniser,
    /// Lines with a lower score are read a second time, with more contrast.
    pub contrast_threshold: f64,
    /// Contrast below which levels are stretched for that.
    pub target_contrast: f64,
    /// Quarter turns against the clock in which each line is read, too.
    pub rotations: Vec<u8>,
}

/// A page scaled to be read.
pub struct Page {
    input: DetectorInput,
    grey: GrayImage,
}

/// A line of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its corners in pixels, from the top left one clockwise.
    pub corners: [[f64; 2]; 4],
    /// What it says.
    pub text: String,
    /// EasyOCR's score, see [`confidence`](crate::confidence).
    pub score: f64,
}

impl PageReader {
    /// Scales a page, of which lines are cut from the grey levels.
    pub fn prepare(&self, image: &RgbImage, grey: GrayImage) -> Page {
        Page {
            input: self.detector.prepare(image),
            grey,
        }
    }

    /// Returns the lines of a page in the library's order: upright ones from top to bottom, then
    /// the others.
    pub fn lines(&self, page: &Page) -> anyhow::Result<Vec<Line>> {
        let boxes = self.detector.boxes(&page.input)?;
        let crops = self.crops.cut(&page.grey, &self.grouping.lines(&boxes));
        if self.rotations.is_empty() {
            let images: Vec<_> = crops.iter().map(|crop| &crop.image).collect();
            let widths: Vec<_> = crops.iter().map(|crop| input_width(crop.ratio)).collect();
            let read = self.read(&images, &widths)?;
            return Ok(joined(crops, read));
        }
        self.rotated_lines(crops)
    }

    /// Reads each line as it is and rotated, and keeps the reading with the best score.
    fn rotated_lines(&self, crops: Vec<Crop>) -> anyhow::Result<Vec<Line>> {
        let crops = by_height(crops);
        let turned: Vec<GrayImage> = self
            .rotations
            .iter()
            .flat_map(|turns| crops.iter().map(|crop| rotated(&crop.image, *turns)))
            .collect();
        let images = crops.iter().map(|crop| &crop.image);
        let images: Vec<_> = images.chain(&turned).collect();
        let widest = crops.iter().map(|crop| crop.ratio).fold(1.0, f64::max);
        let widths = vec![input_width(widest); images.len()];
        let read = self.read(&images, &widths)?;
        let n_crops = crops.len();
        let best = (0..n_crops).map(|idx| {
            let readings = read.iter().skip(idx).step_by(n_crops);
            let best = readings.reduce(|best, other| if other.1 > best.1 { other } else { best });
            best.expect("each crop was read").clone()
        });
        let best = best.collect();
        Ok(joined(crops, best))
    }

    /// Reads images that are padded to widths, those of one width together, and those with a low
    /// score again.
    fn read(&self, images: &[&GrayImage], widths: &[u32]) -> anyhow::Result<Vec<(String, f64)>> {
        let mut read = self.read_once(images, widths)?;
        let unsure = read.iter().enumerate();
        let unsure = unsure.filter(|(_, (_, score))| *score < self.contrast_threshold);
        let unsure: Vec<usize> = unsure.map(|(idx, _)| idx).collect();
        let stretched: Vec<GrayImage> = unsure
            .iter()
            .map(|idx| stretched(images[*idx], self.target_contrast))
            .collect();
        let stretched: Vec<_> = stretched.iter().collect();
        let widths: Vec<_> = unsure.iter().map(|idx| widths[*idx]).collect();
        let again = self.read_once(&stretched, &widths)?;
        for (idx, second) in unsure.into_iter().zip(again) {
            if read[idx].1 <= second.1 {
                read[idx] = second;
            }
        }
        Ok(read)
    }

    fn read_once(
        &self,
        images: &[&GrayImage],
        widths: &[u32],
    ) -> anyhow::Result<Vec<(String, f64)>> {
        let mut read = vec![None; images.len()];
        let mut order: Vec<usize> = (0..images.len()).collect();
        order.sort_by_key(|idx| widths[*idx]);
        for same in order.chunk_by(|a, b| widths[*a] == widths[*b]) {
            let lines: Vec<_> = same.iter().map(|idx| images[*idx]).collect();
            for (idx, found) in same
                .iter()
                .zip(self.recogniser.read(&lines, widths[same[0]])?)
            {
                read[*idx] = Some(found);
            }
        }
        let read = read.into_iter();
        Ok(read.map(|found| found.expect("each was read")).collect())
    }
}

impl BatchModel for &PageReader {
    type Input = Page;
    type Output = Vec<Line>;

    fn prepare(&self, image: &RgbImage) -> anyhow::Result<Page> {
        Ok(PageReader::prepare(self, image, to_grey(image)))
    }

    fn needs_grey(&self) -> bool {
        true
    }

    fn prepare_with_grey(&self, image: &RgbImage, grey: &GrayImage) -> anyhow::Result<Page> {
        Ok(PageReader::prepare(self, image, grey.clone()))
    }

    fn input_size(&self, page: &Page) -> (u32, u32) {
        page.grey.dimensions()
    }

    fn run(&self, pages: &[&Page]) -> anyhow::Result<Vec<Vec<Line>>> {
        pages.iter().map(|page| self.lines(page)).collect()
    }
}

fn joined(crops: Vec<Crop>, read: Vec<(String, f64)>) -> Vec<Line> {
    let lines = crops.into_iter().zip(read);
    lines
        .map(|(crop, (text, score))| Line {
            corners: crop.corners,
            text,
            score,
        })
        .collect()
}

/// Returns the width of the input for a line.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ratios are bounded"
)]
fn input_width(ratio: f64) -> u32 {
    ratio.max(1.0).ceil() as u32 * HEIGHT
}

/// Sorts lines by the height of their first corners; of equals those that are not upright come
/// first.
fn by_height(mut crops: Vec<Crop>) -> Vec<Crop> {
    crops.sort_by(|a, b| {
        let (upper, lower) = (a.corners[0][1], b.corners[0][1]);
        upper
            .total_cmp(&lower)
            .then(a.is_upright.cmp(&b.is_upright))
    });
    crops
}

fn rotated(image: &GrayImage, quarter_turns: u8) -> GrayImage {
    match quarter_turns % 4 {
        1 => imageops::rotate270(image),
        2 => imageops::rotate180(image),
        3 => imageops::rotate90(image),
        _ => image.clone(),
    }
}

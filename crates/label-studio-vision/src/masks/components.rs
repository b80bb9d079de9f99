//! Parts of a mask that hang together.

use super::{Mask, PixelBox};

/// Painted pixels side by side, with an exclusive end.
struct Run {
    y: usize,
    start: usize,
    end: usize,
    parent: usize,
}

/// The pixels through which parts of a mask hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connectivity {
    /// Pixels that share a side.
    Sides,
    /// Pixels that share a side or a corner.
    SidesAndCorners,
}

/// A part of a mask that hangs together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its pixels: row, first column, and the column after the last one; from top to bottom.
    pub runs: Vec<(usize, usize, usize)>,
    /// Number of its pixels.
    pub area: usize,
    /// The smallest box around it.
    pub bounds: PixelBox,
}

impl Mask {
    /// Returns the parts that hang together, in the order of their first pixels.
    pub fn components(&self, connectivity: Connectivity) -> Vec<Component> {
        let mut runs = connected_runs(self, connectivity);
        let mut numbers = vec![usize::MAX; runs.len()];
        let mut components: Vec<Component> = Vec::new();
        for idx in 0..runs.len() {
            let root = root(&mut runs, idx);
            let Run { y, start, end, .. } = runs[idx];
            if root == idx {
                numbers[idx] = components.len();
                components.push(Component::starting(y, start, end));
            } else {
                components[numbers[root]].add(y, start, end);
            }
        }
        components
    }

    /// Keeps the largest of the parts that hang together, corners included; the topmost of equals.
    #[must_use]
    pub fn largest_component(&self) -> Self {
        largest(self)
    }
}

impl Component {
    fn starting(y: usize, start: usize, end: usize) -> Self {
        Self {
            runs: vec![(y, start, end)],
            area: end - start,
            bounds: PixelBox {
                x: start,
                y,
                width: end - start,
                height: 1,
            },
        }
    }

    fn add(&mut self, y: usize, start: usize, end: usize) {
        self.runs.push((y, start, end));
        self.area += end - start;
        let bounds = &mut self.bounds;
        let right = (bounds.x + bounds.width).max(end);
        bounds.x = bounds.x.min(start);
        bounds.width = right - bounds.x;
        bounds.height = y + 1 - bounds.y;
    }
}

fn largest(mask: &Mask) -> Mask {
    let mut runs = connected_runs(mask, Connectivity::SidesAndCorners);
    let roots: Vec<_> = (0..runs.len()).map(|idx| root(&mut runs, idx)).collect();
    let mut areas = vec![0; runs.len()];
    for (run, &root) in runs.iter().zip(&roots) {
        areas[root] += run.end - run.start;
    }
    let mut largest = Mask::empty(mask.width, mask.height);
    // The root of a part is its first run, so the first of equals is the topmost.
    let Some(max_area) = areas.iter().copied().max() else {
        return largest;
    };
    let chosen = areas.iter().position(|&area| area == max_area);
    for (run, &root) in runs.iter().zip(&roots) {
        if Some(root) == chosen {
            let start = run.y * mask.width;
            largest.pixels[start + run.start..start + run.end].fill(u8::MAX);
        }
    }
    largest
}

/// Finds all runs, each with a way to the first run of its part.
fn connected_runs(mask: &Mask, connectivity: Connectivity) -> Vec<Run> {
    // The end of a run is exclusive, so that runs which touch at a corner have it in common.
    let reach = usize::from(connectivity == Connectivity::SidesAndCorners);
    let mut runs: Vec<Run> = Vec::new();
    let mut above = 0..0;
    for (y, row) in mask.rows().enumerate() {
        let first = runs.len();
        let mut x = 0;
        while let Some(start) = position(row, x, |pixel| pixel != 0) {
            let end = position(row, start, |pixel| pixel == 0).unwrap_or(row.len());
            let parent = runs.len();
            runs.push(Run {
                y,
                start,
                end,
                parent,
            });
            x = end;
        }
        for idx in first..runs.len() {
            while above.start < above.end && runs[above.start].end + reach <= runs[idx].start {
                above.start += 1;
            }
            for other in above.clone() {
                if runs[other].start >= runs[idx].end + reach {
                    break;
                }
                let (a, b) = (root(&mut runs, idx), root(&mut runs, other));
                runs[a.max(b)].parent = a.min(b);
            }
        }
        above = first..runs.len();
    }
    runs
}

fn position(row: &[u8], start: usize, is_wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let found = row[start..].iter().position(|&pixel| is_wanted(pixel))?;
    Some(start + found)
}

fn root(runs: &mut [Run], mut idx: usize) -> usize {
    while runs[idx].parent != idx {
        let grandparent = runs[runs[idx].parent].parent;
        runs[idx].parent = grandparent;
        idx = grandparent;
    }
    idx
}

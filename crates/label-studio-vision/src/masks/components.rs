//! Parts of a mask that hang together.

use super::Mask;

/// Painted pixels side by side, with an exclusive end.
struct Run {
    y: usize,
    start: usize,
    end: usize,
    parent: usize,
}

impl Mask {
    /// Keeps the largest of the parts that hang together, corners included; the topmost of equals.
    #[must_use]
    pub fn largest_component(&self) -> Self {
        largest(self)
    }
}

fn largest(mask: &Mask) -> Mask {
    let mut runs = connected_runs(mask);
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
fn connected_runs(mask: &Mask) -> Vec<Run> {
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
            // Runs that touch at a corner hang together as well.
            while above.start < above.end && runs[above.start].end < runs[idx].start {
                above.start += 1;
            }
            for other in above.clone() {
                if runs[other].start > runs[idx].end {
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

//! From boxes of words to lines.

/// How boxes of words become lines. The default is that of the Python original: EasyOCR's, with
/// more tolerance for heights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grouping {
    /// Boxes that rise or fall more, by their width, stay alone.
    pub slope: f64,
    /// Boxes whose centres differ by more of a height are on different lines.
    pub y_centre: f64,
    /// Boxes whose heights differ by more of a height are not joined.
    pub height: f64,
    /// Boxes with a wider gap between them, by their height, are not joined.
    pub width: f64,
    /// How far lines grow, by their shorter side.
    pub margin: f64,
    /// Lines whose longer side is not longer than this many pixels are left out.
    pub min_size: f64,
}

/// Lines of a page, in pixels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grouped {
    /// Upright ones: left, right, top and bottom edge.
    pub horizontal: Vec<[i64; 4]>,
    /// Corners of the others, from the top left one clockwise.
    pub free: Vec<[[f64; 2]; 4]>,
}

impl Default for Grouping {
    fn default() -> Self {
        Self {
            slope: 0.1,
            y_centre: 0.5,
            height: 0.8,
            width: 0.5,
            margin: 0.1,
            min_size: 20.0,
        }
    }
}

/// An upright box: left, right, top and bottom edge.
#[derive(Debug, Clone, Copy)]
struct Upright([i64; 4]);

impl Grouping {
    /// Joins boxes, given by their corners from the top left one clockwise, as EasyOCR's
    /// `group_text_box` does.
    #[must_use]
    pub fn lines(&self, boxes: &[[[i64; 2]; 4]]) -> Grouped {
        let mut horizontal = Vec::new();
        let mut free = Vec::new();
        for corners in boxes {
            if self.is_horizontal(corners) {
                horizontal.push(Upright::around(corners));
            } else {
                free.push(self.expanded(corners));
            }
        }
        let lines = self.on_lines(horizontal);
        let joined = lines.into_iter().flat_map(|line| self.joined(line));
        let horizontal = joined.map(|Upright([left, right, top, bottom])| {
            let margin = cut(self.margin * to_f64((right - left).min(bottom - top)));
            [left - margin, right + margin, top - margin, bottom + margin]
        });
        let is_large = |sides: [f64; 2]| sides[0].max(sides[1]) > self.min_size;
        Grouped {
            horizontal: horizontal
                .filter(|[left, right, top, bottom]| {
                    self.min_size == 0.0 || is_large([right - left, bottom - top].map(to_f64))
                })
                .collect(),
            free: free
                .into_iter()
                .filter(|corners| self.min_size == 0.0 || is_large(extent(corners)))
                .collect(),
        }
    }

    fn is_horizontal(&self, corners: &[[i64; 2]; 4]) -> bool {
        let slope = |from: [i64; 2], to: [i64; 2]| {
            (to_f64(to[1] - from[1]) / to_f64((to[0] - from[0]).max(LEAST_RUN))).abs()
        };
        let upper = slope(corners[0], corners[1]);
        let lower = slope(corners[3], corners[2]);
        upper.max(lower) < self.slope
    }

    /// Moves the corners outwards along the diagonals.
    fn expanded(&self, corners: &[[i64; 2]; 4]) -> [[f64; 2]; 4] {
        let length =
            |from: [i64; 2], to: [i64; 2]| to_f64(to[0] - from[0]).hypot(to_f64(to[1] - from[1]));
        let (height, width) = (
            length(corners[0], corners[3]),
            length(corners[0], corners[1]),
        );
        let margin = to_f64(cut(DIAGONAL * self.margin * width.min(height)));
        let angle = |from: [i64; 2], to: [i64; 2]| {
            let run = to_f64((from[0] - to[0]).max(LEAST_RUN));
            (to_f64(from[1] - to[1]) / run).atan().abs()
        };
        let falling = angle(corners[0], corners[2]);
        let rising = angle(corners[1], corners[3]);
        let moved = |corner: [i64; 2], angle: f64, [x, y]: [f64; 2]| {
            [
                to_f64(corner[0]) + x * angle.cos() * margin,
                to_f64(corner[1]) + y * angle.sin() * margin,
            ]
        };
        [
            moved(corners[0], falling, [-1.0, -1.0]),
            moved(corners[1], rising, [1.0, -1.0]),
            moved(corners[2], falling, [1.0, 1.0]),
            moved(corners[3], rising, [-1.0, 1.0]),
        ]
    }

    /// Puts boxes on lines, by the height of their centres.
    fn on_lines(&self, mut boxes: Vec<Upright>) -> Vec<Vec<Upright>> {
        boxes.sort_by(|a, b| a.y_centre().total_cmp(&b.y_centre()));
        let mut lines: Vec<Vec<Upright>> = Vec::new();
        for found in boxes {
            let line = lines.last_mut().filter(|line| {
                let centre = mean(line, Upright::y_centre);
                let height = mean(line, Upright::height);
                (centre - found.y_centre()).abs() < self.y_centre * height
            });
            match line {
                Some(line) => line.push(found),
                None => lines.push(vec![found]),
            }
        }
        lines
    }

    /// Joins the boxes of a line that are alike and near.
    fn joined(&self, mut line: Vec<Upright>) -> Vec<Upright> {
        line.sort_by_key(|found| found.0[0]);
        let mut groups: Vec<Vec<Upright>> = Vec::new();
        for found in line {
            let group = groups.last_mut().filter(|group| {
                let height = mean(group, Upright::height);
                let is_alike = (height - found.height()).abs() < self.height * height;
                let end = group[group.len() - 1].0[1];
                is_alike && to_f64(found.0[0] - end) < self.width * found.height()
            });
            match group {
                Some(group) => group.push(found),
                None => groups.push(vec![found]),
            }
        }
        groups.iter().map(|group| Upright::of(group)).collect()
    }
}

/// A box counts as at least this wide when its slope is computed.
const LEAST_RUN: i64 = 10;
/// The library's factor for margins along diagonals.
const DIAGONAL: f64 = 1.44;

impl Upright {
    fn around(corners: &[[i64; 2]; 4]) -> Self {
        let [x, y] = [0, 1].map(|axis| corners.map(|corner| corner[axis]));
        let min = |values: [i64; 4]| values.into_iter().fold(i64::MAX, i64::min);
        let max = |values: [i64; 4]| values.into_iter().fold(i64::MIN, i64::max);
        Self([min(x), max(x), min(y), max(y)])
    }

    fn of(group: &[Self]) -> Self {
        let edges = group.iter().map(|found| found.0);
        let around = edges.reduce(|a, b| {
            [
                a[0].min(b[0]),
                a[1].max(b[1]),
                a[2].min(b[2]),
                a[3].max(b[3]),
            ]
        });
        Self(around.expect("a group has a box"))
    }

    fn height(&self) -> f64 {
        to_f64(self.0[3] - self.0[2])
    }

    fn y_centre(&self) -> f64 {
        0.5 * to_f64(self.0[2] + self.0[3])
    }
}

fn mean(boxes: &[Upright], of: impl Fn(&Upright) -> f64) -> f64 {
    let (mut sum, mut n_boxes) = (0.0, 0.0);
    for found in boxes {
        sum += of(found);
        n_boxes += 1.0;
    }
    sum / n_boxes
}

fn extent(corners: &[[f64; 2]; 4]) -> [f64; 2] {
    [0, 1].map(|axis| {
        let values = corners.map(|corner| corner[axis]);
        let max = values.into_iter().fold(f64::NEG_INFINITY, f64::max);
        max - values.into_iter().fold(f64::INFINITY, f64::min)
    })
}

#[expect(clippy::cast_precision_loss, reason = "pixels of an image")]
fn to_f64(pixels: i64) -> f64 {
    pixels as f64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "pixels of an image; cut off as in the library"
)]
fn cut(pixels: f64) -> i64 {
    pixels as i64
}

//! Outlines of the painted parts: border following after Suzuki and Abe (1985).

use super::Mask;

/// Steps around a pixel, from the right against the clock.
const STEPS: [(isize, isize); 8] = [
    (1, 0),
    (1, -1),
    (0, -1),
    (-1, -1),
    (-1, 0),
    (-1, 1),
    (0, 1),
    (1, 1),
];
const RIGHT: usize = 0;
const LEFT: usize = 4;

const BACKGROUND: i8 = 0;
const UNSEEN: i8 = 1;
/// Pixel of a border that was followed, with the part going on to its right.
const ENTERING: i8 = 2;
/// Pixel of a border that was followed, with background to its right.
const LEAVING: i8 = -2;

/// The mask with a frame of background, and marks where a border was followed.
struct Marks {
    width: usize,
    values: Vec<i8>,
    offsets: [isize; 8],
}

impl Mask {
    /// Returns the outlines of the painted parts without holes, last row first; only the corners of
    /// each, as pixels.
    pub fn contours(&self) -> Vec<Vec<(usize, usize)>> {
        follow_all(self, Borders::Outermost)
    }

    /// Returns the outlines of the painted parts and those of their holes, and of what is painted
    /// within holes, last row first; only the corners of each, as painted pixels (OpenCV's
    /// `RETR_LIST` and `CHAIN_APPROX_SIMPLE`).
    pub fn all_contours(&self) -> Vec<Vec<(usize, usize)>> {
        follow_all(self, Borders::All)
    }
}

/// The borders that are followed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Borders {
    Outermost,
    All,
}

fn follow_all(mask: &Mask, borders: Borders) -> Vec<Vec<(usize, usize)>> {
    let mut marks = Marks::new(mask);
    let mut contours = Vec::new();
    for y in 1..=mask.height {
        let row = y * marks.width;
        let mut previous = BACKGROUND;
        let mut last_border = BACKGROUND;
        for position in row + 1..=row + mask.width {
            let value = marks.values[position];
            // After a border that enters a part, background is a hole of it.
            let is_outside = last_border != ENTERING;
            let is_wanted = borders == Borders::All || is_outside;
            if previous == BACKGROUND && value == UNSEEN && is_wanted {
                contours.push(marks.follow(position, LEFT));
            } else if previous >= UNSEEN && value == BACKGROUND && borders == Borders::All {
                contours.push(marks.follow(position - 1, RIGHT));
            }
            previous = marks.values[position];
            if previous == ENTERING || previous == LEAVING {
                last_border = previous;
            }
        }
    }
    contours.reverse();
    contours
}

impl Marks {
    fn new(mask: &Mask) -> Self {
        let width = mask.width + 2;
        let mut values = vec![BACKGROUND; width * (mask.height + 2)];
        for (row, marks) in mask.rows().zip(values[width..].chunks_mut(width)) {
            for (pixel, mark) in row.iter().zip(&mut marks[1..]) {
                *mark = i8::from(*pixel != 0);
            }
        }
        let line = width.cast_signed();
        let offsets = STEPS.map(|(x, y)| x + y * line);
        Self {
            width,
            values,
            offsets,
        }
    }

    /// Follows the border that starts at a pixel with background in the direction `outside`, and
    /// returns where it turns.
    fn follow(&mut self, start: usize, outside: usize) -> Vec<(usize, usize)> {
        let around = (1..8).map(|turn| (outside + 8 - turn) % 8);
        let Some(to_last) = around
            .into_iter()
            .find(|&direction| self.value(start, direction) != BACKGROUND)
        else {
            self.values[start] = LEAVING;
            return vec![self.point(start)];
        };
        let last = start.wrapping_add_signed(self.offsets[to_last]);

        let mut corners = Vec::new();
        let mut position = start;
        let mut came_from = to_last;
        let mut heading = (to_last + 4) % 8;
        loop {
            let mut direction = (came_from + 1) % 8;
            let mut passed_right = false;
            while self.value(position, direction) == BACKGROUND {
                passed_right |= direction == RIGHT;
                direction = (direction + 1) % 8;
            }
            let mark = &mut self.values[position];
            if passed_right {
                *mark = LEAVING;
            } else if *mark == UNSEEN {
                *mark = ENTERING;
            }
            if direction != heading {
                corners.push(self.point(position));
                heading = direction;
            }
            let next = position.wrapping_add_signed(self.offsets[direction]);
            if next == start && position == last {
                return corners;
            }
            position = next;
            came_from = (direction + 4) % 8;
        }
    }

    fn value(&self, position: usize, direction: usize) -> i8 {
        self.values[position.wrapping_add_signed(self.offsets[direction])]
    }

    fn point(&self, position: usize) -> (usize, usize) {
        (position % self.width - 1, position / self.width - 1)
    }
}

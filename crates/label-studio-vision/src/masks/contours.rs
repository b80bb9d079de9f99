//! Outlines of the painted parts: border following after Suzuki and Abe (1985), outermost borders
//! only.

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
        external(self)
    }
}

fn external(mask: &Mask) -> Vec<Vec<(usize, usize)>> {
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
            if previous == BACKGROUND && value == UNSEEN && is_outside {
                contours.push(marks.follow(position));
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

    /// Follows the border that starts at its topmost, leftmost pixel and returns where it turns.
    fn follow(&mut self, start: usize) -> Vec<(usize, usize)> {
        let around = (1..8).map(|turn| (LEFT + 8 - turn) % 8);
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
                passed_right |= direction == 0;
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

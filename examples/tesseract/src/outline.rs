//! What is cut out of an image to be read.

use label_studio_vision::images::RgbImage;

/// What is read of an image, in percent of its sides.
#[derive(Debug, Clone, PartialEq)]
pub enum Outline {
    /// A rectangle.
    Rectangle {
        /// Its corner, left and above if it is not rotated.
        corner: [f64; 2],
        /// Width and height.
        size: [f64; 2],
        /// Degrees by which it is turned clockwise around its corner.
        rotation: f64,
    },
    /// An ellipse.
    Ellipse {
        /// Its centre.
        centre: [f64; 2],
        /// Half of its width and height.
        radii: [f64; 2],
        /// Degrees by which it is turned clockwise around its centre.
        rotation: f64,
    },
    /// A polygon with at least three corners.
    Polygon(Vec<[f64; 2]>),
}

const WHITE: [u8; 3] = [255; 3];

impl Outline {
    /// Returns the part of the image within the outline, upright; what is around a polygon or an
    /// ellipse is white. `None` when no pixel lies in it.
    pub fn cut(&self, image: &RgbImage) -> Option<RgbImage> {
        let sides = [f64::from(image.width()), f64::from(image.height())];
        let pixels = |percent: [f64; 2]| [0, 1].map(|axis| percent[axis] * sides[axis] / 100.0);
        match self {
            Self::Rectangle {
                corner,
                size,
                rotation,
            } => Frame::new(pixels(*corner), pixels(*size), *rotation).cut(image),
            Self::Ellipse {
                centre,
                radii,
                rotation,
            } => {
                let (centre, radii) = (pixels(*centre), pixels(*radii).map(f64::abs));
                let [right, below] = radii;
                let back = rotated([-right, -below], *rotation);
                let corner = [centre[0] + back[0], centre[1] + back[1]];
                let mut cut =
                    Frame::new(corner, radii.map(|radius| 2.0 * radius), *rotation).cut(image)?;
                keep_ellipse(&mut cut);
                Some(cut)
            }
            Self::Polygon(points) => {
                let points: Vec<_> = points.iter().map(|point| pixels(*point)).collect();
                cut_polygon(image, &points)
            }
        }
    }
}

/// A rectangle in pixels that is turned around its corner.
#[derive(Debug, Clone, Copy)]
struct Frame {
    corner: [f64; 2],
    size: [f64; 2],
    rotation: f64,
}

impl Frame {
    /// A rectangle may have been drawn from any of its corners.
    fn new(corner: [f64; 2], size: [f64; 2], rotation: f64) -> Self {
        let back = rotated(size.map(|side| side.min(0.0)), rotation);
        Self {
            corner: [corner[0] + back[0], corner[1] + back[1]],
            size: size.map(f64::abs),
            rotation: rotation.rem_euclid(360.0),
        }
    }

    fn cut(&self, image: &RgbImage) -> Option<RgbImage> {
        if self.rotation == 0.0 {
            let [x, y] = self.corner;
            return crop(image, [x, y, x + self.size[0], y + self.size[1]]);
        }
        let frame = self.around(image)?;
        let [width, height] = frame.size.map(to_length);
        if width == 0 || height == 0 {
            return None;
        }
        let (sin, cos) = frame.rotation.to_radians().sin_cos();
        let [left, top] = frame.corner;
        Some(RgbImage::from_fn(width, height, |column, row| {
            let (right, below) = (f64::from(column) + 0.5, f64::from(row) + 0.5);
            let x = left + right * cos - below * sin;
            let y = top + right * sin + below * cos;
            image::Rgb(between_pixels(image, x - 0.5, y - 0.5))
        }))
    }

    /// Returns the part of the frame around the image, `None` if it lies beside the image: what a
    /// caller draws may be as large as it likes.
    fn around(&self, image: &RgbImage) -> Option<Self> {
        let (width, height) = (f64::from(image.width()), f64::from(image.height()));
        let corners = [[0.0, 0.0], [width, 0.0], [0.0, height], [width, height]];
        // The image as the frame sees it.
        let corners =
            corners.map(|[x, y]| rotated([x - self.corner[0], y - self.corner[1]], -self.rotation));
        let edges = |axis: usize| {
            let of_axis = corners.map(|corner| corner[axis]);
            let first = of_axis.into_iter().fold(f64::INFINITY, f64::min);
            let last = of_axis.into_iter().fold(f64::NEG_INFINITY, f64::max);
            (first.floor().max(0.0), last.ceil().min(self.size[axis]))
        };
        let ((left, right), (top, bottom)) = (edges(0), edges(1));
        if right <= left || bottom <= top {
            return None;
        }
        let shift = rotated([left, top], self.rotation);
        Some(Self {
            corner: [self.corner[0] + shift[0], self.corner[1] + shift[1]],
            size: [right - left, bottom - top],
            rotation: self.rotation,
        })
    }
}

/// Turns a vector clockwise on a screen, where y grows downwards.
fn rotated([x, y]: [f64; 2], degrees: f64) -> [f64; 2] {
    if degrees == 0.0 {
        return [x, y];
    }
    let (sin, cos) = degrees.to_radians().sin_cos();
    [x * cos - y * sin, x * sin + y * cos]
}

/// Cuts out a box (x1, y1, x2, y2), rounded as Pillow's `crop` does and within the image.
fn crop(image: &RgbImage, edges: [f64; 4]) -> Option<RgbImage> {
    let (width, height) = image.dimensions();
    let limits = [width, height, width, height];
    let mut limits = limits.into_iter();
    let [left, top, right, bottom] = edges.map(|edge| {
        let limit = limits.next().unwrap_or_default();
        to_length(edge).min(limit)
    });
    if right <= left || bottom <= top {
        return None;
    }
    let part = image::imageops::crop_imm(image, left, top, right - left, bottom - top);
    Some(part.to_image())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number beyond the range becomes its end"
)]
fn to_length(pixels: f64) -> u32 {
    pixels.round_ties_even() as u32
}

/// Returns the colour at a place between pixels, white outside of the image.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places near the image, and means of bytes"
)]
fn between_pixels(image: &RgbImage, x: f64, y: f64) -> [u8; 3] {
    let (left, top) = (x.floor(), y.floor());
    let (right_share, lower_share) = (x - left, y - top);
    let (left, top) = (left as i64, top as i64);
    let pixel = |x: i64, y: i64| {
        let place = u32::try_from(x).ok().zip(u32::try_from(y).ok());
        let inside = place.filter(|(x, y)| *x < image.width() && *y < image.height());
        inside.map_or(WHITE, |(x, y)| image.get_pixel(x, y).0)
    };
    let (upper_left, upper_right) = (pixel(left, top), pixel(left + 1, top));
    let (lower_left, lower_right) = (pixel(left, top + 1), pixel(left + 1, top + 1));
    std::array::from_fn(|channel| {
        let mix = |from: u8, to: u8, share: f64| {
            f64::from(from) + (f64::from(to) - f64::from(from)) * share
        };
        let upper = mix(upper_left[channel], upper_right[channel], right_share);
        let lower = mix(lower_left[channel], lower_right[channel], right_share);
        (upper + (lower - upper) * lower_share).round() as u8
    })
}

/// Makes what is around the ellipse that fills the image white.
fn keep_ellipse(image: &mut RgbImage) {
    let (width, height) = (f64::from(image.width()), f64::from(image.height()));
    for (column, row, pixel) in image.enumerate_pixels_mut() {
        let x = (f64::from(column) + 0.5) / width * 2.0 - 1.0;
        let y = (f64::from(row) + 0.5) / height * 2.0 - 1.0;
        if x * x + y * y > 1.0 {
            pixel.0 = WHITE;
        }
    }
}

/// Cuts out the box around a polygon, and makes what is outside of it white.
fn cut_polygon(image: &RgbImage, points: &[[f64; 2]]) -> Option<RgbImage> {
    let edge = |axis: usize, of: fn(f64, f64) -> f64, start: f64| {
        points.iter().map(|point| point[axis]).fold(start, of)
    };
    let least = |axis| edge(axis, f64::min, f64::INFINITY).floor();
    let most = |axis| edge(axis, f64::max, f64::NEG_INFINITY).ceil();
    let (left, top) = (least(0).max(0.0), least(1).max(0.0));
    let mut cut = crop(image, [left, top, most(0), most(1)])?;
    let n_row = 3 * cut.width() as usize;
    for (row, pixels) in (0_u32..).zip(cut.chunks_exact_mut(n_row)) {
        let mut crossings = crossings(points, top + f64::from(row) + 0.5);
        crossings.sort_by(f64::total_cmp);
        let mut crossings = crossings.into_iter().peekable();
        let mut is_inside = false;
        for (column, pixel) in (0_u32..).zip(pixels.as_chunks_mut::<3>().0) {
            let x = left + f64::from(column) + 0.5;
            while crossings.next_if(|crossing| *crossing <= x).is_some() {
                is_inside = !is_inside;
            }
            if !is_inside {
                *pixel = WHITE;
            }
        }
    }
    Some(cut)
}

/// Returns where the sides of a polygon cross a horizontal line.
fn crossings(points: &[[f64; 2]], y: f64) -> Vec<f64> {
    let ends = points.iter().skip(1).chain(points.first());
    let sides = points.iter().zip(ends);
    let crossed = sides.filter(|(from, to)| (from[1] <= y) != (to[1] <= y));
    crossed
        .map(|(from, to)| from[0] + (y - from[1]) / (to[1] - from[1]) * (to[0] - from[0]))
        .collect()
}

#[cfg(test)]
mod tests {
    use label_studio_vision::images::RgbImage;

    use super::Outline;

    /// An image in which each pixel has its own colour.
    fn image(width: u32, height: u32) -> RgbImage {
        let byte = |number: u32| u8::try_from(number).unwrap();
        RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([byte(x), byte(y), byte((x * 7 + y * 13) % 251)])
        })
    }

    fn rectangle(corner: [f64; 2], size: [f64; 2], rotation: f64) -> Outline {
        Outline::Rectangle {
            corner,
            size,
            rotation,
        }
    }

    #[test]
    fn edges_of_a_rectangle_are_rounded_halves_to_even() {
        let cut = rectangle([2.5, 3.5], [10.0, 10.0], 0.0)
            .cut(&image(100, 100))
            .unwrap();
        // 2.5 and 12.5 become 2 and 12, 3.5 and 13.5 become 4 and 14.
        assert_eq!(cut.dimensions(), (10, 10));
        assert_eq!(cut.get_pixel(0, 0).0[..2], [2, 4]);
    }

    #[test]
    fn a_rectangle_is_cut_at_the_edges_of_the_image() {
        let image = image(50, 40);
        let cut = rectangle([-10.0, 50.0], [30.0, 1e12], 0.0).cut(&image);
        let cut = cut.unwrap();
        assert_eq!((cut.dimensions(), cut.get_pixel(0, 0).0[1]), ((10, 20), 20));
        for (corner, size) in [
            ([120.0, 0.0], [10.0, 10.0]),
            ([-20.0, 0.0], [10.0, 10.0]),
            ([10.0, 10.0], [0.0, 0.0]),
        ] {
            for rotation in [0.0, 10.0] {
                assert_eq!(rectangle(corner, size, rotation).cut(&image), None);
            }
        }
    }

    #[test]
    fn a_rectangle_may_be_drawn_from_any_corner() {
        let image = image(100, 80);
        let expected = rectangle([20.0, 25.0], [30.0, 50.0], 0.0).cut(&image);
        let from_below = rectangle([50.0, 75.0], [-30.0, -50.0], 0.0).cut(&image);
        assert_eq!(from_below, expected);
    }

    #[test]
    fn a_rotated_rectangle_is_turned_upright() {
        let image = image(60, 60);
        // Turned by a quarter around its corner, what was right is below, and what was below is left.
        let corner = [50.0, 25.0];
        let cut = rectangle(corner, [20.0, 30.0], 90.0).cut(&image).unwrap();
        assert_eq!(cut.dimensions(), (12, 18));
        for (x, y, pixel) in cut.enumerate_pixels() {
            assert_eq!(*pixel, *image.get_pixel(30 - 1 - y, 15 + x), "{x} {y}");
        }
        let whole_turn = rectangle([10.0, 10.0], [50.0, 50.0], 720.0).cut(&image);
        assert_eq!(
            whole_turn,
            rectangle([10.0, 10.0], [50.0, 50.0], 0.0).cut(&image)
        );
    }

    #[test]
    fn a_rotated_rectangle_is_never_larger_than_around_the_image() {
        let image = image(30, 20);
        let cut = rectangle([-1e6, -1e6], [1e9, 1e9], 30.0)
            .cut(&image)
            .unwrap();
        assert!(
            cut.width() <= 40 && cut.height() <= 40,
            "{:?}",
            cut.dimensions()
        );
        assert!(
            cut.pixels().any(|pixel| pixel.0 == [255; 3]),
            "outside is white"
        );
        assert!(cut.pixels().any(|pixel| pixel.0 != [255; 3]));
    }

    #[test]
    fn around_a_polygon_and_an_ellipse_it_is_white() {
        let image = image(100, 100);
        let triangle = Outline::Polygon(vec![[10.0, 10.0], [50.0, 10.0], [10.0, 50.0]]);
        let cut = triangle.cut(&image).unwrap();
        assert_eq!(cut.dimensions(), (40, 40));
        for (x, y, pixel) in cut.enumerate_pixels() {
            let original = image.get_pixel(x + 10, y + 10);
            let is_inside = x + y < 39;
            if x + y != 39 {
                assert_eq!(pixel.0 == [255; 3], !is_inside, "{x} {y}");
            }
            assert!(!is_inside || pixel == original);
        }
        let ellipse = Outline::Ellipse {
            centre: [50.0, 50.0],
            radii: [20.0, 10.0],
            rotation: 0.0,
        };
        let cut = ellipse.cut(&image).unwrap();
        assert_eq!(cut.dimensions(), (40, 20));
        assert_eq!(cut.get_pixel(0, 0).0, [255; 3]);
        assert_eq!(cut.get_pixel(20, 10), image.get_pixel(50, 50));
        let turned = Outline::Ellipse {
            centre: [50.0, 50.0],
            radii: [20.0, 10.0],
            rotation: 90.0,
        };
        let turned = turned.cut(&image).unwrap();
        assert_eq!(turned.dimensions(), (40, 20), "upright as it was drawn");
        assert_eq!(turned.get_pixel(0, 0).0, [255; 3]);
    }
}

//! The motion that most points share.

/// Distance in pixels up to which a point follows a motion.
const MAX_DISTANCE: f64 = 3.0;
/// Tries to find the motion.
const N_TRIES: u32 = 2000;
/// How sure it must be that one try used only points that follow the motion.
const CONFIDENCE: f64 = 0.99;
/// Multiplier of OpenCV's generator of random numbers.
const MULTIPLIER: u64 = 4_164_903_690;

/// A motion of points: `x' = a x + b y + c`, `y' = d x + e y + f`, in rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine(pub [[f64; 3]; 2]);

impl Affine {
    /// Nothing moves.
    pub const IDENTITY: Self = Self([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);

    /// Creates a turn and zoom (`a` and `b` are its cosine and sine, times the zoom) and a shift.
    fn similarity([a, b, x, y]: [f64; 4]) -> Self {
        Self([[a, -b, x], [b, a, y]])
    }

    pub(super) fn with_scaled_shift(mut self, scale: f64) -> Self {
        for row in &mut self.0 {
            row[2] *= scale;
        }
        self
    }

    /// Returns where a point moves.
    pub fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        self.0.map(|[a, b, c]| a * x + b * y + c)
    }
}

/// Returns the turn, zoom and shift that most points share; `None` if there is none.
pub(super) fn estimate(from: &[[f32; 2]], to: &[[f32; 2]]) -> Option<Affine> {
    let pairs: Vec<Pair> = from
        .iter()
        .zip(to)
        .map(|(from, to)| Pair::new(*from, *to))
        .collect();
    let n_points = u32::try_from(pairs.len()).ok().filter(|n| *n >= 2)?;
    let mut random = Random(u64::MAX);
    let mut best: Vec<Pair> = Vec::new();
    let (mut n_tries, mut done) = (N_TRIES, 0);
    while done < n_tries {
        done += 1;
        let first = random.below(n_points);
        let mut second = random.below(n_points);
        while second == first {
            second = random.below(n_points);
        }
        let Some(motion) = of_two(&pairs[first as usize], &pairs[second as usize]) else {
            continue;
        };
        let followers: Vec<_> = pairs
            .iter()
            .filter(|pair| pair.follows(&motion))
            .copied()
            .collect();
        if followers.len() > best.len().max(1) {
            n_tries = tries(pairs.len() - followers.len(), pairs.len(), n_tries);
            best = followers;
        }
    }
    if best.is_empty() { None } else { of_all(&best) }
}

/// A point before and after.
#[derive(Debug, Clone, Copy)]
struct Pair {
    from: [f64; 2],
    to: [f64; 2],
}

impl Pair {
    fn new(from: [f32; 2], to: [f32; 2]) -> Self {
        Self {
            from: from.map(f64::from),
            to: to.map(f64::from),
        }
    }

    fn follows(&self, motion: &Affine) -> bool {
        let [x, y] = motion.apply(self.from);
        let (x, y) = (x - self.to[0], y - self.to[1]);
        x * x + y * y <= MAX_DISTANCE * MAX_DISTANCE
    }
}

/// Returns the motion that two points have in common.
fn of_two(first: &Pair, second: &Pair) -> Option<Affine> {
    let between = |a: [f64; 2], b: [f64; 2]| [a[0] - b[0], a[1] - b[1]];
    let from = between(first.from, second.from);
    let to = between(first.to, second.to);
    let length = from[0] * from[0] + from[1] * from[1];
    if length == 0.0 {
        return None;
    }
    let a = (from[0] * to[0] + from[1] * to[1]) / length;
    let b = (from[0] * to[1] - from[1] * to[0]) / length;
    let [x, y] = first.from;
    Some(Affine::similarity([
        a,
        b,
        first.to[0] - (a * x - b * y),
        first.to[1] - (b * x + a * y),
    ]))
}

/// Returns the motion with the least sum of squared distances.
#[expect(clippy::cast_precision_loss, reason = "few points")]
fn of_all(pairs: &[Pair]) -> Option<Affine> {
    let n = pairs.len() as f64;
    let mean = |of: fn(&Pair) -> [f64; 2]| {
        let sum = pairs.iter().map(of).fold([0.0; 2], |sum, point| {
            [sum[0] + point[0], sum[1] + point[1]]
        });
        sum.map(|sum| sum / n)
    };
    let (from, to) = (mean(|pair| pair.from), mean(|pair| pair.to));
    let (mut along, mut across, mut length) = (0.0, 0.0, 0.0);
    for pair in pairs {
        let p = [pair.from[0] - from[0], pair.from[1] - from[1]];
        let q = [pair.to[0] - to[0], pair.to[1] - to[1]];
        along += p[0] * q[0] + p[1] * q[1];
        across += p[0] * q[1] - p[1] * q[0];
        length += p[0] * p[0] + p[1] * p[1];
    }
    if length == 0.0 {
        return None;
    }
    let (a, b) = (along / length, across / length);
    Some(Affine::similarity([
        a,
        b,
        to[0] - (a * from[0] - b * from[1]),
        to[1] - (b * from[0] + a * from[1]),
    ]))
}

/// Returns how many tries are enough when so many of all points do not follow the motion.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "few points, and at most as many tries as before"
)]
fn tries(n_others: usize, n_points: usize, most: u32) -> u32 {
    let follows = 1.0 - n_others as f64 / n_points as f64;
    let missed = 1.0 - follows * follows;
    if missed < f64::MIN_POSITIVE {
        return 0;
    }
    let wanted = (1.0 - CONFIDENCE).ln();
    let each = missed.ln();
    if each >= 0.0 || -wanted >= f64::from(most) * -each {
        most
    } else {
        (wanted / each).round_ties_even() as u32
    }
}

/// OpenCV's generator of random numbers, so that the same points are tried.
struct Random(u64);

impl Random {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the lower half is the number"
    )]
    fn below(&mut self, end: u32) -> u32 {
        self.0 = u64::from(self.0 as u32)
            .wrapping_mul(MULTIPLIER)
            .wrapping_add(self.0 >> 32);
        self.0 as u32 % end
    }
}

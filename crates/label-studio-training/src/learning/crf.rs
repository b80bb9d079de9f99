//! A conditional random field over a chain of labels (Lafferty et al., "Conditional Random Fields",
//! 2001).

/// Scores of the labels of a sequence, given those of each row: of the first label, of each pair of
/// labels that follow each other, and of the last one.
#[derive(Debug, Clone, PartialEq)]
pub struct Crf {
    /// Score of each label at the start.
    pub start: Vec<f32>,
    /// Score of each label at the end.
    pub end: Vec<f32>,
    /// Score of each label behind each other one: one row per label before.
    pub transitions: Vec<f32>,
}

/// The derivatives of a loss.
#[derive(Debug, Clone, PartialEq)]
pub struct CrfGradients {
    /// By the scores of the rows.
    pub rows: Vec<f32>,
    /// By the parameters.
    pub crf: Crf,
}

impl Crf {
    /// Creates a field for so many labels in which all sequences are equal.
    pub fn new(n_labels: usize) -> Self {
        Self {
            start: vec![0.0; n_labels],
            end: vec![0.0; n_labels],
            transitions: vec![0.0; n_labels * n_labels],
        }
    }

    fn n_labels(&self) -> usize {
        self.start.len()
    }

    fn transition(&self, before: usize, label: usize) -> f64 {
        f64::from(self.transitions[before * self.n_labels() + label])
    }

    /// Returns the labels with the highest score, one per row (Viterbi, 1967). `rows` has one score
    /// per label in each row.
    pub fn best(&self, rows: &[f32]) -> Vec<usize> {
        let n = self.n_labels();
        let mut rows = rows.chunks_exact(n);
        let Some(first) = rows.next() else {
            return Vec::new();
        };
        let pairs = first.iter().zip(&self.start);
        let mut scores: Vec<f64> = pairs.map(|(x, y)| f64::from(*x) + f64::from(*y)).collect();
        let mut came_from: Vec<Vec<usize>> = Vec::new();
        for row in rows {
            let best = |label: usize| {
                let candidates =
                    (0..n).map(|before| scores[before] + self.transition(before, label));
                largest(candidates)
            };
            let found: Vec<(usize, f64)> = (0..n).map(best).collect();
            let next = found.iter().zip(row);
            scores = next.map(|((_, score), x)| score + f64::from(*x)).collect();
            came_from.push(found.into_iter().map(|(before, _)| before).collect());
        }
        let ends = scores.iter().zip(&self.end);
        let (mut label, _) = largest(ends.map(|(score, end)| score + f64::from(*end)));
        let mut labels = vec![label];
        for before in came_from.iter().rev() {
            label = before[label];
            labels.push(label);
        }
        labels.reverse();
        labels
    }

    /// Returns minus the logarithm of the probability of these labels, and its derivatives: the
    /// expected counts, by the forward and backward sums, minus the counts of the labels.
    ///
    /// # Panics
    /// When there is not one label per row.
    pub fn loss(&self, rows: &[f32], labels: &[usize]) -> (f64, CrfGradients) {
        let n = self.n_labels();
        assert_eq!(rows.len(), labels.len() * n, "one label per row");
        let mut gradients = CrfGradients {
            rows: vec![0.0; rows.len()],
            crf: Self::new(n),
        };
        let (Some(first), Some(last)) = (labels.first(), labels.last()) else {
            return (0.0, gradients);
        };
        let score = |row: usize, label: usize| f64::from(rows[row * n + label]);
        let forward = self.forward(rows);
        let backward = self.backward(rows);
        let end =
            |label: usize| forward[(labels.len() - 1) * n + label] + f64::from(self.end[label]);
        let total = log_sum((0..n).map(end));

        let mut known = f64::from(self.start[*first]) + f64::from(self.end[*last]);
        let crf = &mut gradients.crf;
        for (row, label) in labels.iter().enumerate() {
            known += score(row, *label);
            for other in 0..n {
                let log = forward[row * n + other] + backward[row * n + other] - total;
                let count = log.exp() - f64::from(u8::from(other == *label));
                gradients.rows[row * n + other] = single(count);
            }
            let Some(before) = row.checked_sub(1) else {
                continue;
            };
            known += self.transition(labels[before], *label);
            for from in 0..n {
                for to in 0..n {
                    let log = forward[before * n + from]
                        + self.transition(from, to)
                        + score(row, to)
                        + backward[row * n + to]
                        - total;
                    let is_known = from == labels[before] && to == *label;
                    crf.transitions[from * n + to] +=
                        single(log.exp() - f64::from(u8::from(is_known)));
                }
            }
        }
        crf.start.copy_from_slice(&gradients.rows[..n]);
        crf.end.copy_from_slice(&gradients.rows[rows.len() - n..]);
        (total - known, gradients)
    }

    /// Returns the logarithm of the sum of all sequences up to each row, by their last label.
    fn forward(&self, rows: &[f32]) -> Vec<f64> {
        let n = self.n_labels();
        let mut sums: Vec<f64> = Vec::with_capacity(rows.len());
        for (idx, row) in rows.chunks_exact(n).enumerate() {
            for (label, x) in row.iter().enumerate() {
                let before = match idx.checked_sub(1) {
                    None => f64::from(self.start[label]),
                    Some(before) => {
                        let known = |from: usize| sums[before * n + from];
                        log_sum((0..n).map(|from| known(from) + self.transition(from, label)))
                    }
                };
                sums.push(before + f64::from(*x));
            }
        }
        sums
    }

    /// Returns the logarithm of the sum of all sequences behind each row, by its own label.
    fn backward(&self, rows: &[f32]) -> Vec<f64> {
        let n = self.n_labels();
        let mut sums = vec![0.0; rows.len()];
        let n_rows = rows.len() / n;
        for row in (0..n_rows).rev() {
            for label in 0..n {
                sums[row * n + label] = if row + 1 == n_rows {
                    f64::from(self.end[label])
                } else {
                    let next = |to: usize| {
                        let at = (row + 1) * n + to;
                        self.transition(label, to) + f64::from(rows[at]) + sums[at]
                    };
                    log_sum((0..n).map(next))
                };
            }
        }
        sums
    }
}

/// Returns the place and the value of the largest number; of equal ones the first.
fn largest(values: impl Iterator<Item = f64>) -> (usize, f64) {
    let mut best = (0, f64::NEG_INFINITY);
    for (idx, value) in values.enumerate() {
        if value > best.1 {
            best = (idx, value);
        }
    }
    best
}

/// Returns the logarithm of a sum of exponentials.
fn log_sum(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let (_, largest) = largest(values.clone());
    if !largest.is_finite() {
        return largest;
    }
    largest
        + values
            .map(|value| (value - largest).exp())
            .sum::<f64>()
            .ln()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "gradients have single precision"
)]
fn single(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::Crf;

    const ROWS: [f32; 12] = [
        0.3, -1.2, 0.8, 0.1, 0.4, -0.5, 2.0, -0.3, 0.2, -0.7, 0.9, 0.6,
    ];
    const N_ROWS: usize = 4;

    type Part = fn(&mut Crf) -> &mut Vec<f32>;

    fn crf() -> Crf {
        Crf {
            start: vec![0.2, -0.4, 0.1],
            end: vec![-0.3, 0.5, 0.0],
            transitions: vec![0.5, -1.0, 0.3, 0.2, 0.7, -0.6, -0.2, 0.4, 0.1],
        }
    }

    /// All sequences of labels, with their scores.
    fn all(crf: &Crf, rows: &[f32]) -> Vec<(Vec<usize>, f64)> {
        let sequence = |number: usize| {
            let label = |place: u32| number / 3_usize.pow(place) % 3;
            (0..u32::try_from(N_ROWS).unwrap())
                .map(label)
                .collect::<Vec<_>>()
        };
        let score = |labels: Vec<usize>| {
            let mut score =
                f64::from(crf.start[labels[0]]) + f64::from(crf.end[labels[N_ROWS - 1]]);
            for (row, label) in labels.iter().enumerate() {
                score += f64::from(rows[row * 3 + label]);
                if row > 0 {
                    score += f64::from(crf.transitions[labels[row - 1] * 3 + label]);
                }
            }
            (labels, score)
        };
        (0..81).map(sequence).map(score).collect()
    }

    #[test]
    fn the_best_labels_and_the_loss_are_those_of_all_sequences_tried_out() {
        let sequences = all(&crf(), &ROWS);
        let best = sequences
            .iter()
            .max_by(|one, other| one.1.total_cmp(&other.1));
        assert_eq!(crf().best(&ROWS), best.unwrap().0);
        let total = sequences
            .iter()
            .map(|(_, score)| score.exp())
            .sum::<f64>()
            .ln();
        for (labels, score) in &sequences {
            let (loss, _) = crf().loss(&ROWS, labels);
            assert!((loss - (total - score)).abs() < 1e-9, "{labels:?}: {loss}");
        }
        assert_eq!(Crf::new(3).best(&[]), Vec::<usize>::new());
        assert!(Crf::new(3).loss(&[], &[]).0.abs() < f64::EPSILON);
    }

    #[test]
    fn every_score_gets_the_gradient_of_the_loss() {
        const STEP: f32 = 1e-2;
        let labels = [2, 0, 0, 1];
        let (_, gradients) = crf().loss(&ROWS, &labels);
        let check = |name: &str, gradient: f32, loss: &dyn Fn(f32) -> f64| {
            let slope = (loss(STEP) - loss(-STEP)) / f64::from(2.0 * STEP);
            let difference = (slope - f64::from(gradient)).abs();
            assert!(difference < 1e-3, "{name}: {slope} is not {gradient}");
        };
        for idx in 0..ROWS.len() {
            check("row", gradients.rows[idx], &|step| {
                let mut rows = ROWS;
                rows[idx] += step;
                crf().loss(&rows, &labels).0
            });
        }
        let parts: [(&str, Part); 3] = [
            ("start", |crf| &mut crf.start),
            ("end", |crf| &mut crf.end),
            ("transition", |crf| &mut crf.transitions),
        ];
        for (name, part) in parts {
            for (idx, gradient) in part(&mut gradients.crf.clone()).iter().enumerate() {
                check(name, *gradient, &|step| {
                    let mut moved = crf();
                    part(&mut moved)[idx] += step;
                    moved.loss(&ROWS, &labels).0
                });
            }
        }
    }
}

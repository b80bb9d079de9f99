//! How good predicted classes are.

/// How often each class was predicted for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    n_classes: usize,
    /// By the known class, then by the predicted one.
    counts: Vec<u64>,
}

/// How good predicted classes are. Means are those of the classes that occur or are predicted.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassScores {
    /// Mean precision of the classes.
    pub precision: f64,
    /// Mean recall of the classes, which is also the balanced accuracy.
    pub recall: f64,
    /// Mean F1 of the classes.
    pub f1: f64,
    /// F1 of each class, 0 for one that neither occurs nor is predicted.
    pub f1_per_class: Vec<f64>,
    /// Smallest F1 of the classes that occur or are predicted.
    pub min_f1: f64,
}

impl Confusion {
    /// Creates an empty table.
    pub fn new(n_classes: usize) -> Self {
        Self {
            n_classes,
            counts: vec![0; n_classes * n_classes],
        }
    }

    /// Counts a row. Both classes must be below the number of classes.
    pub fn add(&mut self, known: usize, predicted: usize) {
        self.counts[known * self.n_classes + predicted] += 1;
    }

    /// Returns how many rows were counted.
    pub fn n_rows(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Computes the scores; all are 0 when no row was counted.
    #[expect(clippy::cast_precision_loss, reason = "far fewer rows than 2^52")]
    pub fn scores(&self) -> ClassScores {
        let n = self.n_classes;
        let mut scores = ClassScores {
            precision: 0.0,
            recall: 0.0,
            f1: 0.0,
            f1_per_class: vec![0.0; n],
            min_f1: f64::INFINITY,
        };
        let mut n_seen = 0.0;
        for class in 0..n {
            let n_right = self.counts[class * n + class];
            let n_known: u64 = self.counts[class * n..][..n].iter().sum();
            let n_predicted: u64 = self.counts.iter().skip(class).step_by(n).sum();
            if n_known + n_predicted == 0 {
                continue;
            }
            let f1 = 2.0 * n_right as f64 / (n_known + n_predicted) as f64;
            n_seen += 1.0;
            scores.precision += n_right as f64 / n_predicted.max(1) as f64;
            scores.recall += n_right as f64 / n_known.max(1) as f64;
            scores.f1 += f1;
            scores.f1_per_class[class] = f1;
            scores.min_f1 = scores.min_f1.min(f1);
        }
        if n_seen == 0.0 {
            scores.min_f1 = 0.0;
            return scores;
        }
        scores.precision /= n_seen;
        scores.recall /= n_seen;
        scores.f1 /= n_seen;
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::Confusion;

    #[test]
    fn a_class_that_is_never_found_counts_and_one_that_never_occurs_does_not() {
        let mut confusion = Confusion::new(4);
        for (known, predicted) in [(0, 0), (0, 0), (0, 1), (1, 1), (2, 0)] {
            confusion.add(known, predicted);
        }
        let scores = confusion.scores();
        let expected = [2.0 / 3.0, 2.0 / 3.0, 0.0, 0.0];
        for (found, expected) in scores.f1_per_class.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{scores:?}");
        }
        assert!(scores.min_f1.abs() < f64::EPSILON, "{scores:?}");
        assert!((scores.precision - (2.0 / 3.0 + 0.5) / 3.0).abs() < 1e-12);
        assert!((scores.recall - (2.0 / 3.0 + 1.0) / 3.0).abs() < 1e-12);
        assert!((scores.f1 - 4.0 / 9.0).abs() < 1e-12);
        assert_eq!(confusion.n_rows(), 5);
        assert!(Confusion::new(2).scores().min_f1.abs() < f64::EPSILON);
    }
}

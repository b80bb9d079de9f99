//! Choices: accuracy, precision, recall and F1 by label, and the confusion matrix.

use std::collections::{BTreeMap, BTreeSet};

use super::{number, ratio};

/// What was found, what should not have been, and what was missed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Predicted and expected.
    pub true_positives: usize,
    /// Predicted, not expected.
    pub false_positives: usize,
    /// Expected, not predicted.
    pub false_negatives: usize,
}

/// Counts by label, and how many tasks are wholly right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelCounts {
    /// Counts of each label that was expected or predicted.
    pub labels: BTreeMap<String, Counts>,
    n_tasks: usize,
    n_right: usize,
}

impl Counts {
    /// Returns the fraction of predictions that were expected; 0 without predictions.
    pub fn precision(self) -> f64 {
        let predicted = self.true_positives + self.false_positives;
        ratio(number(self.true_positives), number(predicted))
    }

    /// Returns the fraction of what was expected that was predicted; 0 when nothing was.
    pub fn recall(self) -> f64 {
        ratio(number(self.true_positives), number(self.support()))
    }

    /// Returns the harmonic mean of precision and recall; 0 when both are.
    pub fn f1(self) -> f64 {
        let wrong = self.false_positives + self.false_negatives;
        let right = 2.0 * number(self.true_positives);
        ratio(right, right + number(wrong))
    }

    /// Returns how often it was expected.
    pub fn support(self) -> usize {
        self.true_positives + self.false_negatives
    }

    /// Adds other counts.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            true_positives: self.true_positives + other.true_positives,
            false_positives: self.false_positives + other.false_positives,
            false_negatives: self.false_negatives + other.false_negatives,
        }
    }
}

impl LabelCounts {
    /// Counts the choices of tasks: those expected and those predicted, each a set.
    pub fn of_choices<'a, T: AsRef<str> + 'a>(
        tasks: impl IntoIterator<Item = (&'a [T], &'a [T])>,
    ) -> Self {
        let mut all = Self::default();
        for (expected, predicted) in tasks {
            let set = |choices: &'a [T]| -> BTreeSet<&'a str> {
                choices.iter().map(AsRef::as_ref).collect()
            };
            let (expected, predicted) = (set(expected), set(predicted));
            all.n_tasks += 1;
            all.n_right += usize::from(expected == predicted);
            for label in expected.union(&predicted) {
                let (is_expected, is_predicted) =
                    (expected.contains(label), predicted.contains(label));
                all.add(
                    label,
                    Counts {
                        true_positives: usize::from(is_expected && is_predicted),
                        false_positives: usize::from(!is_expected),
                        false_negatives: usize::from(!is_predicted),
                    },
                );
            }
        }
        all
    }

    /// Adds counts of a label.
    pub fn add(&mut self, label: &str, counts: Counts) {
        if let Some(known) = self.labels.get_mut(label) {
            *known = known.plus(counts);
        } else {
            self.labels.insert(label.to_owned(), counts);
        }
    }

    /// Returns the counts of a label.
    pub fn label(&self, label: &str) -> Counts {
        self.labels.get(label).copied().unwrap_or_default()
    }

    /// Returns the fraction of tasks for which exactly the expected choices were predicted.
    pub fn accuracy(&self) -> f64 {
        ratio(number(self.n_right), number(self.n_tasks))
    }

    /// Returns the counts of all labels together, whose F1 is the micro average.
    pub fn micro(&self) -> Counts {
        let labels = self.labels.values().copied();
        labels.fold(Counts::default(), Counts::plus)
    }

    /// Returns the mean F1 of the labels.
    pub fn macro_f1(&self) -> f64 {
        let sum: f64 = self.labels.values().map(|counts| counts.f1()).sum();
        ratio(sum, number(self.labels.len()))
    }

    /// Returns the mean F1 of the labels, weighted by how often each was expected.
    pub fn weighted_f1(&self) -> f64 {
        let weighted = self.labels.values();
        let weighted = weighted.map(|counts| counts.f1() * number(counts.support()));
        ratio(weighted.sum(), number(self.micro().support()))
    }
}

/// Returns how often each label was predicted (column) for each expected one (row), in the order of `labels`.
///
/// Pairs with a label that is not in `labels` are left out.
pub fn confusion<'a>(
    labels: &[&str],
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<Vec<usize>> {
    let mut matrix = vec![vec![0; labels.len()]; labels.len()];
    let place = |label: &str| labels.iter().position(|known| *known == label);
    for (expected, predicted) in pairs {
        if let (Some(row), Some(column)) = (place(expected), place(predicted)) {
            matrix[row][column] += 1;
        }
    }
    matrix
}

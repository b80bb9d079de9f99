//! A text classifier: n-gram weights, logistic regression, and the labels that its classes stand
//! for.

use std::collections::BTreeSet;

use label_studio_ml::anyhow::{self, Context, bail, ensure};

use crate::{examples::Examples, logistic_regression::LogisticRegression, tf_idf::TfIdf};

/// A text and its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The text.
    pub text: String,
    /// The label.
    pub label: String,
}

/// Classifies texts into the labels of a project.
#[derive(Debug, Clone, PartialEq)]
pub struct TextClassifier {
    pub(crate) labels: Vec<String>,
    pub(crate) classes: Vec<String>,
    pub(crate) tf_idf: TfIdf,
    pub(crate) regression: LogisticRegression,
    pub(crate) c: f64,
    pub(crate) trained_at: u64,
    pub(crate) n_samples: usize,
}

/// A label and its probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guess<'a> {
    /// The label.
    pub label: &'a str,
    /// Probability of the label, from 0 to 1.
    pub score: f64,
}

impl TextClassifier {
    /// Trains on `samples`, whose labels must be among `labels`. `trained_at` is in seconds since
    /// 1970.
    ///
    /// Fails when the samples have fewer than two different labels.
    pub fn train(
        labels: &[String],
        samples: &[Sample],
        c: f64,
        trained_at: u64,
    ) -> anyhow::Result<Self> {
        ensure!(
            c.is_finite() && c > 0.0,
            "inverse regularisation strength {c} is not a positive number"
        );
        let labels = sorted(labels.iter().cloned());
        if let Some(stranger) = samples
            .iter()
            .find(|sample| !labels.contains(&sample.label))
        {
            bail!("label {:?} is not in the label config", stranger.label);
        }
        let classes = sorted(samples.iter().map(|sample| sample.label.clone()));
        ensure!(
            classes.len() > 1,
            "training needs texts of at least two different labels, and there are {} texts of {}",
            samples.len(),
            if classes.is_empty() {
                "none".to_owned()
            } else {
                format!("{:?} alone", classes[0])
            },
        );
        let texts: Vec<_> = samples.iter().map(|sample| sample.text.as_str()).collect();
        let (tf_idf, rows) = TfIdf::fit(&texts);
        let class_of = |sample: &Sample| {
            classes
                .binary_search(&sample.label)
                .expect("every label became a class")
        };
        let examples = Examples {
            rows: &rows,
            classes: &samples.iter().map(class_of).collect::<Vec<_>>(),
            n_classes: classes.len(),
            n_columns: tf_idf.idf().len(),
        };
        Ok(Self {
            regression: LogisticRegression::fit(&examples, c),
            labels,
            classes,
            tf_idf,
            c,
            trained_at,
            n_samples: samples.len(),
        })
    }

    /// Trains on the names of the labels only: a text that contains a label's name gets the label,
    /// any other is a guess.
    pub fn blank(labels: &[String], c: f64) -> anyhow::Result<Self> {
        let named = labels.iter().map(|label| Sample {
            text: label.clone(),
            label: label.clone(),
        });
        let mut classifier = Self::train(labels, &named.collect::<Vec<_>>(), c, 0)
            .context("a classifier needs a <Choices> with at least two different choices")?;
        classifier.n_samples = 0;
        Ok(classifier)
    }

    /// Returns the sorted labels of the label config that it was trained for.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Returns the sorted labels of its training texts, which are the ones that it predicts.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Returns how many texts it was trained on; 0 for one that only knows the names of the labels.
    pub fn n_samples(&self) -> usize {
        self.n_samples
    }

    /// Returns the probability of each class.
    pub fn probabilities(&self, text: &str) -> Vec<f64> {
        self.regression.probabilities(&self.tf_idf.row(text))
    }

    /// Returns the most probable class, the first one of equals.
    pub fn classify(&self, text: &str) -> Guess<'_> {
        let mut best = Guess {
            label: "",
            score: f64::NEG_INFINITY,
        };
        for (label, score) in self.classes.iter().zip(self.probabilities(text)) {
            if score > best.score {
                best = Guess { label, score };
            }
        }
        best
    }

    /// Returns the fraction of `samples` that it classifies correctly.
    pub fn accuracy(&self, samples: &[Sample]) -> f64 {
        let right = |sample: &&Sample| self.classify(&sample.text).label == sample.label;
        let n_right = samples.iter().filter(right).fold(0.0, |n, _| n + 1.0);
        let n_samples = samples.iter().fold(0.0, |n, _| n + 1.0);
        if n_samples > 0.0 {
            n_right / n_samples
        } else {
            0.0
        }
    }
}

fn sorted(labels: impl IntoIterator<Item = String>) -> Vec<String> {
    labels
        .into_iter()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

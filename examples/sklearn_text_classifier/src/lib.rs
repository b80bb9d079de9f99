//! A light text classifier that learns from a project's annotations: TF-IDF and logistic
//! regression.
//!
//! [`TextClassifier`] is the classifier, trained in seconds and exact to the last digits;
//! [`Storage`] keeps one per project; [`SklearnTextClassifier`] is the model that Label Studio
//! talks to.
//!
//! ```
//! use sklearn_text_classifier::TextClassifier;
//!
//! let labels = ["negative".to_owned(), "positive".to_owned()];
//! let classifier = TextClassifier::blank(&labels, 10.0)?;
//! assert_eq!(classifier.classify("That is positive!").label, "positive");
//! # Ok::<(), label_studio_ml::anyhow::Error>(())
//! ```

mod classifier;
mod examples;
mod logistic_regression;
mod model;
mod newton;
mod ngrams;
mod objective;
mod probabilities;
mod rows;
mod samples;
mod singletons;
mod storage;
mod tf_idf;
mod untrained;

pub use classifier::{Guess, Sample, TextClassifier};
pub use examples::Examples;
pub use logistic_regression::LogisticRegression;
pub use model::{Options, SklearnTextClassifier};
pub use ngrams::for_each_ngram;
pub use rows::{Entry, Rows};
pub use samples::samples;
pub use storage::{Storage, load_version, save_version};
pub use tf_idf::TfIdf;

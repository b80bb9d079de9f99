//! The classifiers of one project, behind locks that no training holds.

use std::sync::{Arc, PoisonError, RwLock};

use label_studio_ml::anyhow::Result;

use crate::TextClassifier;

/// What a project's predictions are made with.
#[derive(Debug, Default)]
pub(crate) struct ProjectClassifiers {
    trained: RwLock<Trained>,
    blank: RwLock<Option<Arc<TextClassifier>>>,
}

/// The classifier that was trained last.
#[derive(Debug, Default)]
enum Trained {
    /// Nobody looked for it since the process started.
    #[default]
    Unknown,
    /// None was ever trained.
    Missing,
    /// Here it is.
    Here(Arc<TextClassifier>),
}

impl ProjectClassifiers {
    /// Returns the trained classifier, which `load` reads at the first call.
    pub(crate) fn trained(
        &self,
        load: impl FnOnce() -> Result<Option<TextClassifier>>,
    ) -> Result<Option<Arc<TextClassifier>>> {
        match &*self.trained.read().unwrap_or_else(PoisonError::into_inner) {
            Trained::Unknown => {}
            Trained::Missing => return Ok(None),
            Trained::Here(classifier) => return Ok(Some(Arc::clone(classifier))),
        }
        let mut trained = self.trained.write().unwrap_or_else(PoisonError::into_inner);
        if matches!(*trained, Trained::Unknown) {
            *trained = load()?.map_or(Trained::Missing, |classifier| {
                Trained::Here(Arc::new(classifier))
            });
        }
        match &*trained {
            Trained::Here(classifier) => Ok(Some(Arc::clone(classifier))),
            Trained::Unknown | Trained::Missing => Ok(None),
        }
    }

    /// Replaces the trained classifier.
    pub(crate) fn replace_trained(&self, classifier: TextClassifier) {
        let classifier = Arc::new(classifier);
        *self.trained.write().unwrap_or_else(PoisonError::into_inner) = Trained::Here(classifier);
    }

    /// Returns the classifier that knows nothing but the names of `labels`, which `make` makes when
    /// they are new.
    pub(crate) fn blank(
        &self,
        labels: &[String],
        make: impl FnOnce() -> Result<TextClassifier>,
    ) -> Result<Arc<TextClassifier>> {
        if let Some(blank) = &*self.blank.read().unwrap_or_else(PoisonError::into_inner)
            && blank.labels() == labels
        {
            return Ok(Arc::clone(blank));
        }
        let blank = Arc::new(make()?);
        *self.blank.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&blank));
        Ok(blank)
    }
}

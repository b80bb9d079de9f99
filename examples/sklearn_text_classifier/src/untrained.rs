//! Classifiers of projects that were not trained yet.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use label_studio_ml::{ProjectId, anyhow::Result};

use crate::TextClassifier;

/// The classifiers that know the names of a project's labels only.
#[derive(Debug, Default)]
pub(crate) struct UntrainedClassifiers(RwLock<HashMap<ProjectId, Arc<TextClassifier>>>);

impl UntrainedClassifiers {
    /// Returns the classifier for these labels, which `make` makes when they are new.
    pub(crate) fn get(
        &self,
        project: &ProjectId,
        labels: &[String],
        make: impl FnOnce() -> Result<TextClassifier>,
    ) -> Result<Arc<TextClassifier>> {
        let classifiers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = classifiers.get(project)
            && known.labels() == labels
        {
            return Ok(Arc::clone(known));
        }
        drop(classifiers);
        let classifier = Arc::new(make()?);
        let mut classifiers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        classifiers.insert(project.clone(), Arc::clone(&classifier));
        Ok(classifier)
    }
}

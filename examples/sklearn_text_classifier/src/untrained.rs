//! Classifiers of projects that were not trained yet.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use label_studio_ml::{ProjectId, anyhow::Result};

use crate::TextClassifier;

/// Projects whose classifier is remembered; with more, all are forgotten.
const MAX_PROJECTS: usize = 256;

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
        if classifiers.len() >= MAX_PROJECTS {
            classifiers.clear();
        }
        classifiers.insert(project.clone(), Arc::clone(&classifier));
        Ok(classifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_projects_take_no_more_memory() {
        let classifiers = UntrainedClassifiers::default();
        let labels = ["negative".to_owned(), "positive".to_owned()];
        for project in 0..1000 {
            let project = ProjectId::parse(&project.to_string());
            let made = classifiers.get(&project, &labels, || TextClassifier::blank(&labels, 1.0));
            assert_eq!(made.unwrap().labels(), labels);
        }
        assert!(classifiers.0.read().unwrap().len() <= MAX_PROJECTS);
    }
}

//! A store in memory.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{PoisonError, RwLock},
};

use crate::{
    project_id::ProjectId,
    store::{Store, StoreError},
};

type Values = HashMap<ProjectId, HashMap<String, String>>;

/// A store in memory, lost when the process ends: for tests, and for backends that need no
/// persistent values.
#[derive(Debug, Default)]
pub struct MemoryStore {
    values: RwLock<Values>,
}

impl Store for MemoryStore {
    fn get(&self, project: &ProjectId, key: &str) -> Result<Option<String>, StoreError> {
        let values = self.values.read().unwrap_or_else(PoisonError::into_inner);
        Ok(values
            .get(project)
            .and_then(|project| project.get(key))
            .cloned())
    }

    fn set(&self, project: &ProjectId, key: &str, value: &str) -> Result<(), StoreError> {
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        values
            .entry(project.clone())
            .or_default()
            .insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    fn values(&self, key: &str) -> Result<Vec<String>, StoreError> {
        let values = self.values.read().unwrap_or_else(PoisonError::into_inner);
        let distinct: BTreeSet<_> = values
            .values()
            .filter_map(|project| project.get(key))
            .collect();
        Ok(distinct.into_iter().cloned().collect())
    }

    fn projects(&self) -> Result<Vec<String>, StoreError> {
        let values = self.values.read().unwrap_or_else(PoisonError::into_inner);
        let projects: BTreeSet<_> = values.keys().map(ProjectId::as_str).collect();
        Ok(projects.into_iter().map(str::to_owned).collect())
    }
}

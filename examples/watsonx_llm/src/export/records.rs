//! Exported annotations, remembered per project: Label Studio's deletions name annotations, and rows name tasks.

use std::collections::BTreeMap;

use label_studio_ml::{Project, anyhow, serde_json};
use serde::{Deserialize, Serialize};

/// The exported annotations of one task.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct TaskRecord(BTreeMap<i64, Record>);

/// One exported annotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) completed_by: String,
    /// When it was last changed, as Label Studio writes it: times of one form compare like their texts.
    #[serde(default)]
    pub(super) updated_at: String,
}

impl TaskRecord {
    pub(super) fn read(project: &Project, task: i64) -> anyhow::Result<Self> {
        let json = project.get(&task_key(task))?;
        Ok(json
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default())
    }

    pub(super) fn get(&self, annotation: i64) -> Option<&Record> {
        self.0.get(&annotation)
    }

    /// Returns whether the task has exported annotations besides one.
    pub(super) fn has_others(&self, annotation: Option<i64>) -> bool {
        self.0.keys().any(|known| Some(*known) != annotation)
    }

    pub(super) fn insert(
        &mut self,
        project: &Project,
        task: i64,
        annotation: i64,
        record: Record,
    ) -> anyhow::Result<()> {
        self.0.insert(annotation, record);
        project.set(&task_key(task), &serde_json::to_string(self)?)?;
        Ok(project.set(&annotation_key(annotation), &task.to_string())?)
    }

    pub(super) fn remove(
        &mut self,
        project: &Project,
        task: i64,
        annotation: i64,
    ) -> anyhow::Result<()> {
        self.0.remove(&annotation);
        project.set(&task_key(task), &serde_json::to_string(self)?)?;
        Ok(project.set(&annotation_key(annotation), "")?)
    }
}

/// Returns the task of an exported annotation.
pub(super) fn task_of(project: &Project, annotation: i64) -> anyhow::Result<Option<i64>> {
    let task = project.get(&annotation_key(annotation))?;
    Ok(task.and_then(|task| task.parse().ok()))
}

fn task_key(task: i64) -> String {
    format!("exported_task_{task}")
}

fn annotation_key(annotation: i64) -> String {
    format!("exported_annotation_{annotation}")
}

//! Projects of a mock Label Studio, as a model gets them.

use std::sync::Arc;

use label_studio_ml::{LabelConfig, Project, ProjectId, Resources, store::MemoryStore};

use super::MockLabelStudio;

impl MockLabelStudio {
    /// Returns an empty store and a client that asks this mock.
    pub fn resources(&self) -> Resources {
        Resources {
            client: Some(self.client()),
            ..Resources::new(MemoryStore::default())
        }
    }

    /// Returns project 1 with a label config and an empty store.
    ///
    /// # Panics
    /// When the label config cannot be read.
    pub fn project(&self, label_config: &str) -> Project {
        let label_config = LabelConfig::parse(label_config).expect("the label config is valid");
        Project::new(
            ProjectId::parse("1"),
            Arc::new(label_config),
            Arc::new(self.resources()),
        )
    }
}

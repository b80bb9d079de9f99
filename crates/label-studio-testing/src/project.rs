//! A project whose media lies in a folder.

use std::{path::Path, sync::Arc};

use label_studio_ml::{
    LabelConfig, Project, ProjectId, Resources,
    sdk::{MediaFetcher, MediaOptions},
    store::MemoryStore,
};

/// Creates a project that finds `/data/local-files/?d=NAME` in `folder`.
///
/// # Panics
/// When the folder or the label config cannot be used.
pub fn project_in(folder: &Path, label_config: &str) -> Project {
    let options = MediaOptions {
        document_root: Some(folder.to_owned()),
        ..MediaOptions::new(folder.join("cache"))
    };
    let resources = Resources {
        media: Some(MediaFetcher::new(None, options).expect("the folder is usable")),
        ..Resources::new(MemoryStore::default())
    };
    let label_config =
        Arc::new(LabelConfig::parse(label_config).expect("the label config is valid"));
    Project::new(ProjectId::parse("1"), label_config, Arc::new(resources))
}

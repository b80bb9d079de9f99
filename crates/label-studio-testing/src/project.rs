//! A project whose images lie in a folder. The tests of the SAM backends include this file.

use std::{path::Path, sync::Arc};

use label_studio_ml::{
    LabelConfig, Project, ProjectId, Resources,
    sdk::{MediaFetcher, MediaOptions},
    store::MemoryStore,
};

/// Creates a project that finds `/data/local-files/?d=NAME` in `folder`.
pub(crate) fn project_in(folder: &Path, label_config: &str) -> Project {
    let options = MediaOptions {
        document_root: Some(folder.to_owned()),
        ..MediaOptions::new(folder.join("cache"))
    };
    let resources = Resources {
        media: Some(MediaFetcher::new(None, options).unwrap()),
        ..Resources::new(MemoryStore::default())
    };
    let label_config = Arc::new(LabelConfig::parse(label_config).unwrap());
    Project::new(ProjectId::parse("1"), label_config, Arc::new(resources))
}

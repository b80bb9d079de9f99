//! Versions in an object store, which replicas share.

use std::{fs, path::Path, sync::Arc};

use label_studio_ml::{
    LabelConfig, Project, ProjectId, Resources, json,
    sdk::http::NetworkOptions,
    store::{MemoryStore, Store, StoreError},
    versions::{ObjectArtifacts, VersionError, Versions},
};
use label_studio_testing::MockObjectStore;

/// A store of facts that several machines share.
#[derive(Clone, Default)]
struct SharedStore(Arc<MemoryStore>);

impl Store for SharedStore {
    fn get(&self, project: &ProjectId, key: &str) -> Result<Option<String>, StoreError> {
        self.0.get(project, key)
    }

    fn set(&self, project: &ProjectId, key: &str, value: &str) -> Result<(), StoreError> {
        self.0.set(project, key, value)
    }

    fn values(&self, key: &str) -> Result<Vec<String>, StoreError> {
        self.0.values(key)
    }
}

fn artifacts(store: &MockObjectStore) -> ObjectArtifacts {
    let endpoint = store.service().url("");
    let settings = [
        ("aws_endpoint", endpoint.as_str()),
        ("aws_allow_http", "true"),
        ("aws_region", "us-east-1"),
        ("aws_access_key_id", "key"),
        ("aws_secret_access_key", "secret"),
    ];
    ObjectArtifacts::new(
        "s3://models/my backend",
        NetworkOptions::default(),
        &settings,
    )
    .unwrap()
}

/// Returns a project as one machine sees it.
fn machine(store: &MockObjectStore, facts: &SharedStore, folder: &Path) -> Project {
    let versions = Versions::new(folder)
        .keeping(1)
        .shared(Arc::new(artifacts(store)));
    let resources = Resources {
        versions,
        ..Resources::new(facts.clone())
    };
    let label_config = LabelConfig::parse("<View></View>").unwrap();
    Project::new(
        ProjectId::parse("1"),
        Arc::new(label_config),
        Arc::new(resources),
    )
}

fn publish(project: &Project, version: &str, files: &[(&str, &[u8])]) -> Result<(), VersionError> {
    let new = project.new_version().unwrap();
    for (path, bytes) in files {
        let path = new.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    project
        .publish(new, version, json!({ "f1": 0.5 }))
        .map(drop)
}

fn read(project: &Project, version: &str, path: &str) -> Option<Vec<u8>> {
    let folder = project.version_folder(version).unwrap()?;
    Some(fs::read(folder.join(path)).unwrap())
}

#[test]
fn a_version_of_one_machine_is_used_by_another() {
    let (store, facts) = (MockObjectStore::start(), SharedStore::default());
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, two] =
        [&folders[0], &folders[1]].map(|folder| machine(&store, &facts, folder.path()));
    let large: Vec<u8> = (0..=u8::MAX).collect::<Vec<_>>().repeat(17 << 12);
    let files: [(&str, &[u8]); 4] = [
        ("weights/large.bin", &large),
        ("weights/größe 100%.txt", b"odd"),
        ("empty", b""),
        ("labels.json", b"[]"),
    ];
    publish(&one, "v1 – first", &files).unwrap();
    assert_eq!(two.model_version().unwrap(), "v1 – first");
    for (path, bytes) in files {
        assert!(read(&two, "v1 – first", path).unwrap() == bytes, "{path}");
    }
    let n_requests = store.service().received().len();
    assert!(read(&two, "v1 – first", "empty").is_some());
    assert_eq!(
        store.service().received().len(),
        n_requests + 1,
        "its files are there"
    );
    assert_eq!(read(&two, "v2", "labels.json"), None);
}

#[test]
fn one_of_two_machines_publishes_a_version_and_nothing_of_the_other_is_left() {
    let (store, facts) = (MockObjectStore::start(), SharedStore::default());
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, two] =
        [&folders[0], &folders[1]].map(|folder| machine(&store, &facts, folder.path()));
    publish(&one, "v1", &[("weights", b"one")]).unwrap();
    let names = store.names();
    assert_eq!(names.len(), 2, "{names:?}");
    let error = publish(&two, "v1", &[("weights", b"two")]).unwrap_err();
    assert!(matches!(error, VersionError::Exists { .. }), "{error}");
    assert_eq!(store.names(), names);
    assert_eq!(read(&two, "v1", "weights").as_deref(), Some(&b"one"[..]));
}

#[test]
fn old_versions_are_removed_everywhere_and_any_other_can_be_activated() {
    let (store, facts) = (MockObjectStore::start(), SharedStore::default());
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, two] =
        [&folders[0], &folders[1]].map(|folder| machine(&store, &facts, folder.path()));
    for version in ["v1", "v2", "v3"] {
        publish(&one, version, &[("weights", version.as_bytes())]).unwrap();
    }
    assert!(store.names().iter().all(|name| !name.contains("/v1/")));
    assert_eq!(read(&two, "v1", "weights"), None);
    two.activate_version("v2").unwrap();
    assert_eq!(one.model_version().unwrap(), "v2");
    let error = two.activate_version("v1").unwrap_err();
    assert!(matches!(error, VersionError::Unknown { .. }), "{error}");
}

#[test]
fn a_version_that_cannot_be_uploaded_is_not_active() {
    let (store, facts) = (MockObjectStore::start(), SharedStore::default());
    let folder = tempfile::tempdir().unwrap();
    let project = machine(&store, &facts, folder.path());
    publish(&project, "v1", &[("weights", b"1")]).unwrap();
    store.set_broken(true);
    let error = publish(&project, "v2", &[("weights", b"2")]).unwrap_err();
    assert!(error.to_string().contains("ARTIFACT_URL"), "{error}");
    assert_eq!(project.model_version().unwrap(), "v1");
    assert_eq!(
        read(&project, "v1", "weights").as_deref(),
        Some(&b"1"[..]),
        "the copy serves"
    );
    store.set_broken(false);
    publish(&project, "v2", &[("weights", b"2")]).unwrap();
    assert_eq!(project.model_version().unwrap(), "v2");
}

#[test]
fn a_record_cannot_name_files_outside_of_the_version() {
    let (store, facts) = (MockObjectStore::start(), SharedStore::default());
    let folder = tempfile::tempdir().unwrap();
    let project = machine(&store, &facts, folder.path());
    for path in ["../../escaped", "/tmp/escaped", "a//b", "a/./b"] {
        let record = json!({
            "project": "1", "version": "v1", "created_at": 1.0,
            "folder": "f", "files": [{ "path": path, "n_bytes": 1 }],
        });
        store.put(
            "my backend/1/v1/version.json",
            record.to_string().as_bytes(),
        );
        let error = project.version_folder("v1").unwrap_err();
        assert!(error.to_string().contains("cannot use"), "{error}");
    }
    let record = json!({
        "project": "1", "version": "v1", "created_at": 1.0,
        "folder": "f", "files": [{ "path": "cut", "n_bytes": 5 }],
    });
    store.put(
        "my backend/1/v1/version.json",
        record.to_string().as_bytes(),
    );
    store.put("my backend/1/v1/f/cut", b"1234");
    assert!(
        project.version_folder("v1").is_err(),
        "a file is shorter than it was"
    );
    assert_eq!(
        fs::read_dir(folder.path().join("versions/1"))
            .unwrap()
            .count(),
        0
    );
}

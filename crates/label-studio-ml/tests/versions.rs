//! Versions of trained models: written whole, listed, kept and rolled back.

use std::{fs, path::Path, sync::Arc};

use label_studio_ml::{
    FnModel, JobContext, LabelConfig, Project, ProjectId, Resources, ServerArgs, Value, json,
    store::MemoryStore,
    testing::TestClient,
    versions::{VersionError, VersionRecord, Versions},
};

fn project_in(folder: &Path, n_kept: usize) -> Project {
    let resources = Resources {
        versions: Versions::new(folder).keeping(n_kept),
        ..Resources::new(MemoryStore::default())
    };
    let label_config = LabelConfig::parse("<View></View>").unwrap();
    Project::new(
        ProjectId::parse("1"),
        Arc::new(label_config),
        Arc::new(resources),
    )
}

fn publish(project: &Project, version: &str) {
    let new = project.new_version().unwrap();
    fs::create_dir(new.path().join("weights")).unwrap();
    fs::write(new.path().join("weights/model.bin"), version).unwrap();
    project.publish(new, version, json!({ "f1": 0.5 })).unwrap();
}

fn weights(project: &Project, version: &str) -> Option<String> {
    let folder = project.version_folder(version).unwrap()?;
    Some(fs::read_to_string(folder.join("weights/model.bin")).unwrap())
}

/// Counts what is in the project's folder, hidden things included.
fn n_entries(folder: &Path) -> usize {
    fs::read_dir(folder.join("versions/1")).unwrap().count()
}

#[test]
fn a_published_version_is_the_model_version_and_has_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let project = project_in(folder.path(), 5);
    publish(&project, "v1");
    publish(&project, "v2");
    assert_eq!(project.model_version().unwrap(), "v2");
    assert_eq!(weights(&project, "v1").as_deref(), Some("v1"));
    assert_eq!(weights(&project, "v2").as_deref(), Some("v2"));
    assert_eq!(weights(&project, "v3"), None);
    assert_eq!(n_entries(folder.path()), 2, "nothing is left over");
}

#[test]
fn the_next_version_is_none_that_was_published() {
    let folder = tempfile::tempdir().unwrap();
    let project = project_in(folder.path(), 5);
    publish(&project, "mood-v2");
    publish(&project, "mood-v3");
    project.activate_version("mood-v2").unwrap();
    assert_eq!(project.next_model_version("mood-v").unwrap(), "mood-v4");
}

#[test]
fn what_is_not_published_leaves_the_active_version_alone() {
    let folder = tempfile::tempdir().unwrap();
    let project = project_in(folder.path(), 5);
    publish(&project, "v1");
    let failed = project.new_version().unwrap();
    fs::write(failed.path().join("half"), "of a file").unwrap();
    drop(failed);
    let job = JobContext::default();
    let cancelled = project.with_job(job.clone());
    let new = cancelled.new_version().unwrap();
    job.cancel();
    let error = cancelled.publish(new, "v2", Value::Null).unwrap_err();
    assert!(matches!(error, VersionError::Cancelled), "{error}");
    assert_eq!(project.model_version().unwrap(), "v1");
    assert_eq!(n_entries(folder.path()), 1);
}

#[test]
fn what_a_killed_training_left_is_removed_and_what_runs_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let project = project_in(folder.path(), 5);
    let running = project.new_version().unwrap();
    let left = folder.path().join("versions/1/.new-0123");
    fs::create_dir_all(left.join("weights")).unwrap();
    let other = project.new_version().unwrap();
    assert!(!left.exists());
    assert!(running.path().exists() && other.path().exists());
}

#[test]
fn a_version_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let project = project_in(folder.path(), 5);
    publish(&project, "v1");
    let new = project.new_version().unwrap();
    let error = project.publish(new, "v1", Value::Null).unwrap_err();
    assert!(matches!(error, VersionError::Exists { .. }), "{error}");
    assert_eq!(weights(&project, "v1").as_deref(), Some("v1"));
    for name in ["", &"v".repeat(300)] {
        let new = project.new_version().unwrap();
        let error = project.publish(new, name, Value::Null).unwrap_err();
        assert!(matches!(error, VersionError::Name { .. }), "{error}");
    }
}

#[test]
fn old_versions_are_removed_but_never_the_active_one() {
    let folder = tempfile::tempdir().unwrap();
    let project = project_in(folder.path(), 2);
    for version in ["v1", "v2", "v3", "v4"] {
        publish(&project, version);
    }
    assert_eq!(weights(&project, "v1"), None);
    assert!(weights(&project, "v2").is_some());
    project.activate_version("v2").unwrap();
    assert_eq!(project.model_version().unwrap(), "v2");
    assert!(matches!(
        project.activate_version("v9"),
        Err(VersionError::Unknown { .. })
    ));
}

#[test]
fn a_name_cannot_leave_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let project = project_in(folder.path(), 5);
    publish(&project, "../../v1");
    assert_eq!(weights(&project, "../../v1").as_deref(), Some("../../v1"));
    assert_eq!(n_entries(folder.path()), 1);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn versions_are_listed_with_their_metrics_and_activated_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let model = FnModel::new("Learner").update_fn(|project, _| {
        let version = format!("v{}", project.model_versions()?.len());
        let new = project.new_version()?;
        fs::write(new.path().join("model.bin"), "weights")?;
        project.publish(new, &version, json!({ "f1": 0.5 }))?;
        Ok(version.into())
    });
    let resources = Resources {
        versions: Versions::new(folder.path()),
        ..Resources::new(MemoryStore::default())
    };
    let client = TestClient::with_resources(model, &ServerArgs::default(), resources);
    let train = |project: u32| {
        let event = json!({ "action": "START_TRAINING", "project": { "id": project } });
        let (status, answer) = client.post("/webhook", &event);
        assert_eq!(status, 201, "{answer}");
        answer["result"].as_str().unwrap().to_owned()
    };
    assert_eq!([train(1), train(1), train(2)], ["v1", "v2", "v1"]);
    let (_, answer) = client.get("/versions");
    assert_eq!(answer["versions"], json!(["0.0.1", "v1", "v2"]));
    let details: Vec<VersionRecord> = serde_json::from_value(answer["details"].clone()).unwrap();
    let names: Vec<_> = details
        .iter()
        .map(|record| (&*record.project, &*record.version))
        .collect();
    assert_eq!(names, [("1", "v2"), ("1", "v1"), ("2", "v1")]);
    assert_eq!(details[0].metrics, json!({ "f1": 0.5 }));
    assert_eq!(
        (details[0].n_bytes, details[0].job.as_deref()),
        (7, Some("2"))
    );
    let activate = |path: &str| client.post(path, &Value::Null);
    let (status, answer) = activate("/versions/v1/activate?project=1");
    assert_eq!(
        (status, answer),
        (
            200,
            json!({ "project": "1", "version": "v1", "is_active": true })
        )
    );
    let (status, answer) = activate("/versions/v2/activate");
    assert_eq!((status, &answer["project"]), (200, &json!("1")));
    for (path, status) in [
        ("/versions/v1/activate", 400),
        ("/versions/v9/activate", 400),
        ("/versions/v9/activate?project=1", 404),
    ] {
        assert_eq!(activate(path).0, status, "{path}");
    }
    let (_, answer) = client.get("/versions");
    let active: Vec<_> = answer["details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|details| details["is_active"].as_bool().unwrap())
        .collect();
    assert_eq!(active, [true, false, true]);
}

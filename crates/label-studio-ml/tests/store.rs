//! One contract for all stores; `postgres.rs` has the store that needs a server.

#[path = "contracts/store.rs"]
mod contract;

use std::{
    sync::{Arc, Barrier},
    thread,
};

use label_studio_ml::{
    ProjectId,
    store::{MemoryStore, SqliteStore, Store},
};

use contract::check_contract;

#[test]
fn memory() {
    check_contract(&MemoryStore::default());
}

#[test]
fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    check_contract(&SqliteStore::new(&folder.path().join("made/on/demand")));
}

#[test]
fn a_file_of_the_python_original_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let old = rusqlite::Connection::open(folder.path().join("cache.db")).unwrap();
    old.execute_batch(
        "CREATE TABLE cache (project_id TEXT, key TEXT, value TEXT, PRIMARY KEY (project_id, key));
         INSERT INTO cache VALUES ('7', 'model_version', 'Old-v0.0.1');",
    )
    .unwrap();
    let store = SqliteStore::new(folder.path());
    let version = store
        .get(&ProjectId::parse("7.170"), "model_version")
        .unwrap();
    assert_eq!(version.as_deref(), Some("Old-v0.0.1"));
}

#[test]
fn two_stores_on_one_file_never_read_stale_values() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (
        SqliteStore::new(folder.path()),
        SqliteStore::new(folder.path()),
    );
    let project = ProjectId::parse("1");
    for round in 0..50 {
        let value = round.to_string();
        one.set(&project, "k", &value).unwrap();
        assert_eq!(
            two.get(&project, "k").unwrap().as_deref(),
            Some(value.as_str())
        );
    }
}

#[test]
fn values_that_were_read_before_are_read_anew_after_any_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::new(folder.path());
    let (mine, other) = (ProjectId::parse("1"), ProjectId::parse("2"));
    // The Python original opens the file for each write, and rolls the log up when it is the last
    // to close it.
    let write = |key: &str, value: Option<&str>| {
        let original = rusqlite::Connection::open(folder.path().join("cache.db")).unwrap();
        let sql = "INSERT OR REPLACE INTO cache VALUES ('1', ?1, ?2)";
        original.execute(sql, (key, value)).unwrap();
        original
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .unwrap();
    };
    let read = |project| store.get(project, "k").unwrap();
    assert_eq!(
        (read(&mine), read(&mine)),
        (None, None),
        "missing values are remembered, too"
    );
    for round in 0..20 {
        let value = round.to_string();
        write("k", Some(&value));
        assert_eq!(
            (read(&mine), read(&mine)),
            (Some(value.clone()), Some(value))
        );
        assert_eq!(read(&other), None);
        write("other", Some("x"));
    }
    write("k", None);
    assert_eq!(read(&mine), None);
}

#[test]
fn a_new_file_may_be_opened_by_several_at_once() {
    for _ in 0..50 {
        let folder = tempfile::tempdir().unwrap();
        let gate = Barrier::new(4);
        thread::scope(|scope| {
            for idx in 0..4 {
                let store = SqliteStore::new(folder.path());
                let gate = &gate;
                scope.spawn(move || {
                    gate.wait();
                    store
                        .set(&ProjectId::parse(&idx.to_string()), "k", "v")
                        .unwrap();
                });
            }
        });
    }
}

#[test]
fn writers_on_one_file_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let stores: Vec<_> = (0..4)
        .map(|_| Arc::new(SqliteStore::new(folder.path())))
        .collect();
    let threads: Vec<_> = stores
        .into_iter()
        .enumerate()
        .map(|(idx, store)| {
            thread::spawn(move || {
                for round in 0..25 {
                    store
                        .set(&ProjectId::parse(&idx.to_string()), "k", &round.to_string())
                        .unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(SqliteStore::new(folder.path()).values("k").unwrap(), ["24"]);
}

#[test]
fn an_unchanged_value_commits_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::new(folder.path());
    let project = ProjectId::parse("1");
    store.set(&project, "k", "v").unwrap();
    let watcher = rusqlite::Connection::open(folder.path().join("cache.db")).unwrap();
    let version = || -> i64 {
        watcher
            .query_row("PRAGMA data_version", [], |row| row.get(0))
            .unwrap()
    };
    let before = version();
    store.set(&project, "k", "v").unwrap();
    assert_eq!(version(), before);
    store.set(&project, "k", "w").unwrap();
    assert_ne!(version(), before);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("models");
    std::fs::write(&blocked, "a file where the folder should be").unwrap();
    let store = SqliteStore::new(&blocked);
    let project = ProjectId::parse("1");
    let error = store.set(&project, "k", "v").unwrap_err().to_string();
    assert!(
        error.contains("MODEL_DIR") && error.contains("models"),
        "{error}"
    );
    std::fs::remove_file(&blocked).unwrap();
    store.set(&project, "k", "v").unwrap();
}

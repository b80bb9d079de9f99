//! What every store keeps.

use label_studio_ml::{ProjectId, store::Store};

pub(crate) fn check_contract(store: &dyn Store) {
    let (mine, other) = (ProjectId::parse("1.17"), ProjectId::parse("2"));
    store.set(&mine, "k", "old").unwrap();
    store.set(&mine, "k", "new — ✓").unwrap();
    store.set(&mine, "k", "new — ✓").unwrap();
    store.set(&other, "other", "x").unwrap();
    let read = |project, key| store.get(project, key).unwrap();
    assert_eq!(
        read(&mine, "k").as_deref(),
        Some("new — ✓"),
        "the last write wins"
    );
    assert_eq!(read(&other, "k"), None, "projects are separate");
    assert_eq!(read(&mine, "other"), None, "keys are separate");
    store.set(&other, "k", "a").unwrap();
    assert_eq!(store.values("k").unwrap(), ["a", "new — ✓"]);
    assert_eq!(store.projects().unwrap(), ["1", "2"]);
    let odd = "zero \0, quote ', backslash \\, percent %s";
    store.set(&mine, "odd '\"; key", odd).unwrap();
    assert_eq!(read(&mine, "odd '\"; key").as_deref(), Some(odd));
    let long = "x".repeat(100_000);
    let long_key = "k".repeat(1_000);
    store.set(&mine, &long_key, &long).unwrap();
    assert_eq!(read(&mine, &long_key).as_deref(), Some(&*long));
    store.set(&mine, "empty", "").unwrap();
    assert_eq!(read(&mine, "empty").as_deref(), Some(""));
    assert!(store.probe().is_ok());
}

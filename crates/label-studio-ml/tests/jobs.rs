//! One contract for all queues of jobs; `postgres.rs` has the queue that needs a server.

#[path = "contracts/jobs.rs"]
mod contract;

use label_studio_ml::jobs::{MemoryJobs, SqliteJobs};

use contract::{Open, with_job_rules};

fn check(rule: fn(Open<'_>)) {
    let memory = MemoryJobs::default();
    rule(&|| Box::new(memory.clone()));
    let folder = tempfile::tempdir().unwrap();
    rule(&|| Box::new(SqliteJobs::new(&folder.path().join("made/on/demand"))));
}

macro_rules! tests {
    ($($rule:ident)*) => {
        $(
            #[test]
            fn $rule() {
                check(contract::$rule);
            }
        )*
    };
}

with_job_rules!(tests);

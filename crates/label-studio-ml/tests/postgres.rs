//! Stores and queues in a real PostgreSQL: the contracts, and what several replicas need.

#[path = "contracts/jobs.rs"]
mod job_contract;
#[path = "contracts/store.rs"]
mod store_contract;

use std::{
    io::{self, BufRead, BufReader, Write},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use job_contract::{Open, with_job_rules};
use label_studio_ml::{
    ProjectId,
    jobs::{Backoff, Jobs, NewJob, PostgresJobs},
    postgres::Database,
    store::{PostgresStore, Store, StoreError},
};
use label_studio_testing::{PostgresServer, wait_for};
use postgres::{Client, NoTls};

/// Address of the database, for the test that is run as another process.
const ADDRESS: &str = "LABEL_STUDIO_ML_TEST_DATABASE";
const LEASE: Duration = Duration::from_secs(3600);

fn client(server: &PostgresServer) -> Client {
    Client::connect(&server.address("public"), NoTls).unwrap()
}

/// Returns the address of an empty schema.
fn new_schema(server: &PostgresServer, name: &str) -> String {
    let statement = format!("CREATE SCHEMA {name}");
    client(server).batch_execute(&statement).unwrap();
    server.address(name)
}

fn connect(address: &str) -> Arc<Database> {
    Arc::new(
        Database::new(
            address,
            label_studio_ml::sdk::http::NetworkOptions::default(),
        )
        .unwrap(),
    )
}

#[test]
fn store_and_queue_keep_the_contracts() {
    let server = PostgresServer::start();
    let address = new_schema(&server, "store");
    store_contract::check_contract(&PostgresStore::new(&connect(&address)));
    let check = |name: &str, rule: fn(Open<'_>)| {
        let address = new_schema(&server, name);
        rule(&|| Box::new(PostgresJobs::new(&connect(&address))));
    };
    macro_rules! check_all {
        ($($rule:ident)*) => {
            $(check(stringify!($rule), job_contract::$rule);)*
        };
    }
    with_job_rules!(check_all);
}

#[test]
fn replicas_hear_of_changes_and_survive_lost_connections() {
    let server = PostgresServer::start();
    let address = new_schema(&server, "replicas");
    let (one, two) = (connect(&address), connect(&address));
    hear_of_values(&server, &one, &two);
    hear_of_jobs(&one, &two);
    survive_lost_connections(&server, &one, &two);
    lose_the_jobs_of_a_killed_process(&address, &one);
    name_what_is_wrong(&server);
}

fn hear_of_values(server: &PostgresServer, one: &Arc<Database>, two: &Arc<Database>) {
    let (one, two) = (PostgresStore::new(one), PostgresStore::new(two));
    let project = ProjectId::parse("7");
    let read = |store: &PostgresStore| store.get(&project, "model_version").unwrap();
    for round in 0..20 {
        let version = format!("v{round}");
        one.set(&project, "model_version", &version).unwrap();
        assert_eq!(read(&one), Some(version.clone()), "its own value at once");
        wait_for("a replica's value", || {
            (read(&two).as_ref() == Some(&version)).then_some(())
        });
    }
    // What was read is answered from memory: the table cannot be read meanwhile.
    let lock = "BEGIN; LOCK TABLE replicas.label_studio_ml_cache IN ACCESS EXCLUSIVE MODE";
    let mut locking = client(server);
    for store in [&one, &two] {
        assert_eq!(read(store).as_deref(), Some("v19"));
    }
    locking.batch_execute(lock).unwrap();
    for store in [&one, &two] {
        let start = Instant::now();
        assert_eq!(read(store).as_deref(), Some("v19"));
        assert!(start.elapsed() < Duration::from_secs(10), "it waited");
    }
}

fn hear_of_jobs(one: &Arc<Database>, two: &Arc<Database>) {
    let (one, two) = (PostgresJobs::new(one), PostgresJobs::new(two));
    let n_heard = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&n_heard);
    two.on_change(Box::new(move || {
        heard.fetch_add(1, Ordering::SeqCst);
    }));
    let before = n_heard.load(Ordering::SeqCst);
    one.push(&[NewJob::new("heard", "START_TRAINING", "{}")])
        .unwrap();
    wait_for("a notification", || {
        (n_heard.load(Ordering::SeqCst) > before).then_some(())
    });
    let claim = two.claim(LEASE).unwrap().unwrap();
    assert_eq!(claim.job.project, "heard");
}

fn survive_lost_connections(server: &PostgresServer, one: &Arc<Database>, two: &Arc<Database>) {
    let stores = [PostgresStore::new(one), PostgresStore::new(two)];
    let project = ProjectId::parse("7");
    for round in 0..3 {
        for store in &stores {
            store.get(&project, "k").unwrap();
        }
        client(server)
            .batch_execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name = 'label-studio-ml'",
            )
            .unwrap();
        let value = format!("after {round}");
        stores[round % 2].set(&project, "k", &value).unwrap();
        for store in &stores {
            wait_for("the value", || {
                (store.get(&project, "k").unwrap().as_ref() == Some(&value)).then_some(())
            });
        }
    }
}

/// Does nothing in a run of all tests. As another process it claims a job, says which, and hangs.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test that is another process takes no arguments"
)]
fn other_process() {
    let Ok(address) = std::env::var(ADDRESS) else {
        return;
    };
    let jobs = PostgresJobs::new(&connect(&address));
    let claim = jobs.claim(LEASE).unwrap().unwrap();
    writeln!(io::stderr(), "claimed {}", claim.job.id).unwrap();
    loop {
        thread::park();
    }
}

fn lose_the_jobs_of_a_killed_process(address: &str, database: &Arc<Database>) {
    let jobs = PostgresJobs::new(database);
    let id = jobs
        .push(&[NewJob::new("killed", "START_TRAINING", "{}")])
        .unwrap()[0]
        .id;
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "other_process", "--nocapture"])
        .env(ADDRESS, address)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let claimed = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("claimed ")?.parse().ok());
    assert_eq!(claimed, Some(id));
    for _ in 0..20 {
        assert_eq!(jobs.reap(Backoff::default()).unwrap(), 0, "it lives");
    }
    process.kill().unwrap();
    process.wait().unwrap();
    wait_for("the job", || {
        (jobs.reap(Backoff::default()).unwrap() == 1).then_some(())
    });
    let claim = jobs.claim(LEASE).unwrap().unwrap();
    assert_eq!((claim.job.id, claim.job.attempts), (id, 2));
    assert!(claim.job.error.unwrap().contains("ended"));
}

fn name_what_is_wrong(server: &PostgresServer) {
    let project = ProjectId::parse("1");
    let read = |address: &str| -> StoreError {
        let store = PostgresStore::new(&connect(address));
        store.get(&project, "k").unwrap_err()
    };
    let chain = |error: StoreError| format!("{:#}", label_studio_ml::anyhow::Error::from(error));
    let nowhere = chain(read("postgres://user:pass%77ord@127.0.0.1:1/database"));
    assert!(
        nowhere.contains("127.0.0.1:1") && nowhere.contains("DATABASE_URL"),
        "{nowhere}"
    );
    assert!(!nowhere.contains("pass"), "{nowhere}");
    let address = server
        .address("public")
        .replace("dbname=postgres", "dbname=missing");
    let missing = chain(read(&address));
    assert!(
        missing.contains(r#"database "missing" does not exist"#),
        "{missing}"
    );
    let network = label_studio_ml::sdk::http::NetworkOptions::default();
    let error = Database::new("mysql://host/database", network).unwrap_err();
    assert!(error.to_string().contains("DATABASE_URL"), "{error}");
}

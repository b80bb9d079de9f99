//! The tables of a backend. They lie in the first schema of the connection's `search_path`.

/// Whether the tables are there, which a user without the right to make tables can ask.
pub(super) const IS_THERE: &str = "SELECT to_regclass('label_studio_ml_jobs') IS NOT NULL
    AND to_regclass('label_studio_ml_cache') IS NOT NULL";

/// Keeps replicas that start at the same time from making the tables twice.
pub(super) const LOCK: &str = "SELECT pg_advisory_xact_lock(7830251, 0)";

/// The tables. Values are bytes, since a text of PostgreSQL cannot hold the character 0. Two unique
/// indices of the jobs keep a project from running twice, and equal jobs from waiting twice.
pub(super) const TABLES: &str = r#"
CREATE TABLE IF NOT EXISTS label_studio_ml_cache (
    project_id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value BYTEA NOT NULL,
    PRIMARY KEY (project_id, key)
);
CREATE TABLE IF NOT EXISTS label_studio_ml_jobs (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    merge_key TEXT COLLATE "C",
    n_bytes BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    run_at DOUBLE PRECISION NOT NULL,
    lease_until DOUBLE PRECISION,
    worker TEXT,
    lock_number INTEGER,
    progress DOUBLE PRECISION,
    message TEXT,
    error TEXT,
    result TEXT,
    cancel BOOLEAN NOT NULL DEFAULT FALSE,
    created_at DOUBLE PRECISION NOT NULL,
    started_at DOUBLE PRECISION,
    ended_at DOUBLE PRECISION,
    log TEXT NOT NULL DEFAULT '',
    payload TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS label_studio_ml_one_running
    ON label_studio_ml_jobs (project) WHERE state = 'running';
CREATE UNIQUE INDEX IF NOT EXISTS label_studio_ml_one_waiting
    ON label_studio_ml_jobs (project, merge_key)
    WHERE state = 'pending' AND attempts = 0 AND merge_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS label_studio_ml_waiting
    ON label_studio_ml_jobs (project, id) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS label_studio_ml_ended
    ON label_studio_ml_jobs (ended_at, id) WHERE ended_at IS NOT NULL;
"#;

/// The channel on which the replicas of one backend tell each other what changed. Each
/// schema holds one backend.
pub(super) const CHANNEL: &str =
    "SELECT 'label_studio_ml_' || current_schema()::regnamespace::oid::text";

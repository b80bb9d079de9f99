//! The table of jobs, and the statements on it.

/// The table and what it promises: two unique indices keep a project from running twice, and equal
/// jobs from waiting twice. Large columns come last, so that a list does not read them.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL,
    kind TEXT NOT NULL,
    merge_key TEXT,
    n_bytes INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    run_at REAL NOT NULL,
    lease_until REAL,
    worker TEXT,
    progress REAL,
    message TEXT,
    error TEXT,
    result TEXT,
    cancel INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    started_at REAL,
    ended_at REAL,
    log TEXT NOT NULL DEFAULT '',
    payload TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS one_running ON jobs (project) WHERE state = 'running';
CREATE UNIQUE INDEX IF NOT EXISTS one_waiting ON jobs (project, merge_key)
    WHERE state = 'pending' AND attempts = 0 AND merge_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS waiting ON jobs (project, id) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS by_state ON jobs (state, id, n_bytes);
CREATE INDEX IF NOT EXISTS by_end ON jobs (ended_at) WHERE ended_at IS NOT NULL;
";

/// Ids of a new file go on after those of one that was removed.
pub(super) const START_IDS: &str = "INSERT INTO sqlite_sequence (name, seq)
    SELECT 'jobs', ?1 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'jobs')";

pub(super) const RAISE_IDS: &str =
    "UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'jobs'";

/// Columns of a job as it is shown.
pub(super) const COLUMNS: &str = "id, project, kind, state, attempts, max_attempts, run_at, worker,
    progress, message, error, result, cancel, created_at, started_at, ended_at";

/// The index is named: SQLite would read all pending jobs of the project, in the path of the webhook.
pub(super) const FIND_EQUAL: &str = "SELECT id, payload FROM jobs INDEXED BY one_waiting
    WHERE project = ?1 AND merge_key = ?2 AND state = 'pending' AND attempts = 0";

pub(super) const REPLACE: &str =
    "UPDATE jobs SET kind = ?2, payload = ?3, n_bytes = ?4 WHERE id = ?1";

pub(super) const INSERT: &str = "INSERT INTO jobs
    (project, kind, merge_key, n_bytes, max_attempts, payload, run_at, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, unixepoch('subsec'), unixepoch('subsec')) RETURNING id";

/// The first pending job whose project has none running and none before it.
///
/// Projects are found one by one on the index `waiting`, so that many pending jobs of one project
/// cost nothing. SQLite would choose another index, and read all pending jobs for each project.
pub(super) const NEXT: &str = "WITH RECURSIVE waiting_projects (project) AS (
        SELECT min(project) FROM jobs INDEXED BY waiting WHERE state = 'pending'
        UNION ALL
        SELECT (SELECT min(later.project) FROM jobs later INDEXED BY waiting
            WHERE later.state = 'pending' AND later.project > waiting_projects.project)
        FROM waiting_projects WHERE waiting_projects.project IS NOT NULL
    ), first_jobs (id) AS (
        SELECT (SELECT min(first.id) FROM jobs first INDEXED BY waiting
            WHERE first.state = 'pending' AND first.project = waiting_projects.project)
        FROM waiting_projects WHERE waiting_projects.project IS NOT NULL
    )
    SELECT jobs.id FROM first_jobs JOIN jobs ON jobs.id = first_jobs.id
    WHERE jobs.run_at <= unixepoch('subsec') AND NOT EXISTS (
        SELECT 1 FROM jobs busy WHERE busy.state = 'running' AND busy.project = jobs.project)
    ORDER BY jobs.id LIMIT 1";

/// A pending job that does the same as one that was cut short.
pub(super) const FIND_NEWER: &str = "SELECT newer.id FROM jobs, jobs newer INDEXED BY one_waiting
    WHERE jobs.id = ?1 AND newer.project = jobs.project AND newer.merge_key = jobs.merge_key
    AND newer.state = 'pending' AND newer.attempts = 0 AND newer.id > jobs.id";

pub(super) const DROP: &str = "UPDATE jobs SET state = 'cancelled', error = ?2, lease_until = NULL,
    ended_at = unixepoch('subsec') WHERE id = ?1";

pub(super) const START: &str = "UPDATE jobs SET state = 'running', worker = ?2,
    attempts = attempts + 1, lease_until = unixepoch('subsec') + ?3, progress = NULL,
    message = NULL, started_at = unixepoch('subsec') WHERE id = ?1";

pub(super) const BEAT: &str = "UPDATE jobs SET lease_until = unixepoch('subsec') + ?3,
    progress = coalesce(?4, progress), message = coalesce(?5, message), log = coalesce(?6, log)
    WHERE id = ?1 AND worker = ?2 AND state = 'running' RETURNING cancel";

pub(super) const DONE: &str = "UPDATE jobs SET state = 'done', result = ?3, error = NULL,
    progress = 1, lease_until = NULL, ended_at = unixepoch('subsec')
    WHERE id = ?1 AND worker = ?2 AND state = 'running' RETURNING state";

pub(super) const FAILED: &str = "UPDATE jobs SET state = 'failed', error = ?3, lease_until = NULL,
    ended_at = unixepoch('subsec')
    WHERE id = ?1 AND worker = ?2 AND state = 'running' RETURNING state";

pub(super) const CANCELLED: &str = "UPDATE jobs SET state = 'cancelled', cancel = 1,
    lease_until = NULL, ended_at = unixepoch('subsec')
    WHERE id = ?1 AND worker = ?2 AND state = 'running' RETURNING state";

/// An attempt failed: the job is cancelled, has failed, or waits for its next attempt.
pub(super) const RETRY: &str = "UPDATE jobs SET state = CASE WHEN cancel THEN 'cancelled'
        WHEN attempts >= max_attempts THEN 'failed' ELSE 'pending' END,
    ended_at = CASE WHEN cancel OR attempts >= max_attempts THEN unixepoch('subsec') END,
    error = ?3, run_at = unixepoch('subsec') + ?4, lease_until = NULL
    WHERE id = ?1 AND worker = ?2 AND state = 'running' RETURNING state";

/// Like [`RETRY`], for a process that is dead (`?5`) or let its lease end.
pub(super) const REAP: &str = "UPDATE jobs SET state = CASE WHEN cancel THEN 'cancelled'
        WHEN attempts >= max_attempts THEN 'failed' ELSE 'pending' END,
    ended_at = CASE WHEN cancel OR attempts >= max_attempts THEN unixepoch('subsec') END,
    error = ?3, run_at = unixepoch('subsec') + ?4, lease_until = NULL
    WHERE id = ?1 AND worker = ?2 AND state = 'running'
    AND (?5 OR lease_until < unixepoch('subsec'))";

/// Like [`DROP`], for a job that this process works on.
pub(super) const REPLACED: &str = "UPDATE jobs SET state = 'cancelled', error = ?3,
    lease_until = NULL, ended_at = unixepoch('subsec')
    WHERE id = ?1 AND worker = ?2 AND state = 'running' RETURNING state";

pub(super) const GIVE_BACK: &str = "UPDATE jobs
    SET state = CASE WHEN cancel THEN 'cancelled' ELSE 'pending' END,
    ended_at = CASE WHEN cancel THEN unixepoch('subsec') END,
    attempts = attempts - 1, error = ?3, run_at = unixepoch('subsec') + ?4, lease_until = NULL
    WHERE id = ?1 AND worker = ?2 AND state = 'running' RETURNING state";

pub(super) const RUNNING: &str =
    "SELECT id, worker, attempts, lease_until < unixepoch('subsec') FROM jobs
    WHERE state = 'running'";

pub(super) const CANCEL: &str = "UPDATE jobs SET cancel = 1,
    ended_at = CASE WHEN state = 'pending' THEN unixepoch('subsec') ELSE ended_at END,
    state = CASE WHEN state = 'pending' THEN 'cancelled' ELSE state END
    WHERE id = ?1 AND state IN ('pending', 'running') RETURNING state";

pub(super) const STATE: &str = "SELECT state FROM jobs WHERE id = ?1";

pub(super) const FIND_OTHER: &str = "SELECT other.id FROM jobs, jobs other INDEXED BY one_waiting
    WHERE jobs.id = ?1 AND other.project = jobs.project AND other.merge_key = jobs.merge_key
    AND other.state = 'pending' AND other.attempts = 0";

pub(super) const AGAIN: &str = "UPDATE jobs SET state = 'pending', attempts = 0, cancel = 0,
    run_at = unixepoch('subsec'), ended_at = NULL, error = NULL, result = NULL, progress = NULL,
    message = NULL WHERE id = ?1";

pub(super) const LOG: &str = "SELECT log FROM jobs WHERE id = ?1";

pub(super) const PAYLOAD: &str = "SELECT payload, log FROM jobs WHERE id = ?1";

pub(super) const BACKLOG: &str =
    "SELECT count(*), coalesce(sum(n_bytes), 0) FROM jobs WHERE state = 'pending'";

pub(super) const PROBE: &str = "SELECT 1 FROM jobs LIMIT 1";

pub(super) const PRUNE: &str = "DELETE FROM jobs WHERE id IN (
    SELECT id FROM jobs WHERE ended_at IS NOT NULL ORDER BY ended_at DESC, id DESC
    LIMIT -1 OFFSET ?1)";

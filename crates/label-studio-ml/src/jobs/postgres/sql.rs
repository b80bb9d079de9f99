//! The statements on the table of jobs. Times are those of the database.

macro_rules! now {
    () => {
        "extract(epoch FROM clock_timestamp())::float8"
    };
}

/// Columns of a job as it is shown.
pub(super) const COLUMNS: &str = "id, project, kind, state, attempts, max_attempts, run_at, worker,
    progress, message, error, result, cancel, created_at, started_at, ended_at";

/// Tells all replicas that something about jobs has changed.
pub(super) const NOTIFY: &str =
    "SELECT pg_notify('label_studio_ml_' || current_schema()::regnamespace::oid::text, 'jobs')";

/// Stores a job, or replaces the pending one that does the same. A row that was replaced has a
/// transaction that locked it.
pub(super) const PUSH: &str = concat!(
    "INSERT INTO label_studio_ml_jobs
    (project, kind, merge_key, n_bytes, max_attempts, payload, run_at, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, ",
    now!(),
    ", ",
    now!(),
    ") ON CONFLICT (project, merge_key)
    WHERE state = 'pending' AND attempts = 0 AND merge_key IS NOT NULL
    DO UPDATE SET kind = excluded.kind, payload = excluded.payload, n_bytes = excluded.n_bytes
    RETURNING id, xmax::text <> '0'"
);

/// The first pending jobs of projects that have none running.
///
/// Projects are found one by one on the index of pending jobs, so that many of one project cost
/// nothing.
pub(super) const NEXT: &str = concat!(
    "WITH RECURSIVE waiting_projects (project) AS (
        SELECT min(project) FROM label_studio_ml_jobs WHERE state = 'pending'
        UNION ALL
        SELECT (SELECT min(later.project) FROM label_studio_ml_jobs later
            WHERE later.state = 'pending' AND later.project > waiting_projects.project)
        FROM waiting_projects WHERE waiting_projects.project IS NOT NULL
    ), first_jobs (id) AS (
        SELECT (SELECT first.id FROM label_studio_ml_jobs first
            WHERE first.state = 'pending' AND first.project = waiting_projects.project
            ORDER BY first.project, first.id LIMIT 1)
        FROM waiting_projects WHERE waiting_projects.project IS NOT NULL
    )
    SELECT jobs.id FROM first_jobs JOIN label_studio_ml_jobs jobs ON jobs.id = first_jobs.id
    WHERE jobs.state = 'pending' AND jobs.run_at <= ",
    now!(),
    " AND NOT EXISTS (SELECT 1 FROM label_studio_ml_jobs busy
        WHERE busy.state = 'running' AND busy.project = jobs.project)
    ORDER BY jobs.id LIMIT 32"
);

/// Keeps a job from other replicas until the transaction ends, unless one has it already.
pub(super) const LOCK: &str = "SELECT id FROM label_studio_ml_jobs
    WHERE id = $1 AND state = 'pending' FOR UPDATE SKIP LOCKED";

/// A pending job that does the same as one that was cut short.
pub(super) const FIND_NEWER: &str = "SELECT newer.id
    FROM label_studio_ml_jobs jobs, label_studio_ml_jobs newer
    WHERE jobs.id = $1 AND newer.project = jobs.project AND newer.merge_key = jobs.merge_key
    AND newer.state = 'pending' AND newer.attempts = 0 AND newer.id > jobs.id";

pub(super) const DROP: &str = concat!(
    "UPDATE label_studio_ml_jobs SET state = 'cancelled', error = $2, lease_until = NULL,
    ended_at = ",
    now!(),
    " WHERE id = $1"
);

pub(super) const START: &str = concat!(
    "UPDATE label_studio_ml_jobs SET state = 'running', worker = $2, lock_number = $4,
    attempts = attempts + 1, progress = NULL, message = NULL, lease_until = $3 + ",
    now!(),
    ", started_at = ",
    now!(),
    " WHERE id = $1"
);

pub(super) const BEAT: &str = concat!(
    "UPDATE label_studio_ml_jobs SET progress = coalesce($4, progress),
    message = coalesce($5, message), log = coalesce($6, log), lease_until = $3 + ",
    now!(),
    " WHERE id = $1 AND worker = $2 AND state = 'running' RETURNING cancel"
);

pub(super) const DONE: &str = concat!(
    "UPDATE label_studio_ml_jobs SET state = 'done', result = $3, error = NULL, progress = 1,
    lease_until = NULL, ended_at = ",
    now!(),
    " WHERE id = $1 AND worker = $2 AND state = 'running' RETURNING state"
);

pub(super) const FAILED: &str = concat!(
    "UPDATE label_studio_ml_jobs SET state = 'failed', error = $3, lease_until = NULL, ended_at = ",
    now!(),
    " WHERE id = $1 AND worker = $2 AND state = 'running' RETURNING state"
);

/// A job that ends as cancelled; `$3` says why, if that is not a user's wish.
pub(super) const CANCELLED: &str = concat!(
    "UPDATE label_studio_ml_jobs SET state = 'cancelled', cancel = cancel OR $3 IS NULL,
    error = coalesce($3, error), lease_until = NULL, ended_at = ",
    now!(),
    " WHERE id = $1 AND worker = $2 AND state = 'running' RETURNING state"
);

/// An attempt failed: the job is cancelled, has failed, or waits for its next attempt.
pub(super) const RETRY: &str = concat!(
    "UPDATE label_studio_ml_jobs SET state = CASE WHEN cancel THEN 'cancelled'
        WHEN attempts >= max_attempts THEN 'failed' ELSE 'pending' END,
    ended_at = CASE WHEN cancel OR attempts >= max_attempts THEN ",
    now!(),
    " END, error = $3, lease_until = NULL, run_at = $4 + ",
    now!(),
    " WHERE id = $1 AND worker = $2 AND state = 'running' RETURNING state"
);

/// Like [`RETRY`], for a process that is dead (`$5`) or let its lease end.
pub(super) const REAP: &str = concat!(
    "UPDATE label_studio_ml_jobs SET state = CASE WHEN cancel THEN 'cancelled'
        WHEN attempts >= max_attempts THEN 'failed' ELSE 'pending' END,
    ended_at = CASE WHEN cancel OR attempts >= max_attempts THEN ",
    now!(),
    " END, error = $3, lease_until = NULL, run_at = $4 + ",
    now!(),
    " WHERE id = $1 AND worker = $2 AND state = 'running' AND ($5 OR lease_until < ",
    now!(),
    ")"
);

pub(super) const GIVE_BACK: &str = concat!(
    "UPDATE label_studio_ml_jobs SET state = CASE WHEN cancel THEN 'cancelled' ELSE 'pending' END,
    ended_at = CASE WHEN cancel THEN ",
    now!(),
    " END, attempts = attempts - 1, error = $3, lease_until = NULL, run_at = $4 + ",
    now!(),
    " WHERE id = $1 AND worker = $2 AND state = 'running' RETURNING state"
);

pub(super) const RUNNING: &str = concat!(
    "SELECT id, worker, lock_number, attempts, lease_until < ",
    now!(),
    " FROM label_studio_ml_jobs WHERE state = 'running'"
);

/// Numbers of the processes that are alive: each holds a lock as long as it is connected.
pub(super) const ALIVE: &str = "SELECT locks.objid::bigint::int4 FROM pg_locks locks
    JOIN pg_database ON pg_database.oid = locks.database
    WHERE pg_database.datname = current_database()
    AND locks.locktype = 'advisory' AND locks.objsubid = 2 AND locks.granted
    AND locks.classid::bigint = $1";

pub(super) const CANCEL: &str = concat!(
    "UPDATE label_studio_ml_jobs SET cancel = TRUE,
    ended_at = CASE WHEN state = 'pending' THEN ",
    now!(),
    " ELSE ended_at END,
    state = CASE WHEN state = 'pending' THEN 'cancelled' ELSE state END
    WHERE id = $1 AND state IN ('pending', 'running') RETURNING state"
);

pub(super) const STATE: &str = "SELECT state FROM label_studio_ml_jobs WHERE id = $1";

pub(super) const FIND_OTHER: &str = "SELECT other.id
    FROM label_studio_ml_jobs jobs, label_studio_ml_jobs other
    WHERE jobs.id = $1 AND other.project = jobs.project AND other.merge_key = jobs.merge_key
    AND other.state = 'pending' AND other.attempts = 0";

pub(super) const AGAIN: &str = concat!(
    "UPDATE label_studio_ml_jobs SET state = 'pending', attempts = 0, cancel = FALSE,
    ended_at = NULL, error = NULL, result = NULL, progress = NULL, message = NULL, run_at = ",
    now!(),
    " WHERE id = $1"
);

pub(super) const LOG: &str = "SELECT log FROM label_studio_ml_jobs WHERE id = $1";

pub(super) const PAYLOAD: &str = "SELECT payload, log FROM label_studio_ml_jobs WHERE id = $1";

pub(super) const BACKLOG: &str = "SELECT count(*), coalesce(sum(n_bytes), 0)::bigint
    FROM label_studio_ml_jobs WHERE state = 'pending'";

pub(super) const PRUNE: &str = "DELETE FROM label_studio_ml_jobs WHERE id IN (
    SELECT id FROM label_studio_ml_jobs WHERE ended_at IS NOT NULL
    ORDER BY ended_at DESC, id DESC OFFSET $1)";

/// Jobs of a project (`$1`), in a state (`$2`), before another (`$3`), at most `$4`; NULL for any.
pub(super) fn list() -> String {
    format!(
        "SELECT {COLUMNS} FROM label_studio_ml_jobs
        WHERE ($1 IS NULL OR project = $1) AND ($2 IS NULL OR state = $2)
        AND ($3 IS NULL OR id < $3) ORDER BY id DESC LIMIT $4"
    )
}

pub(super) fn get() -> String {
    format!("SELECT {COLUMNS} FROM label_studio_ml_jobs WHERE id = $1")
}

//! Jobs in an SQLite file, which several processes may share.

mod processes;
mod rows;
mod sql;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{
    Connection, OptionalExtension, Transaction, TransactionBehavior, params, params_from_iter,
    types::Value as SqlValue,
};

use self::{
    processes::ProcessLock,
    rows::{job, state},
};
use super::{
    Backlog, Backoff, Beat, Claim, Ending, Job, JobFilter, JobId, JobState, Jobs, JobsError,
    NewJob, Pushed, Report,
};
use crate::store::{BUSY_TIMEOUT, wait_while_busy};

const FILE_NAME: &str = "jobs.db";
/// Folder of the files that show which processes are alive.
const LOCKS: &str = "jobs.locks";

/// Jobs in `MODEL_DIR/jobs.db`, which several processes may share.
///
/// The file is opened at the first use and again after a failure. Each write is on the disk before
/// it returns. Leases run by the clock of the database, which is that of the machine.
#[derive(Debug)]
pub struct SqliteJobs {
    folder: PathBuf,
    open: Mutex<Option<Open>>,
}

/// An open file and this process's lock. The lock outlives a connection that failed.
#[derive(Debug)]
struct Open {
    connection: Option<Connection>,
    lock: ProcessLock,
}

impl SqliteJobs {
    /// Creates a queue in the folder `model_dir`, which is made at the first use if missing.
    pub fn new(model_dir: &Path) -> Self {
        Self {
            folder: model_dir.to_owned(),
            open: Mutex::default(),
        }
    }

    /// Returns whether there was never a job, so that a backend that does not train gets no file.
    fn is_unused(&self) -> bool {
        self.lock().is_none() && !self.path().exists()
    }

    fn path(&self) -> PathBuf {
        self.folder.join(FILE_NAME)
    }

    fn with<T>(
        &self,
        run: impl FnOnce(&mut Connection, &ProcessLock) -> rusqlite::Result<T>,
    ) -> Result<T, JobsError> {
        let mut guard = self.lock();
        let open = match &mut *guard {
            Some(open) => open,
            empty => empty.insert(Open {
                connection: None,
                lock: self.take_lock()?,
            }),
        };
        let mut connection = match open.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let result = run(&mut connection, &open.lock).map_err(|source| JobsError::Sqlite {
            path: self.path(),
            source,
        });
        if result.is_ok() {
            open.connection = Some(connection);
        }
        result
    }

    /// Runs statements that must be one, and that no other process's come between.
    fn change<T>(
        &self,
        run: impl FnOnce(&Transaction<'_>, &str) -> rusqlite::Result<T>,
    ) -> Result<T, JobsError> {
        self.with(|connection, lock| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = run(&transaction, lock.name())?;
            transaction.commit()?;
            Ok(result)
        })
    }

    fn take_lock(&self) -> Result<ProcessLock, JobsError> {
        std::fs::create_dir_all(&self.folder).map_err(|source| JobsError::Folder {
            path: self.folder.clone(),
            source,
        })?;
        ProcessLock::take(&self.folder.join(LOCKS))
    }

    fn connect(&self) -> Result<Connection, JobsError> {
        let open = || {
            let connection = Connection::open(self.path())?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            wait_while_busy(|| connection.pragma_update(None, "journal_mode", "wal"))?;
            // A job that was stored must survive a power cut.
            connection.pragma_update(None, "synchronous", "full")?;
            connection.execute_batch(sql::SCHEMA)?;
            Ok(connection)
        };
        open().map_err(|source| JobsError::Open {
            path: self.path(),
            source,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Jobs for SqliteJobs {
    fn push(&self, jobs: &[NewJob]) -> Result<Vec<Pushed>, JobsError> {
        self.change(|transaction, _| jobs.iter().map(|job| push(transaction, job)).collect())
    }

    fn claim(&self, lease: Duration) -> Result<Option<Claim>, JobsError> {
        if self.is_unused() {
            return Ok(None);
        }
        let is_any = self.with(|connection, _| Ok(next(connection)?.is_some()))?;
        if !is_any {
            return Ok(None);
        }
        self.change(|transaction, worker| {
            while let Some(id) = next(transaction)? {
                if let Some(newer) = one_id(transaction, sql::FIND_NEWER, id)? {
                    drop_for(transaction, id, newer)?;
                    continue;
                }
                transaction.prepare_cached(sql::START)?.execute(params![
                    id.0,
                    worker,
                    lease.as_secs_f64()
                ])?;
                return read_claim(transaction, id).map(Some);
            }
            Ok(None)
        })
    }

    fn beat(&self, id: JobId, lease: Duration, report: &Report) -> Result<Beat, JobsError> {
        self.with(|connection, lock| {
            let mut statement = connection.prepare_cached(sql::BEAT)?;
            let values = params![
                id.0,
                lock.name(),
                lease.as_secs_f64(),
                report.progress,
                report.message,
                report.log,
            ];
            let cancel = statement.query_row(values, |row| row.get(0)).optional()?;
            Ok(cancel.map_or(Beat::Lost, |cancel| Beat::Held { cancel }))
        })
    }

    fn end(&self, id: JobId, ending: &Ending) -> Result<Option<JobState>, JobsError> {
        self.change(|transaction, worker| {
            let run = |statement, values: &[&dyn rusqlite::ToSql]| {
                let mut statement = transaction.prepare_cached(statement)?;
                statement.query_row(values, state).optional()
            };
            match ending {
                Ending::Done(value) => run(sql::DONE, params![id.0, worker, value.to_string()]),
                Ending::Failed(error) => run(sql::FAILED, params![id.0, worker, error]),
                Ending::Cancelled => run(sql::CANCELLED, params![id.0, worker]),
                Ending::Retry { error, after } => run(
                    sql::RETRY,
                    params![id.0, worker, error, after.as_secs_f64()],
                ),
                Ending::GivenBack { reason, after } => {
                    // An equal job waits: it does the work of both.
                    if let Some(newer) = one_id(transaction, sql::FIND_NEWER, id)? {
                        let reason = replaced_by(newer);
                        return run(sql::REPLACED, params![id.0, worker, reason]);
                    }
                    let values = params![id.0, worker, reason, after.as_secs_f64()];
                    run(sql::GIVE_BACK, values)
                }
            }
        })
    }

    fn reap(&self, backoff: Backoff) -> Result<usize, JobsError> {
        if self.is_unused() {
            return Ok(0);
        }
        let (running, ended) = self.with(|connection, lock| {
            // First who is dead, then what runs: a process that is dead claims nothing any more.
            let ended = lock.ended();
            Ok((running(connection)?, ended))
        })?;
        let orphans: Vec<_> = running
            .into_iter()
            .filter(|job| job.is_expired || ended.contains(&job.worker))
            .collect();
        let mut n_taken = 0;
        if !orphans.is_empty() {
            n_taken = self.change(|transaction, _| {
                let mut n_taken = 0;
                for job in &orphans {
                    let is_dead = ended.contains(&job.worker);
                    n_taken += take_back(transaction, job, is_dead, backoff)?;
                }
                Ok(n_taken)
            })?;
        }
        self.with(|_, lock| {
            lock.forget(&ended);
            Ok(n_taken)
        })
    }

    fn cancel(&self, id: JobId) -> Result<Option<JobState>, JobsError> {
        self.change(|transaction, _| {
            let mut statement = transaction.prepare_cached(sql::CANCEL)?;
            match statement.query_row([id.0], state).optional()? {
                Some(state) => Ok(Some(state)),
                None => read_state(transaction, id),
            }
        })
    }

    fn retry(&self, id: JobId) -> Result<Option<JobId>, JobsError> {
        self.change(|transaction, _| {
            let Some(state) = read_state(transaction, id)? else {
                return Ok(None);
            };
            if !state.has_ended() {
                return Ok(Some(id));
            }
            if let Some(other) = one_id(transaction, sql::FIND_OTHER, id)? {
                return Ok(Some(other));
            }
            transaction.prepare_cached(sql::AGAIN)?.execute([id.0])?;
            Ok(Some(id))
        })
    }

    fn list(&self, filter: &JobFilter) -> Result<Vec<Job>, JobsError> {
        if self.is_unused() {
            return Ok(Vec::new());
        }
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        let given = [
            ("project = ?", filter.project.clone().map(SqlValue::from)),
            (
                "state = ?",
                filter
                    .state
                    .map(|state| SqlValue::from(state.as_str().to_owned())),
            ),
            ("id < ?", filter.before.map(|id| SqlValue::from(id.0))),
        ];
        for (condition, value) in given {
            if let Some(value) = value {
                conditions.push(condition);
                values.push(value);
            }
        }
        values.push(SqlValue::from(
            i64::try_from(filter.limit).unwrap_or(i64::MAX),
        ));
        let condition = match conditions.as_slice() {
            [] => "1".to_owned(),
            conditions => conditions.join(" AND "),
        };
        let columns = sql::COLUMNS;
        let query =
            format!("SELECT {columns} FROM jobs WHERE {condition} ORDER BY id DESC LIMIT ?");
        self.with(|connection, _| {
            let mut statement = connection.prepare_cached(&query)?;
            let rows = statement.query_map(params_from_iter(values), job)?;
            rows.collect()
        })
    }

    fn get(&self, id: JobId) -> Result<Option<Job>, JobsError> {
        self.with(|connection, _| read_job(connection, id).optional())
    }

    fn log(&self, id: JobId) -> Result<Option<String>, JobsError> {
        self.with(|connection, _| {
            let mut statement = connection.prepare_cached(sql::LOG)?;
            statement.query_row([id.0], |row| row.get(0)).optional()
        })
    }

    fn backlog(&self) -> Result<Backlog, JobsError> {
        if self.is_unused() {
            return Ok(Backlog::default());
        }
        self.with(|connection, _| {
            let mut statement = connection.prepare_cached(sql::BACKLOG)?;
            statement.query_row([], |row| {
                Ok(Backlog {
                    n_jobs: row.get(0)?,
                    n_bytes: row.get(1)?,
                })
            })
        })
    }

    fn prune(&self, n_kept: usize) -> Result<usize, JobsError> {
        let n_kept = i64::try_from(n_kept).unwrap_or(i64::MAX);
        self.with(|connection, _| connection.prepare_cached(sql::PRUNE)?.execute([n_kept]))
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// A running job, as far as it matters for its being taken back.
struct RunningJob {
    id: JobId,
    worker: String,
    attempts: u32,
    is_expired: bool,
}

fn push(transaction: &Transaction<'_>, new: &NewJob) -> rusqlite::Result<Pushed> {
    let n_bytes = i64::try_from(new.payload.len()).unwrap_or(i64::MAX);
    if let Some(key) = &new.merge_key {
        let mut statement = transaction.prepare_cached(sql::FIND_EQUAL)?;
        let known = statement
            .query_row(params![new.project, key], |row| {
                Ok((JobId(row.get(0)?), row.get::<_, String>(1)?))
            })
            .optional()?;
        if let Some((id, payload)) = known {
            if payload != new.payload {
                let values = params![id.0, new.kind, new.payload, n_bytes];
                transaction.prepare_cached(sql::REPLACE)?.execute(values)?;
            }
            return Ok(Pushed {
                id,
                is_merged: true,
            });
        }
    }
    let values = params![
        new.project,
        new.kind,
        new.merge_key,
        n_bytes,
        new.max_attempts,
        new.payload
    ];
    let mut statement = transaction.prepare_cached(sql::INSERT)?;
    let id = statement.query_row(values, |row| row.get(0).map(JobId))?;
    Ok(Pushed {
        id,
        is_merged: false,
    })
}

fn next(connection: &Connection) -> rusqlite::Result<Option<JobId>> {
    let mut statement = connection.prepare_cached(sql::NEXT)?;
    statement
        .query_row([], |row| row.get(0).map(JobId))
        .optional()
}

fn one_id(connection: &Connection, query: &str, id: JobId) -> rusqlite::Result<Option<JobId>> {
    let mut statement = connection.prepare_cached(query)?;
    statement
        .query_row([id.0], |row| row.get(0).map(JobId))
        .optional()
}

fn drop_for(connection: &Connection, id: JobId, newer: JobId) -> rusqlite::Result<usize> {
    let mut statement = connection.prepare_cached(sql::DROP)?;
    statement.execute(params![id.0, replaced_by(newer)])
}

fn replaced_by(newer: JobId) -> String {
    format!("job {newer} does the same work")
}

fn read_claim(connection: &Connection, id: JobId) -> rusqlite::Result<Claim> {
    let job = read_job(connection, id)?;
    let mut statement = connection.prepare_cached(sql::PAYLOAD)?;
    statement.query_row([id.0], |row| {
        Ok(Claim {
            job,
            payload: row.get(0)?,
            log: row.get(1)?,
        })
    })
}

fn read_job(connection: &Connection, id: JobId) -> rusqlite::Result<Job> {
    let query = format!("SELECT {} FROM jobs WHERE id = ?1", sql::COLUMNS);
    connection.prepare_cached(&query)?.query_row([id.0], job)
}

fn read_state(connection: &Connection, id: JobId) -> rusqlite::Result<Option<JobState>> {
    let mut statement = connection.prepare_cached(sql::STATE)?;
    statement.query_row([id.0], state).optional()
}

fn running(connection: &Connection) -> rusqlite::Result<Vec<RunningJob>> {
    let mut statement = connection.prepare_cached(sql::RUNNING)?;
    let rows = statement.query_map([], |row| {
        Ok(RunningJob {
            id: JobId(row.get(0)?),
            worker: row.get(1)?,
            attempts: row.get(2)?,
            is_expired: row.get(3)?,
        })
    })?;
    rows.collect()
}

fn take_back(
    connection: &Connection,
    job: &RunningJob,
    is_dead: bool,
    backoff: Backoff,
) -> rusqlite::Result<usize> {
    let what = if is_dead { "ended" } else { "hung" };
    let error = format!("the process {} {what} while it worked on this", job.worker);
    let after = backoff.after_cut(job.attempts).as_secs_f64();
    let values = params![job.id.0, job.worker, error, after, is_dead];
    connection.prepare_cached(sql::REAP)?.execute(values)
}

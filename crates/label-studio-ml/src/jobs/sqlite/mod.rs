//! Jobs in an SQLite file, which several processes may share.

mod processes;
mod rows;
mod sql;
mod statements;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{
    Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params,
    params_from_iter, types::Value as SqlValue,
};

use self::{
    processes::ProcessLock,
    rows::{job, state},
    statements::{
        drop_for, next, one_id, push, read_claim, read_job, read_state, running, take_back,
    },
};
use super::{
    Backlog, Backoff, Beat, Claim, Ending, Job, JobFilter, JobId, JobState, Jobs, JobsError,
    NewJob, Pushed, Report, replaced_by,
};
use crate::store::{BUSY_TIMEOUT, FileIdentity, remove_orphans, wait_while_busy};

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
    connection: Option<Connected>,
    lock: ProcessLock,
    /// The highest id that this process has seen.
    last_id: JobId,
}

#[derive(Debug)]
struct Connected {
    connection: Connection,
    identity: Option<FileIdentity>,
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
                last_id: JobId(0),
            }),
        };
        let mut connected = open.connection.take();
        if let Some(removed) =
            connected.take_if(|known| known.identity != FileIdentity::of(&self.path()))
        {
            tracing::warn!(
                "{} was removed or replaced while the server runs; the jobs in it are lost",
                self.path().display()
            );
            drop(removed);
            remove_orphans(&self.path());
        }
        let mut connected = match connected {
            Some(connected) => connected,
            None => self.connect(open.last_id)?,
        };
        let result =
            run(&mut connected.connection, &open.lock).map_err(|source| self.error(source));
        if result.is_ok() {
            open.connection = Some(connected);
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

    /// Opens the file; in a new one, ids go on after `last_id`, so that a job which still runs is
    /// not taken for a new one.
    fn connect(&self, last_id: JobId) -> Result<Connected, JobsError> {
        let open = || {
            let connection = Connection::open(self.path())?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            wait_while_busy(|| connection.pragma_update(None, "journal_mode", "wal"))?;
            // A job that was stored must survive a power cut.
            connection.pragma_update(None, "synchronous", "full")?;
            connection.execute_batch(sql::SCHEMA)?;
            if last_id > JobId(0) {
                connection.execute(sql::START_IDS, [last_id.0])?;
                connection.execute(sql::RAISE_IDS, [last_id.0])?;
            }
            Ok(Connected {
                connection,
                identity: FileIdentity::of(&self.path()),
            })
        };
        open().map_err(|source| match self.error(source) {
            JobsError::Sqlite { path, source } if path.is_dir() => {
                JobsError::NotADatabase { path, source }
            }
            JobsError::Sqlite { path, source } => JobsError::Open { path, source },
            error => error,
        })
    }

    fn error(&self, source: rusqlite::Error) -> JobsError {
        let path = self.path();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                JobsError::NotADatabase { path, source }
            }
            _ => JobsError::Sqlite { path, source },
        }
    }

    fn saw(&self, id: JobId) {
        if let Some(open) = &mut *self.lock() {
            open.last_id = open.last_id.max(id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Jobs for SqliteJobs {
    fn push(&self, jobs: &[NewJob]) -> Result<Vec<Pushed>, JobsError> {
        let pushed: Vec<Pushed> =
            self.change(|transaction, _| jobs.iter().map(|job| push(transaction, job)).collect())?;
        if let Some(last) = pushed.iter().map(|pushed| pushed.id).max() {
            self.saw(last);
        }
        Ok(pushed)
    }

    fn claim(&self, lease: Duration) -> Result<Option<Claim>, JobsError> {
        if self.is_unused() {
            return Ok(None);
        }
        let is_any = self.with(|connection, _| Ok(next(connection)?.is_some()))?;
        if !is_any {
            return Ok(None);
        }
        let claim = self.change(|transaction, worker| {
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
        })?;
        if let Some(claim) = &claim {
            self.saw(claim.job.id);
        }
        Ok(claim)
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

    fn probe(&self) -> Result<(), JobsError> {
        if self.is_unused() {
            return Ok(());
        }
        self.with(|connection, _| {
            let mut statement = connection.prepare_cached(sql::PROBE)?;
            statement.exists([]).map(drop)
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
